"""Who asks: from what a request brought to a Person, in one place, and how people sign in.

    mode          who has a name                                   whoever has none
    open          whoever chooses one                              a guest; everybody is admin
    accounts      who was invited, by a password                   must sign in, or is a visitor (STUDIO_GUESTS)
    huggingface   whom the Hub knows                               likewise
    proxy         whom the proxy names                             likewise

In every mode a program comes with a token of its owner's. A guest is known by a cookie that this home has signed, so nobody
can come as a guest that they are not; a session or a token counts in the mode that it was made in, so that a name which was
free for the taking opens nothing later.

Not covered: which route asks for what (`ui.rights`), what a person may see (`engine.store.sight`).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network

from engine.access.limits import Allowance
from engine.access.passwords import hash_password, is_password
from engine.access.use import Use
from engine.errors import Conflict, InvalidInput, InvalidSetting, NotAllowed
from engine.rights import HOST, Person, Role, may
from engine.settings import Settings
from engine.store import Account, Key, Seer, Store, person_name

__all__ = ["SESSION_S", "Access", "Brought", "NotSignedIn", "SignedIn", "check_access"]

SESSION_S = 30 * 86_400.0
_INVITATION_S = 7 * 86_400.0
_GUEST = re.compile(r"guest-[0-9a-f]{8}")
_NOBODY = "guest"
"""Whoever brings nothing where nobody signs in: a script, a program of the host's own."""

_ATTEMPTS, _ATTEMPTS_OF_ADDRESS, _ATTEMPTS_S = 10, 50, 900.0
_WORD = "another tab"
_LOOPBACK = ("localhost", "::1")


class NotSignedIn(NotAllowed):
    """Whoever asks has to sign in first."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What a request brought that may tell who sent it. `proxied` is the header that the settings name; `address` is where
    whoever asks is, `peer` whose connection it is: theirs, or a proxy's."""

    session: str | None = None
    guest: str | None = None
    bearer: str | None = None
    proxied: str | None = None
    address: str = ""
    peer: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun; `secret` is what the browser keeps."""

    name: str
    secret: str


class Access:
    def __init__(self, settings: Settings, store: Store) -> None:
        self.mode = settings.access
        self.settings = settings
        self._store = store
        self._secret = store.people.secret("guests").encode()
        self._networks = tuple(ip_network(one, strict=False) for one in settings.proxy_addresses)
        self._attempts = Allowance(_ATTEMPTS, _ATTEMPTS_S)
        self._attempts_from = Allowance(_ATTEMPTS_OF_ADDRESS, _ATTEMPTS_S)
        self.use = Use(settings)

    # --- who asks ----------------------------------------------------------------------------------------------------

    def who(self, brought: Brought) -> Person:
        """Raises NotSignedIn where they have to sign in first."""
        return replace(self._known(brought) or self._guest(brought), address=brought.address)

    def _guest(self, brought: Brought) -> Person:
        guest = self.guest_of(brought.guest)
        if self.mode == "open":
            return Person(guest or _NOBODY, HOST)
        if guest is None or self.settings.guests == "none":
            raise NotSignedIn("Sign in first; a program brings a token, which its owner makes under People.")
        return Person(guest, "visitor")

    def _known(self, brought: Brought) -> Person | None:
        """Whoever proves a name; None where nothing does."""
        if brought.bearer is not None:
            key = self._store.keys.find("token", brought.bearer)
            if key is None or key.author != self.mode or (person := self._of_key(key)) is None:
                raise NotSignedIn("This token is unknown, was ended or has expired; make another one under People.")
            return person
        if brought.proxied and self.mode == "proxy" and self._is_proxy(brought.peer):
            account = self.account_of(f"proxy:{brought.proxied}", brought.proxied)
            return Person(account.name, account.role, is_guest=False)
        key = None if brought.session is None else self._store.keys.find("session", brought.session)
        return None if key is None or key.author != self.mode else self._of_key(key)

    def _of_key(self, key: Key) -> Person | None:
        account = None if key.person is None else self._store.people.find(key.person)
        if account is None or account.ended_at is not None:
            return None
        return Person(account.name, HOST if self.mode == "open" else account.role, is_guest=False, key_id=key.id)

    def _is_proxy(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self._networks)
        except ValueError:
            return False

    def role_of(self, name: str) -> Role:
        """The role of a person, by the name under which their work is recorded."""
        if self.mode == "open":
            return HOST
        account = self._store.people.find(name)
        return "visitor" if account is None or account.ended_at is not None else account.role

    def seer_of(self, name: str) -> Seer | None:
        """Whose eyes a person has for traces; None for those who see all there are."""
        is_reader = may(self.role_of(name), "look_at_work")
        return None if is_reader and not self._store.sight.has_private() else Seer(name, is_reader)

    def sees_media(self, name: str, sha256: str) -> bool:
        """Whether a medium is there for a person; where nobody signs in, every one is."""
        seer = Seer(name, may(self.role_of(name), "look_at_work"))
        return self.mode == "open" or self._store.sight.sees_media(seer, sha256)

    @property
    def queue_takes(self) -> str:
        """What visitors ask goes into the queue: "all", "sent" or "none"."""
        chosen = self.settings.queue_takes
        return chosen if chosen != "auto" else "all" if self.mode == "open" else "sent"

    def keeps_private(self, name: str) -> bool:
        """Whether what a person asks is theirs alone until they send it to review."""
        return self.queue_takes != "all" and self.role_of(name) == "visitor"

    # --- guests --------------------------------------------------------------------------------------------------------

    def new_guest(self) -> str:
        return f"guest-{secrets.token_hex(4)}"

    def signed(self, text: str) -> str:
        """A text with this home's signature."""
        return f"{text}.{hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()[:32]}"

    def unsigned(self, text: str | None) -> str | None:
        """The text without its signature; None where this home did not sign it."""
        bare = (text or "").rpartition(".")[0]
        return bare if hmac.compare_digest(self.signed(bare).encode(), (text or "").encode()) else None

    def guest_of(self, cookie: str | None) -> str | None:
        """The guest that a cookie names; None where this home did not sign it, or somebody has claimed what the guest did."""
        guest = self.unsigned(cookie)
        is_guest = guest is not None and _GUEST.fullmatch(guest) is not None
        return guest if is_guest and guest and self._store.people.claimed_by(guest) is None else None

    # --- signing in ----------------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, *, address: str = "", browser: str = "") -> SignedIn:
        """Where nobody has an account, a name is whoever's who says so, and the password is not looked at. Raises NotAllowed,
        InvalidInput for a name that cannot be one."""
        if self.mode == "open":
            name = person_name(name)
            account = self._store.people.find(name) or self._store.people.add(name, "annotator")
            return self.begin(account.name, browser)
        if self.mode != "accounts":
            raise NotAllowed("Nobody signs in by a password here.")
        tried = name.casefold()[:100]
        if (wait_s := max(self._attempts.wait_s(tried), self._attempts_from.wait_s(address))) > 0:
            raise NotAllowed(f"That was tried too often; try again in {max(1, round(wait_s / 60))} minutes.")
        self._attempts.take(1, tried)
        self._attempts_from.take(1, address)
        account_or_none = self._store.people.find(name)
        hashed = None if account_or_none is None else account_or_none.password
        if not is_password(password, hashed) or account_or_none is None or account_or_none.ended_at is not None:
            raise NotAllowed("This name and this password do not belong together.")
        self._attempts.give_back(tried)
        self._attempts_from.give_back(address)
        return self.begin(account_or_none.name, browser)

    def begin(self, name: str, browser: str = "") -> SignedIn:
        """A session of a person who has proved who they are."""
        _, secret = self._store.keys.make("session", name, author=self.mode, lasts_s=SESSION_S, title=browser)
        return SignedIn(name, secret)

    def token(self, name: str, title: str) -> tuple[Key, str]:
        """A token for a program of a person's, and its secret."""
        return self._store.keys.make("token", name, author=self.mode, lasts_s=None, title=title)

    def invite(
        self, role: Role, author: str, name: str | None = None, lasts_s: float = _INVITATION_S
    ) -> tuple[Key, str]:
        """An invitation and its secret; with a `name` it is for the person who is called so, who chooses a password anew."""
        if name is not None:
            name = self._store.people.get(name).name
        return self._store.keys.make("invitation", name, author=author, lasts_s=lasts_s, role=role)

    def invitation(self, secret: str) -> Key:
        """Raises NotAllowed where it is used, expired or none."""
        key = self._store.keys.find("invitation", secret)
        if key is None or key.author == _WORD or self.mode != "accounts":
            raise NotAllowed("This invitation was used, has expired, or never was; ask for another one.")
        return key

    def accept(self, secret: str, name: str, password: str, browser: str = "") -> SignedIn:
        """Takes an invitation up. Raises NotAllowed as `invitation` does, Conflict and InvalidInput for a name or password
        that cannot be taken: then the invitation is still there."""
        key, hashed = self.invitation(secret), hash_password(password)
        with self._store.transaction():
            if key.person is None:
                account = self._store.people.add(name, key.role or "visitor", password=hashed)
            else:
                account = self._store.people.set_password(key.person, hashed)
            if not self._store.keys.use(key.id):
                raise NotAllowed("This invitation was used, has expired, or never was; ask for another one.")
        return self.begin(account.name, browser)

    def invite_self(self, name: str) -> str:
        """A word by which a person who has just signed in in one tab has a session in the page that opened it; for a minute."""
        return self._store.keys.make("invitation", name, author=_WORD, lasts_s=60)[1]

    def by_word(self, word: str, browser: str = "") -> SignedIn:
        """Raises NotAllowed."""
        key = self._store.keys.find("invitation", word)
        if key is None or key.author != _WORD or key.person is None or not self._store.keys.use(key.id):
            raise NotAllowed("That took too long; sign in again.")
        return self.begin(key.person, browser)

    def account_of(self, subject: str, name: str) -> Account:
        """The account of somebody whom somebody else knows as `subject`, made when they first come. Raises NotAllowed where
        they were sent away."""
        account = self._store.people.of_subject(subject)
        is_admin = name in self.settings.admins or (self.mode == "huggingface" and name == self.settings.space_author)
        if account is None:
            account = self._new_account(subject, name, "admin" if is_admin else self.settings.new_role)
        if account.ended_at is not None:
            raise NotAllowed("An admin of this studio has closed your account.")
        if is_admin and account.role != "admin":
            account = self._store.people.set_role(account.name, "admin")
        return account

    def _new_account(self, subject: str, name: str, role: Role) -> Account:
        try:
            name = person_name(name[:36])
        except InvalidInput:
            name = "somebody"
        for suffix in ("", *(f" {k}" for k in range(2, 100))):
            try:
                return self._store.people.add(f"{name}{suffix}", role, subject=subject)
            except Conflict:
                continue
        raise NotAllowed(f"There are too many people called {name!r} here; ask an admin of this studio.")

    # --- at the start --------------------------------------------------------------------------------------------------

    def first_invitation(self) -> str | None:
        """The secret of an invitation for the first admin; None where there is one, or where they come another way."""
        is_led = any(one.role == "admin" and one.ended_at is None for one in self._store.people.list())
        return (
            None if self.mode != "accounts" or is_led else self.invite("admin", "the studio itself", lasts_s=86_400)[1]
        )


def check_access(settings: Settings) -> None:
    """Raises InvalidSetting where the settings let nobody in, or everybody."""
    if settings.access == "open" and not _is_loopback(settings.host):
        raise InvalidSetting(
            f"STUDIO_HOST={settings.host} is reached from other machines, and nobody signs in here; set STUDIO_ACCESS to "
            "accounts, huggingface or proxy (docs/access.md)"
        )
    if settings.access == "huggingface" and not (settings.oauth_client_id and settings.oauth_client_secret):
        raise InvalidSetting(
            "STUDIO_ACCESS=huggingface needs OAUTH_CLIENT_ID and OAUTH_CLIENT_SECRET; in a Space they are set by "
            "`hf_oauth: true` in README's front matter"
        )
    if settings.access == "proxy" and not (settings.proxy_header and settings.proxy_addresses):
        raise InvalidSetting("STUDIO_ACCESS=proxy needs STUDIO_PROXY_HEADER and STUDIO_PROXY_ADDRESSES")


def _is_loopback(host: str) -> bool:
    try:
        return host in _LOOPBACK or ip_address(host).is_loopback
    except ValueError:
        return False
