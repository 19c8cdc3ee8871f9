"""The schema, as forward-only migrations: each `mNNN_name.sql` of this folder runs once, by number.

Invariants:
- a released migration is frozen: tests/store/test_schema.py holds the SHA-256 of its text. What is wrong in one is
  mended by a new one, numbered next;
- a migration is literal SQL, so it can call no code of today;
- each works on a populated database of every version before it (tests/store/golden).

What is derived from the records, such as the search index with its triggers, is no migration's business: it is built
again wherever its definition has changed (`engine.store.facets`).

For people who paste queries there are views: `trace_heads` (one row a trace, with its head revision), `steps` (one row
a step of each head), `standing_reviews` (reviews that were not undone) and `job_metrics`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

from sqlite_utils import Database, Migrations

from engine.errors import Unavailable
from engine.store.connection import DAMAGED, Connections, run_script

__all__ = ["migrate", "migrations"]


def migrations() -> Migrations:
    """The ordered migrations; sqlite-utils records in the database which of them have run."""
    found = Migrations("studio")
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            found(name=file.name.removesuffix(".sql"))(_step(file.read_text(encoding="utf-8")))
    return found


def migrate(connections: Connections) -> list[str]:
    """Brings the database up to date, in one transaction, and returns the names of the migrations that ran.

    Several processes may call this at once: the first takes the write lock, and nothing is left for the others. Raises
    Unavailable where the database was written by a newer version of the studio, is damaged, or is not the studio's.
    """
    known = migrations()
    try:
        if not _pending(known, connections.database(), connections.path.name):
            return []
        with connections.write() as locked:
            pending = _pending(known, locked, connections.path.name)
            known.apply(locked)
        return pending
    except DAMAGED as error:
        raise connections.unusable(error) from error


def _pending(known: Migrations, database: Database, name: str) -> list[str]:
    """The migrations that have not run. Raises Unavailable where others than the known ones have."""
    names = {m.name for m in known.pending(Database(memory=True))}
    if strangers := sorted({m.name for m in known.applied(database)} - names):
        raise Unavailable(
            f"the database {name} was written by a newer version of the studio (it has {', '.join(strangers)}); "
            "update the studio, or start it with another STUDIO_HOME"
        )
    return [m.name for m in known.pending(database)]


def _step(sql: str) -> Callable[[Database], None]:
    def step(db: Database) -> None:
        run_script(db, sql)

    return step
