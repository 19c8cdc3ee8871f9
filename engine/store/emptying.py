"""Emptying the bin: what was deleted is gone, but for a tombstone of each revision.

    rows in the bin  ->  tombstones                            one transaction for each batch
    files            ->  erased by `engine.upkeep`, from the list that `erasures` holds
    database file    ->  index merged, file written anew, journal cut to nothing (`compact`)

The idea: deleting a row marks its bytes as free and leaves them where they are, in the file, in its journal, and in the
segments of the full-text index. So the file is written anew. What is still to be erased is itself in the database until it
is: after a crash between any two steps `verify` names it, and emptying again finishes.

A tombstone has a revision's id, number and hash and its parent's hash, when it was deleted and by whom; with these the
chain of a trace still verifies, and jobs say how many traces they learned from that are no more.

Not covered: copies elsewhere: exports, backups, pictures that a browser keeps, weights that were learned from them.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from engine.store.connection import Connections
from engine.store.identity import canonical_json, now
from engine.store.packing import Shape

__all__ = ["Emptied", "Emptying", "Erasure"]


@dataclass(frozen=True, slots=True)
class Erasure:
    """Something that has to go with deleted rows: the files of a medium (`name` is its SHA-256), what a job keeps of its
    traces (`name` is its id), or the free pages of the database."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Emptied:
    """What is gone for good."""

    deletions: int
    traces: int
    revisions: int
    media: int


class Emptying:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def empty(self, deletion_ids: Collection[str] | None = None) -> Emptied:
        """Turns what those deletions took (None: all) into tombstones and erasures. The erasures are still to be done."""
        shape = Shape(self._connections)
        waiting = self._connections.rows("SELECT id, created_at, author FROM deletions WHERE emptied_at IS NULL")
        chosen = [row for row in waiting if deletion_ids is None or row["id"] in deletion_ids]
        traces = revisions = media = 0
        for deletion in chosen:
            sql = "SELECT DISTINCT batch FROM bin_rows WHERE deletion_id = ? ORDER BY batch"
            for row in self._connections.rows(sql, (deletion["id"],)):
                with self._connections.write():
                    counts = self._empty_batch(
                        shape, deletion["id"], row["batch"], deletion["created_at"], deletion["author"]
                    )
                traces, revisions, media = traces + counts[0], revisions + counts[1], media + counts[2]
            with self._connections.write() as db:
                db.conn.execute(
                    "UPDATE deletions SET emptied_at = ?, named = '[]' WHERE id = ?", (now(), deletion["id"])
                )
        with self._connections.write():
            self._drop_orphans(shape)
        return Emptied(len(chosen), traces, revisions, media)

    def erasures(self) -> list[Erasure]:
        """What is still to be erased, files first."""
        rows = self._connections.rows("SELECT kind, name FROM erasures ORDER BY kind = 'database', kind, name")
        return [Erasure(row["kind"], row["name"]) for row in rows]

    def erased(self, erasure: Erasure) -> None:
        """Strikes it off the list."""
        with self._connections.write() as db:
            db.conn.execute("DELETE FROM erasures WHERE kind = ? AND name = ?", (erasure.kind, erasure.name))

    def compact(self) -> None:
        """Writes the database anew without what was deleted from it. Raises Unavailable while others are reading it."""
        with self._connections.write() as db:
            db.conn.execute("DELETE FROM example_answers WHERE n <= 0")
            db.conn.execute("DELETE FROM example_groups WHERE n <= 0")
            # A deleted row stays in the index's segments until they are merged.
            db.conn.execute("INSERT INTO trace_search (trace_search) VALUES ('optimize')")
        self._connections.compact()

    # --- inside --------------------------------------------------------------------------------------------------------

    def _empty_batch(
        self, shape: Shape, deletion_id: str, batch: int, deleted_at: str, deleted_by: str
    ) -> tuple[int, int, int]:
        conn, here = self._connections.database().conn, (deletion_id, batch)
        sql = (
            "SELECT of_table, row FROM bin_rows WHERE deletion_id = ? AND batch = ? AND act = 'taken' AND of_table IN "
        )
        found = [(r["of_table"], json.loads(r["row"])) for r in self._connections.rows(
            sql + "('traces', 'revisions', 'job_revisions', 'media')", here
        )]  # fmt: skip
        of = {table: [row for name, row in found if name == table] for table, _ in found}
        hashes = {row["id"]: row["hash"] for row in of.get("revisions", ())}
        conn.executemany(
            "INSERT INTO revision_tombstones VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (r["id"], r["trace_id"], r["number"], r["hash"], hashes.get(r["parent_id"]), deleted_at, deleted_by)
                for r in of.get("revisions", ())
            ],
        )
        snapshots = of.get("job_revisions", ())
        conn.executemany(
            "INSERT INTO job_tombstones VALUES (?, ?, ?)",
            [(row["job_id"], row["position"], row["revision_id"]) for row in snapshots],
        )
        jobs = {row["job_id"] for row in snapshots}
        media = [row["sha256"] for row in of.get("media", ()) if not self._is_wanted(shape, row["sha256"], here)]
        self._forget_in_jobs(jobs, set(hashes), media)
        self._forget_attempted({row["example_key"] for row in of.get("traces", ())})
        conn.execute("DELETE FROM bin_rows WHERE deletion_id = ? AND batch = ?", here)
        erasures = [("media", one) for one in media] + [("job", one) for one in jobs] + [("database", "")]
        conn.executemany("INSERT OR IGNORE INTO erasures VALUES (?, ?)", erasures)
        return len(of.get("traces", ())), len(hashes), len(media)

    def _is_wanted(self, shape: Shape, sha256: str, here: tuple[str, int]) -> bool:
        """Whether a medium must stay: it came in again, or a trace in another deletion is about it; its row then waits
        there."""
        if self._connections.row("SELECT 1 FROM media WHERE sha256 = ?", (sha256,)) is not None:
            return True
        for one in shape.to("media"):
            other = self._connections.row(
                f"SELECT deletion_id, batch FROM bin_rows WHERE of_table = ? AND json_extract(row, '$.{one.column}') = ? "
                "AND act = 'taken' AND (deletion_id, batch) <> (?, ?)",
                (one.table, sha256, *here),
            )
            if other is not None:
                self._connections.database().conn.execute(
                    "UPDATE bin_rows SET deletion_id = ?, batch = ? WHERE of_table = 'media' AND name = ?",
                    (other["deletion_id"], other["batch"], sha256),
                )
                return True
        return False

    def _forget_in_jobs(self, jobs: Collection[str], revision_ids: Collection[str], media: Collection[str]) -> None:
        """What jobs have said of the traces that are gone."""
        conn = self._connections.database().conn
        conn.execute(
            "DELETE FROM job_events WHERE kind IN ('rollouts', 'error') AND job_id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(jobs)),),
        )
        if media:
            conn.execute(
                "DELETE FROM job_events WHERE kind = 'rollouts' AND json_extract(data, '$.media.sha256') IN "
                "(SELECT value FROM json_each(?))",
                (json.dumps(list(media)),),
            )
        for row in self._connections.rows(
            "SELECT id, config FROM jobs WHERE json_extract(config, '$.left_out[0]') IS NOT NULL"
        ):
            config = json.loads(row["config"])
            kept = [one for one in config["left_out"] if one.get("revision") not in revision_ids]
            if kept != config["left_out"]:
                config["left_out"] = kept
                conn.execute("UPDATE jobs SET config = ? WHERE id = ?", (canonical_json(config), row["id"]))

    def _forget_attempted(self, example_keys: Collection[str]) -> None:
        """What jobs noted of examples that no trace is an attempt at any more; their numbers stay."""
        self._connections.database().conn.execute(
            "UPDATE attempted_examples SET category = NULL, difficulty = NULL WHERE example_key IN "
            "(SELECT value FROM json_each(?)) AND NOT EXISTS "
            "(SELECT 1 FROM traces t WHERE t.example_key = attempted_examples.example_key)",
            (json.dumps(sorted(example_keys)),),
        )

    def _drop_orphans(self, shape: Shape) -> None:
        """Rows of other deletions that wait for something that is gone."""
        while True:
            gone = []
            for row in self._connections.rows(
                "SELECT number, of_table, row FROM bin_rows WHERE act = 'taken' "
                "AND of_table NOT IN ('traces', 'revisions', 'media')"
            ):
                values = json.loads(row["row"])
                for one in shape.of(row["of_table"]):
                    value = values[one.column]
                    if value is None or shape.is_there(one, value):
                        continue
                    sql = "SELECT 1 FROM bin_rows WHERE of_table = ? AND name = ? AND act = 'taken'"
                    if self._connections.row(sql, (one.parent, str(value))) is None:
                        gone.append((row["number"],))
                        break
            if not gone:
                return
            self._connections.database().conn.executemany("DELETE FROM bin_rows WHERE number = ?", gone)
