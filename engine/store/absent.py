"""What to say of a record that is not there: it lies in the bin, was deleted, or never was."""

from __future__ import annotations

from typing import Literal

from engine.errors import NotFound
from engine.store.connection import Connections

__all__ = ["Findable", "absent", "deleted", "is_in_bin"]

Findable = Literal["traces", "revisions", "media"]

_ONE_OF = {"traces": "trace", "revisions": "revision", "media": "media"}
_TOMBSTONE = {"traces": "trace_id", "revisions": "id"}


def absent(connections: Connections, table: Findable, name: str) -> NotFound:
    """The error for a name that `table` does not have, as one sentence."""
    return deleted(connections, table, name) or NotFound(f"there is no {_ONE_OF[table]} {name!r} in the store")


def deleted(connections: Connections, table: Findable, name: str) -> NotFound | None:
    """The same for what lies in the bin or has left a tombstone; None for what was never deleted."""
    what = _ONE_OF[table]
    row = connections.row(
        "SELECT d.created_at, d.author FROM bin_rows b JOIN deletions d ON d.id = b.deletion_id "
        "WHERE b.of_table = ? AND b.name = ? AND b.act = 'taken'",
        (table, name),
    )
    if row is not None:
        return NotFound(
            f"the {what} {name[:64]} is in the bin: {row['author'] or 'somebody'} deleted it on {row['created_at'][:10]}; "
            "an admin can restore it until the bin is emptied"
        )
    if table in _TOMBSTONE:
        row = connections.row(f"SELECT deleted_at FROM revision_tombstones WHERE {_TOMBSTONE[table]} = ?", (name,))
        if row is not None:
            return NotFound(f"the {what} {name[:64]} was deleted on {row['deleted_at'][:10]} and cannot be restored")
    return None


def is_in_bin(connections: Connections, table: Findable, name: str) -> bool:
    """Whether a record lies in the bin, and nowhere else."""
    sql = f"""SELECT 1 FROM bin_rows WHERE of_table = :table AND name = :name AND act = 'taken'
        AND NOT EXISTS (SELECT 1 FROM {table} WHERE {"sha256" if table == "media" else "id"} = :name)"""
    return connections.row(sql, {"table": table, "name": name}) is not None
