"""What a person asks to delete, and what that would take.

- a trace goes with all its revisions, reviews, drafts, tags, history, and every preference that names one of its revisions;
- media go with the last trace or imported example that is about them, unless somebody else brought them too; a picture that
  is deleted takes every trace and every imported example that is about it along. An example stays where only an attempt at
  it is deleted;
- a person's traces are those that they recorded and those with a version of theirs: a version holds the whole trace, and
  what others saved upon it holds their words too. Of other traces go their reviews, tags, drafts, assignments, preferences
  and what the history says of them;
- "before" a date are the traces and examples that were recorded before that day (UTC), and the media that came in before it
  and that nothing is about.

Not covered: taking it (`engine.store.bin`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from engine.errors import InvalidInput
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.identity import storable
from engine.store.packing import Rows, Shape

__all__ = ["Chosen", "DeletionKind", "DeletionPlan", "LearnedFrom", "Target", "Targets", "target_of"]

DeletionKind = Literal["trace", "picture", "person", "before"]

_AT_WORK = ("queued", "running", "stopping", "interrupted")

_OF_PERSON = {
    "reviews": "reviewer = :person",
    "adjudications": "author = :person",
    "preferences": "author = :person",
    "bulk_actions": "author = :person",
    "drafts": "author = :person",
    "trace_tags": "author = :person",
    "assignments": "person = :person OR author = :person",
    "reservations": "holder = :person",
    "trace_events": "who = :person OR (kind IN ('assigned', 'unassigned') AND detail = :person)",
    "saved_views": "owner = :person",
    "uploads": "person = :person",
}
"""What a person did, beside traces and their versions."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be deleted: traces by id, pictures or clips by SHA-256, one person by the name that their work is recorded
    under, or what came before a day, "2026-11-23" (`target_of` checks them)."""

    kind: DeletionKind
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LearnedFrom:
    """A job that has some of the traces, and the names of the adapters that it made of them."""

    job_id: str
    kind: str
    state: str
    adapters: tuple[str, ...]
    traces: int

    @property
    def is_at_work(self) -> bool:
        """Queued, in a worker's hands, or taken up again at the next start."""
        return self.state in _AT_WORK


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """What would go: counts, the media by SHA-256, and what learned from it. `reviews` and `drafts` count those of the traces
    and, of a person, theirs of other traces (`other_traces` of them)."""

    traces: int
    revisions: int
    reviews: int
    drafts: int
    preferences: int
    other_traces: int
    examples: int
    data_sets: tuple[str, ...]
    media: tuple[str, ...]
    learned: tuple[LearnedFrom, ...]

    @property
    def is_empty(self) -> bool:
        counts = (self.traces, self.reviews, self.drafts, self.preferences, self.other_traces, self.examples)
        return not (any(counts) or self.media)

    @property
    def at_work(self) -> tuple[LearnedFrom, ...]:
        """The jobs for which the deletion is refused."""
        return tuple(one for one in self.learned if one.is_at_work)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The records that a target means; `person` is set where their acts on other traces are meant too."""

    trace_ids: tuple[str, ...]
    media: tuple[str, ...] = ()
    examples: tuple[int, ...] = ()
    person: str | None = None


class Targets:
    """Reads only; for the bin."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def plan(self, target: Target) -> DeletionPlan:
        """What `put` would take. Raises NotFound, InvalidInput."""
        chosen, shape = self.chosen(target), Shape(self._connections)
        ids = (json.dumps(chosen.trace_ids),)
        among = "trace_id IN (SELECT value FROM json_each(?))"

        def count(sql: str) -> int:
            return int(self._connections.rows(sql, ids)[0][0])

        own = {} if chosen.person is None else self.of_person(shape, chosen.person)
        others = {
            table: [row for row in rows if row.get("trace_id") not in set(chosen.trace_ids)]
            for table, rows in own.items()
        }
        revisions = f"SELECT id FROM revisions WHERE {among}"
        preferences = self._connections.rows(
            f"WITH gone AS ({revisions}) SELECT id FROM preferences WHERE chosen_id IN gone OR rejected_id IN gone", ids
        )
        return DeletionPlan(
            traces=len(chosen.trace_ids),
            revisions=count(f"SELECT count(*) FROM revisions WHERE {among}"),
            reviews=count(f"SELECT count(*) FROM reviews WHERE {among}") + len(others.get("reviews", ())),
            drafts=count(f"SELECT count(*) FROM drafts WHERE {among}") + len(others.get("drafts", ())),
            preferences=len({row["id"] for row in preferences} | {row["id"] for row in own.get("preferences", ())}),
            other_traces=len({row["trace_id"] for rows in others.values() for row in rows if "trace_id" in row}),
            examples=len(chosen.examples),
            data_sets=self._column(
                "SELECT DISTINCT data_set FROM examples WHERE number IN (SELECT value FROM json_each(?)) ORDER BY 1",
                (json.dumps(chosen.examples),),
            ),
            media=self._left_alone(shape, chosen),
            learned=self.learned(chosen.trace_ids),
        )

    def chosen(self, target: Target) -> Chosen:
        ids = (json.dumps(target.names),)
        if target.kind == "trace":
            rows = self._connections.rows("SELECT id FROM traces WHERE id IN (SELECT value FROM json_each(?))", ids)
            if missing := set(target.names) - {row["id"] for row in rows}:
                raise absent(self._connections, "traces", min(missing))
            return Chosen(tuple(dict.fromkeys(target.names)))
        if target.kind == "picture":
            known = self._connections.rows(
                "SELECT sha256 FROM media WHERE sha256 IN (SELECT value FROM json_each(?))", ids
            )
            if missing := set(target.names) - {row["sha256"] for row in known}:
                raise absent(self._connections, "media", min(missing))
            sql = """SELECT DISTINCT t.id FROM trace_media m JOIN traces t ON t.id = m.trace_id
                WHERE m.sha256 IN (SELECT value FROM json_each(?)) ORDER BY t.number"""
            asked = "SELECT DISTINCT example_number FROM example_media WHERE sha256 IN (SELECT value FROM json_each(?))"
            return Chosen(self._column(sql, ids), tuple(dict.fromkeys(target.names)), self._column(asked, ids))
        [name] = target.names
        if target.kind == "person":
            sql = """SELECT t.id FROM traces t WHERE t.author = :person OR t.id IN
                (SELECT trace_id FROM revisions WHERE author = :person) ORDER BY t.number"""
            return Chosen(self._column(sql, (name,)), person=name)
        alone = " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM {one.table} x WHERE x.{one.column} = m.sha256)"
            for one in Shape(self._connections).to("media")
            if one.table != "uploads"
        )
        return Chosen(
            self._column("SELECT id FROM traces WHERE created_at < ? ORDER BY number", (name,)),
            self._column(f"SELECT sha256 FROM media m WHERE created_at < ? AND {alone}", (name,)),
            self._column("SELECT number FROM examples WHERE created_at < ?", (name,)),
        )

    def _column(self, sql: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(row[0] for row in self._connections.rows(sql, values))

    def of_person(self, shape: Shape, person: str) -> Rows:
        """What a person did, with what refers to it."""
        found: Rows = {}
        for table, condition in _OF_PERSON.items():
            rows = self._connections.rows(f"SELECT * FROM {table} WHERE {condition}", {"person": person})
            found[table] = [dict(row) for row in rows]
        return shape.closure(found)

    def _left_alone(self, shape: Shape, chosen: Chosen) -> tuple[str, ...]:
        """The media that go: those that were named, and those that nothing but the chosen records refers to."""
        going = {"traces": "id", "trace_media": "trace_id", "example_media": "example_number"}
        among = {"id": ":traces", "trace_id": ":traces", "example_number": ":examples"}
        # Whoever else brought it may still ask about it.
        held = [
            """EXISTS (SELECT 1 FROM uploads x WHERE x.sha256 = m.sha256 AND x.person IS NOT :person AND x.person NOT IN
                (SELECT author FROM traces WHERE id IN (SELECT value FROM json_each(:traces))))"""
        ]
        for one in shape.to("media"):
            if one.table == "uploads":
                continue
            of = going.get(one.table)
            rest = f" AND x.{of} NOT IN (SELECT value FROM json_each({among[of]}))" if of else ""
            held.append(f"EXISTS (SELECT 1 FROM {one.table} x WHERE x.{one.column} = m.sha256{rest})")
        sql = f"""SELECT m.sha256 FROM media m WHERE NOT ({" OR ".join(held)}) AND m.sha256 IN
            (SELECT sha256 FROM trace_media WHERE trace_id IN (SELECT value FROM json_each(:traces))
             UNION SELECT sha256 FROM example_media WHERE example_number IN (SELECT value FROM json_each(:examples))
             UNION SELECT sha256 FROM uploads WHERE person = :person)"""
        values = {
            "traces": json.dumps(chosen.trace_ids),
            "examples": json.dumps(chosen.examples),
            "person": chosen.person,
        }
        alone = [row["sha256"] for row in self._connections.rows(sql, values)]
        return tuple(dict.fromkeys([*chosen.media, *alone]))

    def learned(self, trace_ids: Iterable[str]) -> tuple[LearnedFrom, ...]:
        rows = self._connections.rows(
            """SELECT j.id, j.kind, j.state, count(DISTINCT r.trace_id) AS n,
                (SELECT group_concat(a.name, char(31)) FROM adapters a WHERE a.job_id = j.id) AS adapters
            FROM json_each(?) w JOIN revisions r ON r.trace_id = w.value JOIN job_revisions x ON x.revision_id = r.id
            JOIN jobs j ON j.id = x.job_id GROUP BY j.id ORDER BY j.number""",
            (json.dumps(list(trace_ids)),),
        )
        return tuple(
            LearnedFrom(
                row["id"],
                row["kind"],
                row["state"],
                tuple((row["adapters"] or "").split("\x1f") if row["adapters"] else ()),
                row["n"],
            )
            for row in rows
        )


def target_of(kind: str, names: Sequence[str]) -> Target:
    """What a person asked to delete. Raises InvalidInput for what cannot be meant."""
    if kind not in get_args(DeletionKind):
        raise InvalidInput(f"what is deleted is one of {', '.join(get_args(DeletionKind))}, not {kind!r}")
    if not names or not all(names) or (kind in ("person", "before") and len(names) > 1):
        raise InvalidInput(f"say which {kind} is to be deleted")
    if kind == "before" and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", names[0]):
        raise InvalidInput(f"a date is written as 2026-11-23, not {names[0]!r}")
    return Target(kind, tuple(storable(name) for name in names))  # type: ignore[arg-type]
