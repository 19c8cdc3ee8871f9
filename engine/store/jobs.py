"""Jobs: background work with a state, an owner that shows it is alive, and events that a page can follow.

    queued ──> running ──> done | failed
      │ ^         │  └──> stopping ──> stopped (or done | failed, where the end came first)
      │ │         └──> interrupted   (its process died; running again after `claim`)
      │ └── stopped | failed | interrupted     (asked for again: it goes on from its last checkpoint)
      └──> stopped

Invariants:
- a state changes only along these arrows, checked under the write lock, so two workers cannot claim one job;
- a job's configuration, seeds, versions and revisions are what they were when it was created;
- events only grow, with ids that only grow, so `events(job, after_id)` misses nothing;
- a stop request is a state in the database: any process can ask, and any worker sees it.

Not covered: the work itself and its checkpoints (`engine.jobs`), `done` jobs run again (create a new one).
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from engine.errors import Conflict, NotFound
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.identity import canonical_json, new_id, now, storable
from engine.store.owners import Owner, this_process

__all__ = ["JOB_STATES", "TRANSITIONS", "JobEvent", "Job", "JobState", "Jobs"]

JobState = Literal["queued", "running", "stopping", "stopped", "done", "failed", "interrupted"]
JOB_STATES: tuple[JobState, ...] = get_args(JobState)

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    "queued": frozenset({"running", "stopped", "failed"}),
    "running": frozenset({"stopping", "stopped", "done", "failed", "interrupted"}),
    "stopping": frozenset({"stopped", "done", "failed", "interrupted"}),
    "stopped": frozenset({"queued"}),
    "failed": frozenset({"queued"}),
    "interrupted": frozenset({"queued", "running", "stopped", "failed"}),
    "done": frozenset(),
}
"""From each state, the states that may follow."""


@dataclass(frozen=True, slots=True)
class Job:
    """`progress` is in [0, 1]; `seeds`, `config` and `versions` are plain JSON; `revision_count` is how
    many revisions it depends on (`Jobs.revision_ids` names them); `owner` the process that runs or ran it; `heartbeat_at`
    in seconds since 1970."""

    id: str
    kind: str
    state: JobState
    message: str
    progress: float
    config: dict[str, Any]
    seeds: Any
    versions: dict[str, str]
    revision_count: int
    owner: Owner | None
    heartbeat_at: float | None
    created_at: str
    updated_at: str
    started_at: str | None
    finished_at: str | None

    @property
    def is_active(self) -> bool:
        """Queued or in a worker's hands."""
        return self.state in ("queued", "running", "stopping")


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that a job said: `kind` "metric" holds numbers by name in `data`, "log" a text; `step` is the optimiser
    step, where there is one."""

    id: int
    job_id: str
    step: int | None
    kind: str
    data: dict[str, Any]
    created_at: str


class Jobs:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def create(
        self,
        kind: str,
        config: Mapping[str, Any],
        seeds: Any,
        versions: Mapping[str, str],
        revision_ids: Sequence[str] = (),
    ) -> Job:
        """Queues a job. Raises NotFound for an unknown revision."""
        job_id, moment = new_id(), now()
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT INTO jobs (id, kind, state, config, seeds, versions, created_at, updated_at, revision_count) "
                "VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
                (
                    job_id,
                    kind,
                    canonical_json(dict(config)),
                    canonical_json(seeds),
                    canonical_json(dict(versions)),
                    moment,
                    moment,
                    len(revision_ids),
                ),
            )
            for position, revision_id in enumerate(revision_ids):
                if self._connections.row("SELECT 1 FROM revisions WHERE id = ?", (revision_id,)) is None:
                    raise absent(self._connections, "revisions", revision_id)
                db.conn.execute("INSERT INTO job_revisions VALUES (?, ?, ?)", (job_id, position, revision_id))
            return self.get(job_id)

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        row = self._connections.row("SELECT * FROM jobs WHERE id = ?", (job_id,))
        if row is None:
            raise NotFound(f"there is no job {job_id!r} in the store")
        return _job(row)

    def revision_ids(self, job_id: str) -> tuple[str, ...]:
        """The revisions that a job depends on, in order."""
        sql = "SELECT revision_id FROM job_revisions WHERE job_id = ? ORDER BY position"
        return tuple(row[0] for row in self._connections.rows(sql, (job_id,)))

    def claim(self, job_id: str | None = None, *, except_kinds: Collection[str] = ()) -> Job | None:
        """Takes the oldest queued job whose kind is none of `except_kinds`, or the named one if it is queued or
        interrupted, and sets it running in this process; None where there is nothing to take."""
        # A worker asks every few seconds: that takes no write lock while nobody waits.
        if job_id is None and self._connections.row("SELECT 1 FROM jobs WHERE state = 'queued'") is None:
            return None
        with self._connections.write():
            row = self._connections.row(
                "SELECT id FROM jobs WHERE state = 'queued' AND kind NOT IN (SELECT value FROM json_each(?)) "
                "ORDER BY number LIMIT 1"
                if job_id is None
                else "SELECT id FROM jobs WHERE id = ? AND state IN ('queued', 'interrupted')",
                (json.dumps(list(except_kinds)),) if job_id is None else (job_id,),
            )
            return None if row is None else self.set_state(row["id"], "running")

    def set_state(self, job_id: str, state: JobState, message: str = "") -> Job:
        """Moves a job to `state` along an arrow of the picture above, with a sentence for people.

        Raises Conflict where no arrow leads there, NotFound, ValueError for a state that does not exist.
        """
        if state not in JOB_STATES:
            raise ValueError(f"the job state {state!r} is none of {', '.join(JOB_STATES)}")
        with self._connections.write() as db:
            job = self.get(job_id)
            if state not in TRANSITIONS[job.state]:
                raise Conflict(f"a job that is {job.state} cannot become {state}; reload to see where it stands")
            moment = now()
            changes: dict[str, Any] = {"state": state, "message": storable(message), "updated_at": moment}
            if state == "running":
                changes |= {"owner": this_process().as_text(), "heartbeat_at": time.time(), "finished_at": None}
                changes |= {"started_at": job.started_at or moment}
            elif state in ("stopped", "done", "failed", "interrupted"):
                changes |= {"finished_at": moment}
            elif state == "queued":
                changes |= {"owner": None, "heartbeat_at": None, "finished_at": None}
            if state == "done":
                changes |= {"progress": 1.0}
            assignments = ", ".join(f"{name} = :{name}" for name in changes)
            db.conn.execute(f"UPDATE jobs SET {assignments} WHERE id = :id", changes | {"id": job_id})
            return self.get(job_id)

    def heartbeat(self, job_id: str, progress: float | None = None, message: str | None = None) -> None:
        """Says that the worker lives, and how far it is (`progress` in [0, 1])."""
        if progress is not None and not 0 <= progress <= 1:
            raise ValueError(f"progress is from 0 to 1, not {progress!r}")
        text = None if message is None else storable(message)
        with self._connections.write() as db:
            db.conn.execute(
                "UPDATE jobs SET heartbeat_at = ?, updated_at = ?, progress = coalesce(?, progress), "
                "message = coalesce(?, message) WHERE id = ? AND state IN ('running', 'stopping')",
                (time.time(), now(), progress, text, job_id),
            )

    def request_stop(self, job_id: str, message: str = "") -> Job:
        """Asks a running job to stop and takes a queued one out of the queue; any other job stays as it is."""
        with self._connections.write():
            job = self.get(job_id)
            if job.state == "running":
                return self.set_state(job_id, "stopping", message)
            return self.set_state(job_id, "stopped", message) if job.state == "queued" else job

    def is_stop_requested(self, job_id: str) -> bool:
        """Whether the worker that runs this job should end: someone asked, or the job is no longer its own (another
        process declared it interrupted)."""
        row = self._connections.row("SELECT state, owner FROM jobs WHERE id = ?", (job_id,))
        return row is None or row["state"] != "running" or row["owner"] != this_process().as_text()

    def recover(self, stale_after_s: float = 120.0, *, is_own_worker_idle: bool = False) -> list[Job]:
        """Marks running jobs whose process is dead as interrupted, and returns them, so that a worker can go on with
        them by `claim(job.id)`.

        A process on this machine is dead when the system says so; of any other the last heartbeat decides, which must
        be younger than `stale_after_s`. `is_own_worker_idle` says that nothing runs in this process yet, so what it
        seems to run is left over from a worker that ended without a word.
        """
        here, lost = this_process(), []
        with self._connections.write():
            for row in self._connections.rows(
                "SELECT id, owner, heartbeat_at FROM jobs WHERE state IN ('running', 'stopping') ORDER BY number"
            ):
                owner = _owner(row["owner"])
                is_alive = None if owner is None else owner.is_alive()
                if owner == here:
                    is_alive = not is_own_worker_idle
                if is_alive is None:
                    is_alive = time.time() - (row["heartbeat_at"] or 0) < stale_after_s
                if not is_alive:
                    lost.append(self.set_state(row["id"], "interrupted", "its process ended before the job did"))
        return lost

    def add_event(self, job_id: str, step: int | None, kind: str, data: Mapping[str, Any]) -> int:
        """Adds an event and returns its id. Numbers that JSON does not have (NaN, infinities) become null."""
        with self._connections.write() as db:
            cursor = db.conn.execute(
                "INSERT INTO job_events (job_id, step, kind, data, created_at) VALUES (?, ?, ?, ?, ?)",
                (job_id, step, kind, canonical_json(_finite(dict(data))), now()),
            )
            assert cursor.lastrowid is not None
            return cursor.lastrowid

    def events(self, job_id: str, after_id: int = 0, kind: str | None = None, limit: int = 10_000) -> list[JobEvent]:
        """The events with an id greater than `after_id`, oldest first, of one kind where it is named."""
        sql = (
            "SELECT id, job_id, step, kind, data, created_at FROM job_events "
            "WHERE job_id = ? AND id > ? AND (? IS NULL OR kind = ?) ORDER BY id LIMIT ?"
        )
        rows = self._connections.rows(sql, (job_id, after_id, kind, kind, limit))
        return [_event(row) for row in rows]

    def last_event(self, job_id: str, kind: str) -> JobEvent | None:
        """The newest event of a kind, None where there is none."""
        sql = (
            "SELECT id, job_id, step, kind, data, created_at FROM job_events "
            "WHERE job_id = ? AND kind = ? ORDER BY id DESC LIMIT 1"
        )
        row = self._connections.row(sql, (job_id, kind))
        return None if row is None else _event(row)

    def stamp(self, job_id: str | None, kinds: Collection[str]) -> tuple[Any, ...]:
        """Changes with the job, with the newest of the `kinds` and with how many of them are active; costs two short
        queries. Every event of a run comes with a sign of life, so events need no look."""
        job = self._connections.row("SELECT state, message, progress, updated_at FROM jobs WHERE id = ?", (job_id,))
        row = self._connections.row(
            "SELECT max(number), total(state IN ('queued', 'running', 'stopping')) FROM jobs "
            "WHERE kind IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(kinds)),),
        )
        return (None if job is None else tuple(job), None if row is None else tuple(row))

    def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state that there is a job in."""
        return {
            row["state"]: row["n"]
            for row in self._connections.rows("SELECT state, count(*) AS n FROM jobs GROUP BY state")
        }

    def active(self) -> list[Job]:
        """Those that are queued or in a worker's hands, oldest first."""
        sql = "SELECT * FROM jobs WHERE state IN ('queued', 'running', 'stopping') ORDER BY number"
        return [_job(row) for row in self._connections.rows(sql)]

    def list(
        self, state: JobState | None = None, limit: int = 100, *, kinds: Collection[str] | None = None
    ) -> list[Job]:
        """The jobs, newest first, in one state and of some kinds where these are named."""
        known = None if kinds is None else json.dumps(sorted(kinds))
        sql = (
            "SELECT * FROM jobs WHERE (:state IS NULL OR state = :state) "
            "AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds))) ORDER BY number DESC LIMIT :limit"
        )
        return [_job(row) for row in self._connections.rows(sql, {"state": state, "kinds": known, "limit": limit})]


def _finite(value: Any) -> Any:
    # A diverged loss is NaN; the event must still be stored, since it is the one worth seeing.
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


def _owner(text: str | None) -> Owner | None:
    return None if text is None else Owner(*json.loads(text))


def _event(row: sqlite3.Row) -> JobEvent:
    return JobEvent(row["id"], row["job_id"], row["step"], row["kind"], json.loads(row["data"]), row["created_at"])


def _job(row: sqlite3.Row) -> Job:
    return Job(
        row["id"],
        row["kind"],
        row["state"],
        row["message"],
        row["progress"],
        json.loads(row["config"]),
        json.loads(row["seeds"]),
        json.loads(row["versions"]),
        row["revision_count"],
        _owner(row["owner"]),
        row["heartbeat_at"],
        row["created_at"],
        row["updated_at"],
        row["started_at"],
        row["finished_at"],
    )
