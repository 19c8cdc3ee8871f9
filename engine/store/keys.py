"""Keys: the secrets that people come in with. A browser's session, a program's token, an invitation.

The idea: a key is 32 random bytes that are shown once; the store has their SHA-256 alone, so what is stolen from it opens
nothing. (A password is weaker than that and is hashed slowly: `engine.access.passwords`.) A key that was ended or has expired
is as one that never was.

Invariant: an invitation is used once, whoever is quicker.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from typing import Literal

from engine.errors import NotFound
from engine.rights import Role
from engine.store.connection import Connections
from engine.store.identity import from_now, new_id, now, shown_name

__all__ = ["PREFIX", "Key", "KeyKind", "Keys"]

KeyKind = Literal["session", "token", "invitation"]

PREFIX: dict[KeyKind, str] = {"session": "prs_", "token": "prt_", "invitation": "pri_"}
"""What a key of each kind begins with, so that it is known wherever it turns up."""


@dataclass(frozen=True, slots=True)
class Key:
    """`person` is whose it is; of an invitation, for whom alone, None for anybody. `role` is what an invitation gives;
    `title` is the browser, or what its owner calls it; `author` is who
    invites, of others the mode in which they were made (`engine.access`); times are UTC, None for never."""

    id: str
    kind: KeyKind
    person: str | None
    role: Role | None
    title: str
    author: str
    created_at: str
    expires_at: str | None
    ended_at: str | None


class Keys:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def make(
        self,
        kind: KeyKind,
        person: str | None,
        *,
        author: str,
        lasts_s: float | None,
        role: Role | None = None,
        title: str = "",
    ) -> tuple[Key, str]:
        """A new key, and its secret, which is told here and never again."""
        secret = PREFIX[kind] + secrets.token_urlsafe(32)
        key_id, expires_at = new_id(), None if lasts_s is None else from_now(lasts_s)
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT INTO keys (id, kind, hash, person, role, title, author, created_at, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (key_id, kind, _hash(secret), person, role, shown_name(title), author, now(), expires_at),
            )
            return self.get(key_id), secret

    def get(self, key_id: str) -> Key:
        """Raises NotFound."""
        row = self._connections.row("SELECT * FROM keys WHERE id = ?", (key_id,))
        if row is None:
            raise NotFound(f"there is no session, token or invitation {key_id[:64]!r}")
        return _key(row)

    def find(self, kind: KeyKind, secret: str) -> Key | None:
        """The key that a secret opens; None for one that is unknown, expired or ended."""
        row = self._connections.row(
            "SELECT * FROM keys WHERE hash = ? AND kind = ? AND ended_at IS NULL AND coalesce(expires_at > ?, 1)",
            (_hash(secret), kind, now()),
        )
        return None if row is None else _key(row)

    def use(self, key_id: str) -> bool:
        """Ends an invitation that is taken up; False where somebody was quicker, or it has expired."""
        with self._connections.write() as db:
            done = db.conn.execute(
                "UPDATE keys SET ended_at = ? WHERE id = ? AND ended_at IS NULL AND coalesce(expires_at > ?, 1)",
                (now(), key_id, now()),
            )
            return done.rowcount == 1

    def end(self, key_id: str) -> None:
        """Ends a key; one that has ended stays so. Raises NotFound."""
        self.get(key_id)
        self.use(key_id)

    def list(self, person: str | None = None) -> list[Key]:
        """The keys that open something (None: everybody's), newest first."""
        sql = (
            "SELECT * FROM keys WHERE ended_at IS NULL AND coalesce(expires_at > ?, 1) AND (? IS NULL OR person = ?) "
            "ORDER BY id DESC"
        )
        return [_key(row) for row in self._connections.rows(sql, (now(), person, person))]


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _key(row: sqlite3.Row) -> Key:
    return Key(**{name: row[name] for name in Key.__slots__})
