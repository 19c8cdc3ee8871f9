"""Dossiers in the store: what leaves with a trace, and what is recorded of one that comes from elsewhere.

Not covered: drafts, reservations, assignments and what was done when (`engine.store.history`), which stay in the house;
files (`engine.exchange`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from engine.errors import InvalidInput
from engine.store.absent import absent, is_in_bin
from engine.store.connection import Connections
from engine.store.dossier import Blanked, Decided, Dossier, Preferred, Reviewed, Tagged, Version, Weighed
from engine.store.history import record_event
from engine.store.identity import canonical_json, new_id, now, revision_hash, storable
from engine.store.media import MediaRecords
from engine.store.packing import next_number
from engine.store.revisions import Revision, Revisions, example_key, refresh_status
from engine.store.traces import Traces
from engine.trace import Trace
from engine.trace_json import trace_to_json

__all__ = ["Dossiers", "first_hash"]


class Dossiers:
    def __init__(self, connections: Connections, media: MediaRecords, traces: Traces, revisions: Revisions) -> None:
        self._connections = connections
        self._media = media
        self._traces = traces
        self._revisions = revisions

    def get(self, trace_id: str, *, has_versions: bool = False) -> Dossier:
        """What is known of a trace, with its earlier versions where `has_versions`. Raises NotFound."""
        record = self._traces.get(trace_id)
        item = record.item
        head = self._revisions.get(record.head_id)
        return Dossier(
            trace=head.trace,
            example=record.example,
            id=item.id,
            number=item.number,
            status=item.status,
            author=item.author,
            policy_settings=record.policy_settings,
            score=item.score,
            confidence=item.confidence,
            group_id=item.group_id,
            names=tuple(self._name(medium.sha256) for medium in head.trace.media),
            revision=head.hash,
            revision_number=head.number,
            created_at=item.created_at,
            updated_at=item.updated_at,
            tags=self._tags(item.id),
            wanted=self._wanted(item.id),
            reviews=self._reviews(item.id),
            decisions=self._decisions(item.id),
            blanked=self._blanked(head.id),
            weighed=self._weighed(head.id),
            preferences=self._preferences(item.id),
            versions=_versions(self._revisions.list(item.id)) if has_versions else (),
        )

    def record(self, dossier: Dossier) -> bool:
        """Records a trace that comes from elsewhere, all or nothing; False, and nothing is recorded, where it is here already:
        under its id, or (where it has none) by what its first version says.

        With all versions every hash is derived again and must be what the dossier says. Without, the head becomes the
        first version, and verdicts on others are left out. Where and when it is recorded is here and this moment; versions,
        verdicts and tags keep their authors and times. A preference is recorded with whichever of its sides comes last.
        Raises InvalidInput where the dossier contradicts itself or what is here, IntegrityError for media likewise, NotFound
        for a trace that lies in the bin.
        """
        if dossier.id and not re.fullmatch("[0-9a-f]{32}", dossier.id):
            raise InvalidInput(f"the id of a trace is 32 hexadecimal digits, not {dossier.id[:80]!r}")
        with self._connections.write():
            if dossier.id and is_in_bin(self._connections, "traces", dossier.id):
                raise absent(self._connections, "traces", dossier.id)
            if self._is_here(dossier):
                return False
            versions = dossier.versions or (_only_version(dossier),)
            for medium, name in zip(dossier.trace.media, dossier.names, strict=False):
                self._media.record(medium, name)
            trace_id = self._record_versions(dossier, versions)
            # Verdicts on versions that did not come along have nothing to stand on.
            ids = {one.hash: one.id for one in self._revisions.list(trace_id)}
            if not dossier.versions:
                ids = {dossier.revision: self._traces.get(trace_id).head_id}
            self._record_verdicts(trace_id, dossier, ids)
            self._record_tags(trace_id, dossier)
            self._record_preferences(dossier)
            if dossier.reviews or dossier.decisions or dossier.wanted > 1 or len(versions) > 1:
                refresh_status(self._connections, trace_id)
            return True

    def _is_here(self, dossier: Dossier) -> bool:
        text = canonical_json(trace_to_json(dossier.trace))
        if not dossier.id:
            sql = (
                "SELECT 1 FROM traces t JOIN revisions r ON r.trace_id = t.id "
                "WHERE t.example_key = ? AND r.hash = ? AND r.parent_id IS NULL"
            )
            return self._connections.row(sql, (example_key(dossier.trace), revision_hash(None, text))) is not None
        if self._connections.row("SELECT 1 FROM traces WHERE id = ?", (dossier.id,)) is None:
            return False
        known = "SELECT 1 FROM revisions WHERE trace_id = ? AND trace_json = ?"
        if self._connections.row(known, (dossier.id, text)) is None:
            raise InvalidInput(
                f"the trace {dossier.id} is here already, and none of its versions says what this one says"
            )
        return True

    def _record_versions(self, dossier: Dossier, versions: tuple[Version, ...]) -> str:
        """Records the chain and sets its head; the trace's id."""
        first = versions[0]
        if first.parent is not None:
            raise InvalidInput(f"the first version changes another, {first.parent[:64]!r}, which is not there")
        record = self._traces.record(
            first.trace,
            author=first.author,
            example=replace(dossier.example, question=first.trace.question),
            policy_settings=dossier.policy_settings,
            score=dossier.score,
            confidence=dossier.confidence,
            group_id=dossier.group_id,
            id=dossier.id or None,
            written_at=first.created_at or None,
        )
        saved = {self._revisions.get(record.head_id).hash: self._revisions.get(record.head_id)}
        for one in versions[1:]:
            parent = saved.get(one.parent or "")
            if parent is None or one.trace.media != first.trace.media:
                raise InvalidInput(f"version {one.number} changes none of those before it")
            revision = self._revisions.insert(record.id, one.trace, one.author, parent.id, parent.hash, one.created_at)
            saved[revision.hash] = revision
        if dossier.revision and (dossier.versions or dossier.revision_number == 1):
            said = {one.hash for one in versions} | {dossier.revision}
            if wrong := said - set(saved):
                raise InvalidInput(f"no version has the hash {min(wrong)[:64]!r}: what it says was changed on the way")
        head = saved.get(dossier.revision)
        if head is not None and head.trace != dossier.trace:
            raise InvalidInput("the trace is not what its latest version says")
        if head is not None and head.parent_id is not None:
            self._revisions.set_head(head, {"score": dossier.score})
        return record.id

    def _record_verdicts(self, trace_id: str, dossier: Dossier, ids: Mapping[str, str]) -> None:
        conn = self._connections.database().conn
        conn.executemany(
            "INSERT INTO reviews (number, id, trace_id, revision_id, reviewer, verdict, reason, created_at) "
            f"VALUES ({next_number('reviews')}, ?, ?, ?, ?, ?, ?, ?)",
            [
                (new_id(), trace_id, ids[one.revision], *_stored(one.reviewer, one.verdict, one.reason, one.created_at))
                for one in dossier.reviews
                if one.revision in ids
            ],
        )
        if dossier.wanted > 1:
            conn.execute(
                "INSERT INTO review_rounds (trace_id, wanted, author, created_at) VALUES (?, ?, ?, ?)",
                (trace_id, dossier.wanted, storable(dossier.author), now()),
            )
        conn.executemany(
            "INSERT INTO adjudications (number, id, trace_id, revision_id, author, verdict, reason, created_at) "
            f"VALUES ({next_number('adjudications')}, ?, ?, ?, ?, ?, ?, ?)",
            [
                (new_id(), trace_id, ids[one.revision], *_stored(one.author, one.verdict, one.reason, one.created_at))
                for one in dossier.decisions
                if one.revision in ids
            ],
        )
        head_id = self._traces.get(trace_id).head_id
        conn.executemany(
            "INSERT INTO blank_checks VALUES (?, ?, ?, ?, ?, ?)",
            [(head_id, b.step, b.answer, b.expected, int(b.is_changed), b.created_at) for b in dossier.blanked],
        )
        conn.executemany(
            "INSERT INTO look_worths VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (head_id, one.step, one.answer, one.before, one.after, one.policy, one.created_at)
                for one in dossier.weighed
            ],
        )

    def _record_tags(self, trace_id: str, dossier: Dossier) -> None:
        for one in dossier.tags:
            self._connections.database().conn.execute(
                "INSERT OR IGNORE INTO trace_tags VALUES (?, ?, ?, ?)",
                (trace_id, *_stored(one.tag, one.author, one.created_at)),
            )
            record_event(self._connections, trace_id, one.author, "tagged", one.tag, one.created_at or None)

    def _record_preferences(self, dossier: Dossier) -> None:
        for one in dossier.preferences:
            sides = [self._side(*side) for side in (one.chosen, one.rejected)]
            is_known = self._connections.row("SELECT 1 FROM preferences WHERE id = ?", (one.id,)) is not None
            if is_known or None in sides:
                continue
            self._connections.database().conn.execute(
                "INSERT INTO preferences (number, id, chosen_id, rejected_id, is_tie, author, reason, created_at) "
                f"VALUES ({next_number('preferences')}, ?, ?, ?, ?, ?, ?, ?)",
                (one.id, *sides, int(one.is_tie), *_stored(one.author, one.reason, one.created_at)),
            )

    def _side(self, trace_id: str, revision: str) -> str | None:
        row = self._connections.row("SELECT id FROM revisions WHERE trace_id = ? AND hash = ?", (trace_id, revision))
        return None if row is None else row["id"]

    def _name(self, sha256: str) -> str:
        row = self._connections.row("SELECT name FROM media WHERE sha256 = ?", (sha256,))
        return "" if row is None else row["name"]

    def _tags(self, trace_id: str) -> tuple[Tagged, ...]:
        sql = "SELECT tag, author, created_at FROM trace_tags WHERE trace_id = ? ORDER BY tag"
        return tuple(Tagged(*row) for row in self._connections.rows(sql, (trace_id,)))

    def _wanted(self, trace_id: str) -> int:
        row = self._connections.row("SELECT wanted FROM review_rounds WHERE trace_id = ?", (trace_id,))
        return 1 if row is None else row["wanted"]

    def _reviews(self, trace_id: str) -> tuple[Reviewed, ...]:
        sql = (
            "SELECT r.hash, v.reviewer, v.verdict, v.reason, v.created_at FROM reviews v "
            "JOIN revisions r ON r.id = v.revision_id WHERE v.trace_id = ? AND v.undone_at IS NULL ORDER BY v.number"
        )
        return tuple(Reviewed(*row) for row in self._connections.rows(sql, (trace_id,)))

    def _decisions(self, trace_id: str) -> tuple[Decided, ...]:
        sql = (
            "SELECT r.hash, a.author, a.verdict, a.reason, a.created_at FROM adjudications a "
            "JOIN revisions r ON r.id = a.revision_id WHERE a.trace_id = ? ORDER BY a.number"
        )
        return tuple(Decided(*row) for row in self._connections.rows(sql, (trace_id,)))

    def _blanked(self, revision_id: str) -> tuple[Blanked, ...]:
        sql = "SELECT step, answer, expected, is_changed, created_at FROM blank_checks WHERE revision_id = ? ORDER BY step"
        rows = self._connections.rows(sql, (revision_id,))
        return tuple(
            Blanked(r["step"], r["answer"], r["expected"], bool(r["is_changed"]), r["created_at"]) for r in rows
        )

    def _weighed(self, revision_id: str) -> tuple[Weighed, ...]:
        sql = "SELECT step, answer, before, after, policy, created_at FROM look_worths WHERE revision_id = ? ORDER BY step"
        return tuple(Weighed(*row) for row in self._connections.rows(sql, (revision_id,)))

    def _preferences(self, trace_id: str) -> tuple[Preferred, ...]:
        mine = "(SELECT id FROM revisions WHERE trace_id = :id)"
        rows = self._connections.rows(
            f"""SELECT p.*, c.trace_id AS chosen_trace, c.hash AS chosen, r.trace_id AS rejected_trace, r.hash AS rejected
            FROM preferences p JOIN revisions c ON c.id = p.chosen_id JOIN revisions r ON r.id = p.rejected_id
            WHERE p.undone_at IS NULL AND p.number IN (
                SELECT number FROM preferences WHERE chosen_id IN {mine}
                UNION SELECT number FROM preferences WHERE rejected_id IN {mine}) ORDER BY p.number""",
            {"id": trace_id},
        )
        return tuple(
            Preferred(
                row["id"],
                (row["chosen_trace"], row["chosen"]),
                (row["rejected_trace"], row["rejected"]),
                bool(row["is_tie"]),
                row["author"],
                row["reason"],
                row["created_at"],
            )
            for row in rows
        )


def _versions(revisions: list[Revision]) -> tuple[Version, ...]:
    hashes = {revision.id: revision.hash for revision in revisions}
    return tuple(
        Version(one.hash, hashes.get(one.parent_id or ""), one.number, one.author, one.created_at, one.trace)
        for one in revisions
    )


def first_hash(trace: Trace) -> str:
    """The hash that a trace has as a first version."""
    return revision_hash(None, canonical_json(trace_to_json(trace)))


def _only_version(dossier: Dossier) -> Version:
    return Version(dossier.revision, None, 1, dossier.author, "", dossier.trace)


def _stored(*texts: str) -> tuple[str, ...]:
    """As columns hold them; the last is a moment, this one where none was told."""
    *said, moment = texts
    return *map(storable, said), moment or now()
