"""Who asks, in every mode: what is believed and what is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.access import Access, Allowance, Brought, NotSignedIn, check_access
from engine.access.passwords import hash_password, is_password
from engine.errors import Conflict, InvalidInput, InvalidSetting, NotAllowed, NotFound
from engine.rights import Person
from engine.settings import Settings
from engine.store import Store

PASSWORD = "a long one"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "annotations.db") as store:
        yield store


@pytest.fixture
def access(store: Store, tmp_path: Path) -> Callable[..., Access]:
    """access(STUDIO_ACCESS=...): on the one store."""
    return lambda **asked: Access(Settings.from_environment({"STUDIO_HOME": str(tmp_path), **asked}), store)


def test_a_guest_is_whom_this_home_has_signed(access) -> None:
    open_ = access()
    guest = open_.new_guest()
    assert open_.who(Brought(guest=open_.signed(guest))).name == guest
    assert open_.who(Brought(guest=open_.signed(guest))).role == "admin"
    for invented in (guest, f"{guest}.", f"{guest}.{'0' * 32}", "ann", open_.signed("guest-00000000")[:-1] + "x"):
        assert open_.who(Brought(guest=invented)).name == "guest"


def test_one_name_in_two_browsers_is_one_person(access, store: Store) -> None:
    open_ = access()
    one, other = open_.sign_in("Ann", ""), open_.sign_in("ann", "")
    assert [open_.who(Brought(session=s.secret)).name for s in (one, other)] == ["Ann", "Ann"]
    # What nobody had to prove opens nothing where people have to.
    store.people.set_role("Ann", "admin")
    _, token = open_.token("Ann", "a script")
    accounts = access(STUDIO_ACCESS="accounts")
    with pytest.raises(NotSignedIn):
        accounts.who(Brought(session=one.secret))
    with pytest.raises(NotSignedIn, match="This token"):
        accounts.who(Brought(bearer=token))


@pytest.mark.parametrize(
    "name",
    ["", " ", "x" * 41, "x" * 5000, "guest-0000000a", "Guest", "a\u202eb", "a\nb", "\u200b", "command line", "a\ud83d"],
)
def test_what_cannot_be_a_name_is_refused(access, name: str) -> None:
    with pytest.raises(InvalidInput, match="name|called"):
        access().sign_in(name, "")


def test_an_invitation_is_used_once_and_makes_who_it_says(access, store: Store) -> None:
    accounts = access(STUDIO_ACCESS="accounts")
    first = accounts.first_invitation()
    assert first is not None
    with pytest.raises(InvalidInput, match="at least 8 characters"):
        accounts.accept(first, "Ann", "short")
    ann = accounts.who(Brought(session=accounts.accept(first, "Ann", PASSWORD).secret))
    assert (ann.name, ann.role, ann.is_guest) == ("Ann", "admin", False)
    assert accounts.first_invitation() is None
    with pytest.raises(NotAllowed, match="was used"):
        accounts.accept(first, "Eve", PASSWORD)
    _, secret = accounts.invite("annotator", "Ann")
    with pytest.raises(Conflict, match="called 'ANN' already"):
        accounts.accept(secret, "ANN", PASSWORD)
    assert accounts.role_of(accounts.accept(secret, "Bob", PASSWORD).name) == "annotator"
    _, late = accounts.invite("annotator", "Ann", lasts_s=-1)
    with pytest.raises(NotAllowed, match="has expired"):
        accounts.accept(late, "Eve", PASSWORD)
    assert [one.name for one in store.people.list()] == ["Ann", "Bob"]
    assert PASSWORD not in repr(store.people.get("Ann")) and first not in repr(store.keys.list())


def test_signing_in_wants_the_password_and_is_not_tried_without_end(access, store: Store) -> None:
    accounts = access(STUDIO_ACCESS="accounts")
    store.people.add("Ann", "trainer", password=hash_password(PASSWORD))
    store.people.add("Bob", "annotator")
    assert accounts.who(Brought(session=accounts.sign_in("ANN", PASSWORD).secret)).role == "trainer"
    for name in ("Bob", "Nobody", "Ann"):
        with pytest.raises(NotAllowed, match="do not belong together"):
            accounts.sign_in(name, "another one", address="10.0.0.9")
    accounts._attempts.take(9, "ann")
    with pytest.raises(NotAllowed, match="too often; try again in 15 minutes"):
        accounts.sign_in("Ann", PASSWORD)


def test_sessions_and_tokens_end(access, store: Store) -> None:
    accounts = access(STUDIO_ACCESS="accounts")
    for name, role in (("Ann", "admin"), ("Bob", "annotator")):
        store.people.add(name, role, password=hash_password(PASSWORD))
    bob = accounts.begin("Bob", "Firefox on Linux")
    key, token = accounts.token("Bob", "a script")
    assert accounts.who(Brought(bearer=token)).role == "annotator"
    store.people.set_role("Bob", "trainer")
    assert accounts.who(Brought(bearer=token)).role == "trainer"
    store.keys.end(key.id)
    with pytest.raises(NotSignedIn, match="was ended"):
        accounts.who(Brought(bearer=token))
    assert accounts.who(Brought(session=bob.secret)).name == "Bob"
    store.people.end("Bob")
    with pytest.raises(NotSignedIn):
        accounts.who(Brought(session=bob.secret))
    with pytest.raises(NotAllowed):
        accounts.sign_in("Bob", PASSWORD)
    with pytest.raises(Conflict, match="the only admin"):
        store.people.end("Ann")
    with pytest.raises(Conflict, match="the only admin"):
        store.people.set_role("Ann", "visitor")
    with pytest.raises(NotFound):
        store.people.get("Eve")


def test_a_header_is_believed_from_the_proxy_alone(access) -> None:
    settings = {
        "STUDIO_ACCESS": "proxy",
        "STUDIO_PROXY_HEADER": "X-Forwarded-User",
        "STUDIO_PROXY_ADDRESSES": "10.1.0.0/16, ::1",
        "STUDIO_ADMINS": "ann",
    }
    proxy = access(**settings)
    said = proxy.who(Brought(proxied="ann", address="8.8.8.8", peer="10.1.2.3"))
    assert (said.name, said.role, said.is_guest) == ("ann", "admin", False)
    assert proxy.who(Brought(proxied="bob", peer="::1")).role == "visitor"
    for address in ("10.2.0.1", "", "localhost", "127.0.0.1"):
        with pytest.raises(NotSignedIn):
            proxy.who(Brought(proxied="ann", address="10.1.2.3", peer=address))
    with pytest.raises(NotSignedIn):
        access(STUDIO_ACCESS="accounts").who(Brought(proxied="ann", address="8.8.8.8", peer="10.1.2.3"))


def test_somebody_whom_the_hub_knows_takes_nobody_s_name(access, store: Store) -> None:
    store.people.add("ann", "admin", password=hash_password(PASSWORD))
    hub = access(STUDIO_ACCESS="huggingface", OAUTH_CLIENT_ID="x", OAUTH_CLIENT_SECRET="y", SPACE_AUTHOR_NAME="host")
    made = hub.account_of("huggingface:1", "ann")
    assert (made.name, made.role) == ("ann 2", "visitor")
    assert hub.account_of("huggingface:1", "renamed").name == "ann 2"
    assert hub.account_of("huggingface:2", "host").role == "admin"
    assert hub.account_of("huggingface:3", "guest-0000000a").name == "somebody"


def test_guests_may_ask_where_the_settings_say_so(access) -> None:
    guests = access(STUDIO_ACCESS="accounts", STUDIO_GUESTS="visitor")
    one = guests.new_guest()
    assert guests.who(Brought(guest=guests.signed(one))) == Person(one, "visitor")
    with pytest.raises(NotSignedIn, match="a program brings a token"):
        guests.who(Brought())


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"STUDIO_HOST": "0.0.0.0"}, "STUDIO_HOST=0.0.0.0 is reached from other machines.*set STUDIO_ACCESS"),
        ({"STUDIO_HOST": "studio.example"}, "set STUDIO_ACCESS"),
        ({"STUDIO_ACCESS": "huggingface"}, "OAUTH_CLIENT_ID"),
        ({"STUDIO_ACCESS": "proxy", "STUDIO_PROXY_HEADER": "X-User"}, "STUDIO_PROXY_ADDRESSES"),
    ],
)
def test_settings_that_let_everybody_in_or_nobody_are_refused(asked, sentence) -> None:
    with pytest.raises(InvalidSetting, match=sentence):
        check_access(Settings.from_environment(asked))
    everywhere = {"STUDIO_ACCESS": "accounts", "STUDIO_HOST": "0.0.0.0"}
    for fine in ({}, {"STUDIO_HOST": "127.0.0.2"}, {"STUDIO_HOST": "::1"}, everywhere):
        check_access(Settings.from_environment(fine))


def test_a_password_is_hashed_by_argon2id_and_nobody_s_is_none() -> None:
    hashed = hash_password(PASSWORD)
    assert hashed.startswith("$argon2id$") and hashed != hash_password(PASSWORD)
    assert is_password(PASSWORD, hashed) and not is_password(PASSWORD + "r", hashed)
    assert not is_password("", None) and not is_password("x" * 100_000, hashed)


def test_an_allowance_is_a_sliding_window() -> None:
    now = [0.0]
    allowance = Allowance(10, 60, lambda: now[0])
    allowance.take(6, "ann", "address")
    now[0] = 20
    assert allowance.wait_s("ann") == 0
    allowance.take(6, "ann")
    assert (allowance.wait_s("ann"), allowance.wait_s("bob"), allowance.wait_s("bob", "ann")) == (40, 0, 40)
    now[0] = 61
    assert allowance.wait_s("ann") == 0
    allowance.give_back("ann")
    allowance.take(10, "ann")
    assert allowance.wait_s("ann") == 60
    assert Allowance(0).wait_s("ann") == 0
