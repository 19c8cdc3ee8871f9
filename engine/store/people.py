"""People with a name of their own: their role, how they are known, and the guests that they turned out to be.

The idea: a person's work is recorded under their name, as a guest's is under theirs; whoever claims a guest's work has it
signed by their own name, everywhere, at once. So assignments, reviews, agreement and history speak of people, and one person
in two browsers is one reviewer.

Invariants: two names are never alike (case, width and accents that are written in two ways tell none apart); nobody is
called as a guest is; who was sent away keeps their work and has no role.

Not covered: how somebody proves who they are (`engine.access`), their sessions and tokens (`engine.store.keys`).
"""

from __future__ import annotations

import re
import secrets
import sqlite3
import unicodedata
from dataclasses import dataclass

from engine.errors import Conflict, InvalidInput, NotFound
from engine.rights import Role
from engine.store.connection import Connections
from engine.store.identity import now, shown_name
from engine.store.revisions import refresh_status

__all__ = ["MAX_PERSON_CHARACTERS", "Account", "People", "person_name"]

MAX_PERSON_CHARACTERS = 40
_RESERVED = re.compile(r"guest([-_ ].*)?|everybody|nobody|command line|me|you")

_SIGNED = {
    "traces": ("author",),
    "revisions": ("author",),
    "reviews": ("reviewer",),
    "adjudications": ("author",),
    "preferences": ("author",),
    "bulk_actions": ("author",),
    "drafts": ("author",),
    "trace_tags": ("author",),
    "assignments": ("person", "author"),
    "reservations": ("holder",),
    "review_rounds": ("author",),
    "saved_views": ("owner",),
    "uploads": ("person",),
    "promotions": ("author",),
    "deletions": ("author",),
}
"""Where a name stands: table -> its columns. History's events are told by `engine.store.history` and never change."""


@dataclass(frozen=True, slots=True)
class Account:
    """`subject` is what somebody else knows the person by ("huggingface:..."), None for the studio's own; `password` is its
    hash; `ended_at` is None for who may come in."""

    name: str
    role: Role
    subject: str | None
    password: str | None
    created_at: str
    ended_at: str | None


class People:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, name: str, role: Role, *, subject: str | None = None, password: str | None = None) -> Account:
        """Raises InvalidInput for a name that cannot be one, Conflict where somebody is called so."""
        name = person_name(name)
        with self._connections.write() as db:
            if self._connections.row("SELECT 1 FROM people WHERE folded = ?", (_folded(name),)) is not None:
                raise Conflict(f"somebody here is called {name!r} already; choose another name")
            db.conn.execute(
                "INSERT INTO people (name, folded, subject, role, password, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                (name, _folded(name), subject, role, password, now()),
            )
            return self.get(name)

    def get(self, name: str) -> Account:
        """Raises NotFound."""
        if (found := self.find(name)) is None:
            raise NotFound(f"nobody here is called {shown_name(name, MAX_PERSON_CHARACTERS)!r}")
        return found

    def find(self, name: str) -> Account | None:
        """Whoever is called so, written in whatever case; None where nobody is."""
        row = self._connections.row("SELECT * FROM people WHERE folded = ?", (_folded(name),))
        return None if row is None else _account(row)

    def of_subject(self, subject: str) -> Account | None:
        row = self._connections.row("SELECT * FROM people WHERE subject = ?", (subject,))
        return None if row is None else _account(row)

    def list(self) -> list[Account]:
        """Everybody, those who were sent away too, by name."""
        return [_account(row) for row in self._connections.rows("SELECT * FROM people ORDER BY folded")]

    def set_role(self, name: str, role: Role) -> Account:
        """Raises NotFound, and Conflict where nobody would be left who is admin."""
        return self._change(name, "role", role, is_admin_left=role == "admin")

    def set_password(self, name: str, password: str) -> Account:
        """Keeps the hash of a password. Raises NotFound."""
        return self._change(name, "password", password, is_admin_left=True)

    def end(self, name: str) -> Account:
        """Sends a person away: their keys end, their work stays. Raises NotFound, Conflict as `set_role` does."""
        with self._connections.write() as db:
            account = self._change(name, "ended_at", now(), is_admin_left=False)
            db.conn.execute("UPDATE keys SET ended_at = ? WHERE person = ? AND ended_at IS NULL", (now(), account.name))
            return account

    def take_back(self, name: str) -> Account:
        """Lets a person who was sent away come in again. Raises NotFound."""
        return self._change(name, "ended_at", None, is_admin_left=True)

    def _change(self, name: str, column: str, value: str | None, *, is_admin_left: bool) -> Account:
        with self._connections.write() as db:
            account = self.get(name)
            others = "SELECT 1 FROM people WHERE role = 'admin' AND ended_at IS NULL AND name <> ?"
            if account.role == "admin" and not is_admin_left and self._connections.row(others, (account.name,)) is None:
                raise Conflict(f"{account.name} is the only admin here; make somebody else one first")
            db.conn.execute(f"UPDATE people SET {column} = ? WHERE name = ?", (value, account.name))
            return self.get(account.name)

    # --- guests ------------------------------------------------------------------------------------------------------

    def claimed_by(self, guest: str) -> str | None:
        """Whose work a guest's is by now."""
        row = self._connections.row("SELECT person FROM claimed_guests WHERE guest = ?", (guest,))
        return None if row is None else str(row["person"])

    def has_work(self, name: str) -> bool:
        """Whether anything is signed by a name."""
        some = " UNION ALL ".join(
            f"SELECT 1 FROM {table} WHERE {column} = :name" for table, columns in _SIGNED.items() for column in columns
        )
        return self._connections.row(f"SELECT 1 FROM ({some}) LIMIT 1", {"name": name}) is not None

    def claim(self, guest: str, name: str) -> None:
        """Signs all that a guest did with a person's name. Where both had decided on one version, the later verdict stands.
        Raises NotFound for the person, Conflict where somebody else has claimed it."""
        with self._connections.write() as db:
            person = self.get(name).name
            if (owner := self.claimed_by(guest)) is not None and owner != person:
                raise Conflict(f"the work of {guest} belongs to {owner}")
            db.conn.execute("INSERT OR IGNORE INTO claimed_guests VALUES (?, ?)", (guest, person))
            both = (guest, person)
            touched = [
                row[0]
                for row in self._connections.rows(
                    "SELECT trace_id FROM reviews WHERE reviewer = ? UNION SELECT trace_id FROM assignments WHERE person = ? "
                    "UNION SELECT id FROM traces WHERE author = ?",
                    (guest, guest, guest),
                )
            ]
            for table, columns in _SIGNED.items():
                for column in columns:
                    # A draft, a view or an assignment that the person has of their own stands; the guest's is left as it is.
                    db.conn.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {column} = ?", both[::-1])
            db.conn.execute(
                """UPDATE reviews SET undone_at = ? WHERE reviewer = ? AND undone_at IS NULL AND EXISTS (
                    SELECT 1 FROM reviews later WHERE later.revision_id = reviews.revision_id AND later.undone_at IS NULL
                        AND later.reviewer = reviews.reviewer AND later.number > reviews.number)""",
                (now(), person),
            )
            for trace_id in touched:
                refresh_status(self._connections, trace_id)

    # --- the home's own secret ---------------------------------------------------------------------------------------

    def secret(self, name: str) -> str:
        """A secret of this home, made when it is first asked for: 64 hexadecimal digits."""
        with self._connections.write() as db:
            db.conn.execute("INSERT OR IGNORE INTO home_secrets VALUES (?, ?)", (name, secrets.token_hex(32)))
            row = self._connections.row("SELECT value FROM home_secrets WHERE name = ?", (name,))
        assert row is not None
        return str(row["value"])


def person_name(text: str) -> str:
    """A name as it is recorded. Raises InvalidInput for one that is empty, long, a guest's, or holds what is not seen."""
    name = shown_name(text, 10 * MAX_PERSON_CHARACTERS)
    if name != unicodedata.normalize("NFC", text.strip()) or not 1 <= len(name) <= MAX_PERSON_CHARACTERS:
        raise InvalidInput(
            f"a name has 1 to {MAX_PERSON_CHARACTERS} characters, on one line and all of them to be seen, not "
            f"{shown_name(text, MAX_PERSON_CHARACTERS)!r}"
        )
    if _RESERVED.fullmatch(_folded(name)):
        raise InvalidInput(f"nobody can be called {name!r} here; choose another name")
    return name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _account(row: sqlite3.Row) -> Account:
    return Account(row["name"], row["role"], row["subject"], row["password"], row["created_at"], row["ended_at"])
