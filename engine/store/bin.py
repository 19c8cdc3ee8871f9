"""The bin: what was deleted, aside until the bin is emptied, and back from there as it was.

The idea: what is in the bin is not in the tables. A deletion moves rows out of them (`engine.store.packing`), so that nothing
that reads the store, today or later, can meet them: queue, search, counts, agreement, training, exports. Their place is kept:
no number is given twice.

A job that is queued or at work keeps its traces: deleting one of them is refused. Jobs that have ended lose them, and cannot
go on. The status of a trace that loses reviews is derived from those that are left.

Invariants: a deletion of one trace is whole or not there; a long one is made and undone in batches, each of them whole;
`restore` brings back every row as it was, unless something else has taken its place meanwhile. A row whose trace lies in
another deletion waits there for it. Not covered: what a target means (`engine.store.targets`), emptying
(`engine.store.emptying`), files (`engine.upkeep`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import Conflict, InvalidInput, NotFound
from engine.store.absent import is_in_bin
from engine.store.connection import Connections
from engine.store.facets import derive_facts_of
from engine.store.identity import canonical_json, new_id, now, storable
from engine.store.packing import Packed, Rows, Shape, put_back, take_out
from engine.store.revisions import refresh_status
from engine.store.targets import Chosen, DeletionPlan, Target, Targets

__all__ = ["Bin", "Deletion"]

_BATCH = 200

_SIGNED = {"review_rounds": "author", "promotions": "author"}
"""Rows that others depend on: they stay, without the person's name."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """An act of deleting. `traces`, `revisions` and `media` count what lies in the bin; `emptied_at` is None until then;
    `first` is the number and question of the first trace among them, None without one."""

    id: str
    target: Target
    author: str
    created_at: str
    emptied_at: str | None
    traces: int
    revisions: int
    media: int
    first: tuple[int, str] | None


class Bin:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._targets = Targets(connections)

    def plan(self, target: Target) -> DeletionPlan:
        """What `put` would take. Raises NotFound, InvalidInput."""
        return self._targets.plan(target)

    def put(self, target: Target, author: str) -> Deletion:
        """Deletes, to be restored until the bin is emptied. Raises NotFound where there is no such thing, InvalidInput where
        nothing would go, Conflict where a job at work holds one of the traces."""
        shape, deletion_id = Shape(self._connections), new_id()
        with self._connections.write() as db:
            chosen = self._targets.chosen(target)
            if self.plan(target).is_empty:
                raise InvalidInput(f"there is nothing of {_named(target)} to delete")
            self._refuse_at_work(chosen.trace_ids)
            db.conn.execute(
                "INSERT INTO deletions (id, kind, named, author, created_at) VALUES (?, ?, ?, ?, ?)",
                (deletion_id, target.kind, canonical_json(list(target.names)), storable(author), now()),
            )
            batches = [chosen.trace_ids[at : at + _BATCH] for at in range(0, len(chosen.trace_ids), _BATCH)] or [()]
            self._move(shape, deletion_id, 0, batches[0], chosen, is_last=len(batches) == 1)
        for number, batch in enumerate(batches[1:], 1):
            with self._connections.write():
                self._refuse_at_work(batch)
                self._move(shape, deletion_id, number, batch, chosen, is_last=number == len(batches) - 1)
        return self.get(deletion_id)

    def restore(self, deletion_id: str) -> Deletion:
        """Brings back what a deletion took, and returns what that was. Raises NotFound where it is not in the bin."""
        deletion, shape = self.get(deletion_id), Shape(self._connections)
        if deletion.emptied_at is not None:
            raise NotFound(f"what was deleted on {deletion.created_at[:10]} is gone: the bin was emptied")
        sql = "SELECT DISTINCT batch FROM bin_rows WHERE deletion_id = ? ORDER BY batch DESC"
        for row in self._connections.rows(sql, (deletion_id,)):
            with self._connections.write():
                self._restore_batch(shape, deletion_id, row["batch"])
        with self._connections.write() as db:
            # Rows that wait for another deletion have left this one.
            db.conn.execute("DELETE FROM deletions WHERE id = ?", (deletion_id,))
        return deletion

    def get(self, deletion_id: str) -> Deletion:
        """Raises NotFound."""
        found = self._deletions("WHERE d.id = ?", (deletion_id,))
        if not found:
            raise NotFound(f"there is no deletion {deletion_id!r} in the bin")
        return found[0]

    def list(self) -> list[Deletion]:
        """What can be restored, newest first."""
        return list(self._deletions("WHERE d.emptied_at IS NULL"))

    def deletion_of(self, table: Literal["traces", "revisions", "media"], name: str) -> str | None:
        """The id of the deletion that took a trace, a revision or a medium, or None."""
        row = self._connections.row(
            "SELECT deletion_id FROM bin_rows WHERE of_table = ? AND name = ? AND act = 'taken'", (table, name)
        )
        return None if row is None else row["deletion_id"]

    def holds_media(self, sha256: str) -> bool:
        """Whether a medium lies in the bin, and nowhere else."""
        return is_in_bin(self._connections, "media", sha256)

    def known_media(self) -> set[str]:
        """The SHA-256 of all media that are recorded or lie in the bin, or whose files are still to be erased."""
        sql = """SELECT sha256 FROM media UNION SELECT name FROM bin_rows WHERE of_table = 'media'
            UNION SELECT name FROM erasures WHERE kind = 'media'"""
        return {row[0] for row in self._connections.rows(sql)}

    # --- moving --------------------------------------------------------------------------------------------------------

    def _refuse_at_work(self, trace_ids: Sequence[str]) -> None:
        for one in self._targets.learned(trace_ids):
            if one.is_at_work:
                raise Conflict(
                    f"the {one.kind} job {one.job_id} is {one.state} and holds {one.traces} of these traces; stop it, or wait "
                    "for its end, and delete again"
                )

    def _move(
        self, shape: Shape, deletion_id: str, batch: int, trace_ids: Sequence[str], chosen: Chosen, *, is_last: bool
    ) -> None:
        start: Rows = {"traces": shape.rows_with("traces", "id", trace_ids)}
        if is_last:
            start["media"] = shape.rows_with("media", "sha256", chosen.media)
            start["examples"] = shape.rows_with("examples", "number", chosen.examples)
        rows = shape.closure(start)
        if is_last and chosen.person is not None:
            for table, more in self._targets.of_person(shape, chosen.person).items():
                held = rows.setdefault(table, [])
                held += [row for row in more if row not in held]
        holders = ("trace_media", "example_media", "uploads")
        candidates = {row["sha256"] for table in holders for row in rows.get(table, ())}
        own = {row["author"] for row in rows.get("traces", ())} | {chosen.person}
        for reference, row in shape.letting_go(rows):
            self._change(shape, deletion_id, batch, reference.table, row, {reference.column: None})
        packed = take_out(self._connections, shape, {table: found for table, found in rows.items() if found})
        alone = [row for row in shape.rows_with("media", "sha256", candidates) if not _is_held(shape, row, own)]
        if alone:
            packed += take_out(self._connections, shape, shape.closure({"media": alone}))
        for one in packed:
            self._keep(deletion_id, batch, one.table, "taken", one.name, one.row)
        if is_last and chosen.person is not None:
            self._unsign(shape, deletion_id, batch, chosen.person)
        touched = {row["trace_id"] for table in ("reviews", "adjudications") for row in rows.get(table, ())}
        for trace_id in sorted(touched):
            self._derive_status(deletion_id, batch, trace_id)

    def _keep(self, deletion_id: str, batch: int, table: str, act: str, name: str, row: Any) -> None:
        self._connections.database().conn.execute(
            "INSERT INTO bin_rows (deletion_id, batch, of_table, act, name, row) VALUES (?, ?, ?, ?, ?, ?)",
            (deletion_id, batch, table, act, name, canonical_json(row)),
        )

    def _unsign(self, shape: Shape, deletion_id: str, batch: int, person: str) -> None:
        for table, column in _SIGNED.items():
            for row in shape.rows_with(table, column, [person]):
                self._change(shape, deletion_id, batch, table, row, {column: ""})

    def _change(
        self, shape: Shape, deletion_id: str, batch: int, table: str, row: Mapping[str, Any], after: dict[str, Any]
    ) -> None:
        """Changes a row that stays, and keeps what it said before."""
        key, before = {name: row[name] for name in shape.keys[table]}, {name: row[name] for name in after}
        self._keep(deletion_id, batch, table, "changed", "", {"key": key, "before": before, "after": after})
        self._set(table, key, after)

    def _derive_status(self, deletion_id: str, batch: int, trace_id: str) -> None:
        """The status of a trace that stays, from the reviews that are left; when it was touched before is kept."""
        sql = "SELECT updated_at FROM traces WHERE id = ?"
        before = self._connections.row(sql, (trace_id,))
        if before is None:
            return
        refresh_status(self._connections, trace_id)
        after = self._connections.row(sql, (trace_id,))
        assert after is not None
        change = {"key": {"id": trace_id}, "before": dict(before), "after": dict(after)}
        self._keep(deletion_id, batch, "traces", "changed", "", change)

    def _set(self, table: str, key: Mapping[str, Any], columns: Mapping[str, Any]) -> None:
        self._connections.database().conn.execute(
            f"UPDATE {table} SET {', '.join(f'{name} = ?' for name in columns)} WHERE {_equal(key)}",
            (*columns.values(), *key.values()),
        )

    # --- and back ------------------------------------------------------------------------------------------------------

    def _restore_batch(self, shape: Shape, deletion_id: str, batch: int) -> None:
        conn = self._connections.database().conn
        sql = "SELECT * FROM bin_rows WHERE deletion_id = ? AND batch = ? AND act = ? ORDER BY number"
        taken = self._connections.rows(sql, (deletion_id, batch, "taken"))
        returning = self._returning(shape, {row["number"]: _packed(row) for row in taken})
        put_back(self._connections, returning.values())
        derive_facts_of(self._connections, [one.name for one in returning.values() if one.table == "traces"])
        conn.executemany("DELETE FROM bin_rows WHERE number = ?", [(number,) for number in returning])
        for row in self._connections.rows(sql, (deletion_id, batch, "changed")):
            change, table = json.loads(row["row"]), row["of_table"]
            key: dict[str, Any] = change["key"]
            found = self._connections.row(f"SELECT * FROM {table} WHERE {_equal(key)}", tuple(key.values()))
            if found is None and table == "traces" and (other := self.deletion_of("traces", key["id"])) is not None:
                conn.execute("UPDATE bin_rows SET deletion_id = ? WHERE number = ?", (other, row["number"]))
                continue
            # What somebody has touched since stays as they left it.
            is_as_left = found is not None and all(found[name] == value for name, value in change["after"].items())
            if table == "traces":
                refresh_status(self._connections, key["id"])
            if is_as_left:
                self._set(table, key, change["before"])
            conn.execute("DELETE FROM bin_rows WHERE number = ?", (row["number"],))

    def _returning(self, shape: Shape, rows: dict[int, Packed]) -> dict[int, Packed]:
        """Those of `rows`, by their number in the bin, that have all they refer to: in the tables or among them. Media come
        along from another deletion; any other row joins what it waits for there, or is dropped where that is gone."""
        conn, returning = self._connections.database().conn, dict(rows)
        while True:
            names = {(one.table, one.name) for one in returning.values() if one.name}
            before = len(returning)
            for number, one in list(returning.items()):
                for reference in shape.of(one.table):
                    value = one.row[reference.column]
                    if value is None or (reference.parent, str(value)) in names or shape.is_there(reference, value):
                        continue
                    elsewhere = self._connections.row(
                        "SELECT * FROM bin_rows WHERE of_table = ? AND name = ? AND act = 'taken'",
                        (reference.parent, str(value)),
                    )
                    if elsewhere is not None and reference.parent == "media":
                        returning[elsewhere["number"]] = _packed(elsewhere)
                        names.add(("media", str(value)))
                        continue
                    del returning[number]
                    if elsewhere is None:
                        conn.execute("DELETE FROM bin_rows WHERE number = ?", (number,))
                    else:
                        conn.execute(
                            "UPDATE bin_rows SET deletion_id = ?, batch = ? WHERE number = ?",
                            (elsewhere["deletion_id"], elsewhere["batch"], number),
                        )
                    break
            if len(returning) == before:
                return returning

    def _deletions(self, condition: str, values: tuple[Any, ...] = ()) -> tuple[Deletion, ...]:
        rows = self._connections.rows(
            f"""SELECT d.*, total(b.of_table = 'traces') AS traces, total(b.of_table = 'revisions') AS revisions,
                total(b.of_table = 'media') AS media,
                (SELECT f.row FROM bin_rows f WHERE f.deletion_id = d.id AND f.of_table = 'traces' AND f.act = 'taken'
                    ORDER BY f.number LIMIT 1) AS first
            FROM deletions d LEFT JOIN bin_rows b ON b.deletion_id = d.id AND b.act = 'taken' {condition}
            GROUP BY d.number ORDER BY d.number DESC""",
            values,
        )
        return tuple(
            Deletion(
                row["id"],
                Target(row["kind"], tuple(json.loads(row["named"]))),
                row["author"],
                row["created_at"],
                row["emptied_at"],
                int(row["traces"]),
                int(row["revisions"]),
                int(row["media"]),
                _number_and_question(row["first"]),
            )
            for row in rows
        )


def _named(target: Target) -> str:
    return f"{target.kind} {', '.join(target.names[:3])}"


def _number_and_question(row: str | None) -> tuple[int, str] | None:
    values = json.loads(row) if row else None
    return None if values is None else (values["number"], values["question"])


def _equal(key: Mapping[str, Any]) -> str:
    """The condition for a row with this primary key."""
    return " AND ".join(f"{name} = ?" for name in key)


def _is_held(shape: Shape, medium: Mapping[str, Any], own: set[str | None]) -> bool:
    """Whether something is about a medium, or somebody else than `own` brought it."""
    return any(
        one.table != "uploads" or row["person"] not in own
        for one in shape.to("media")
        for row in shape.rows_with(one.table, one.column, [medium["sha256"]])
    )


def _packed(row: sqlite3.Row) -> Packed:
    return Packed(row["of_table"], row["name"], json.loads(row["row"]))
