"""Deleting, with the files that belong to it: what will go, into the bin, back, and out of the house.

    plan     -> what would go, said in sentences (`told`)
    put      -> into the bin; files stay where they are, and nobody is shown them
    restore  -> back as it was
    empty    -> gone: rows, then files, then what the database file still holds of them

Invariant: what is still to be erased stands in the store until it is, so emptying again finishes what a crash left.
Not covered: copies outside the home, and weights that learned from what is gone: adapters say of how many traces.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Conflict, NotFound
from engine.jobs.kinds import EXPORT, IMPORT, PROBE
from engine.jobs.running import checkpoint_folder
from engine.media import MediaFolder
from engine.rights import Role, require
from engine.store import Deletion, DeletionPlan, Emptied, Erasure, Job, Store, Target

__all__ = ["Deleting", "told"]

_ALL = 1_000_000
_FORGOTTEN_AFTER_S = 3600


@dataclass(frozen=True, slots=True)
class Deleting:
    """`artifacts` is the folder of checkpoints and of questions that jobs keep. Every act names the role of who does it."""

    store: Store
    media: MediaFolder
    artifacts: Path

    def plan(self, target: Target, role: Role) -> DeletionPlan:
        """What `put` would take. Raises NotAllowed, NotFound, InvalidInput."""
        require(role, "delete")
        return self.store.bin.plan(target)

    def media_bytes(self, sha256s: Collection[str]) -> int:
        """What the originals take on disk."""
        return sum(self.media.path(one).stat().st_size for one in sha256s if self.media.has(one))

    def put(self, target: Target, person: str, role: Role) -> Deletion:
        """Deletes, to be restored until the bin is emptied. Raises NotAllowed, NotFound, InvalidInput, and Conflict while a
        job works with what would go, or an export reads the store."""
        require(role, "delete")
        plan = self.store.bin.plan(target)
        for job in self.store.jobs.active():
            if (what := self._held_by(job, plan)) is not None:
                raise Conflict(f"the {job.kind} job {job.id} is {job.state} and {what}; stop it, or wait for its end")
        return self.store.bin.put(target, person)

    def _held_by(self, job: Job, plan: DeletionPlan) -> str | None:
        """What a job at work, beside its snapshot, needs of what would go; None where nothing."""
        if job.kind == EXPORT:
            return "reads the store"
        source = job.config.get("source")
        attempted = source["name"] if isinstance(source, dict) and source.get("kind") == "imported" else None
        if {attempted, job.config.get("data_set")} & set(plan.data_sets):
            return "works on a data set with examples about it"
        examples = self._examples_of(job.config)
        is_asked = examples is not None and any(sha256 in examples for sha256 in plan.media)
        return "asks questions about this picture" if is_asked else None

    def restore(self, deletion_id: str, role: Role) -> Deletion:
        """Raises NotAllowed, and NotFound where it is not in the bin."""
        require(role, "delete")
        return self.store.bin.restore(deletion_id)

    def empty(self, role: Role, deletion_ids: Collection[str] | None = None) -> Emptied:
        """Makes what those deletions took (None: all) unrecoverable, and finishes what an emptying before this one left.
        Raises NotAllowed, and Unavailable where the database is in use elsewhere: then its file still holds deleted rows."""
        require(role, "delete")
        emptied = self.store.emptying.empty(deletion_ids)
        self.finish()
        return emptied

    def finish(self) -> None:
        """Erases what emptied deletions have left. Raises Unavailable where the database is in use elsewhere."""
        self._forget_copies()
        for erasure in self.store.emptying.erasures():
            self._erase(erasure)
            self.store.emptying.erased(erasure)

    def _erase(self, erasure: Erasure) -> None:
        if erasure.kind == "database":
            self.store.emptying.compact()
        elif erasure.kind == "job":
            shutil.rmtree(checkpoint_folder(self.artifacts, erasure.name), ignore_errors=True)
        else:
            try:
                self.store.media.get(erasure.name)
            except NotFound:  # else it came in again
                self.media.erase(erasure.name)
                for path in self._examples():
                    if erasure.name in path.read_text(encoding="utf-8"):
                        path.unlink()

    def _forget_copies(self) -> None:
        """What the studio exported into its own home goes, what an export that was stopped has written anywhere, and what
        was sent to be imported and was not: each may hold what is gone, and can be made again."""
        exports = [job for job in self.store.jobs.list(kinds=[EXPORT], limit=_ALL) if "out" in job.config]
        at_work = {Path(job.config["out"]).name for job in exports if job.is_active}
        for folder in (self.artifacts / "exports").glob("*"):
            if folder.name not in at_work:
                shutil.rmtree(folder, ignore_errors=True)
        for job in exports:
            if not job.is_active and job.state != "done":
                for unfinished in Path(job.config["out"]).glob(f"*.{job.id}.part"):
                    unfinished.unlink(missing_ok=True)

        imports = [job for job in self.store.jobs.list(kinds=[IMPORT], limit=_ALL) if job.state != "done"]
        awaited = json.dumps([job.config for job in imports])
        for folder in (self.artifacts / "incoming").glob("*"):
            # What is younger may be on somebody's page.
            if folder.name not in awaited and time.time() - folder.stat().st_mtime > _FORGOTTEN_AFTER_S:
                shutil.rmtree(folder, ignore_errors=True)

    def _examples(self) -> Iterator[Path]:
        yield from (self.artifacts / "examples").glob("*.json")

    def _examples_of(self, config: object) -> str | None:
        """The text of the questions that a job learns from, where it keeps them in a file."""
        examples = config.get("examples") if isinstance(config, dict) else None
        path = self.artifacts / "examples" / f"{examples['sha256']}.json" if isinstance(examples, dict) else None
        return path.read_text(encoding="utf-8") if path is not None and path.is_file() else None


def told(plan: DeletionPlan, media_bytes: int) -> Sequence[str]:
    """A plan in sentences, first what goes, then what stays behind of it."""
    counts = (
        (plan.traces, "trace"),
        (plan.revisions, "revision"),
        (plan.reviews, "review"),
        (plan.drafts, "draft"),
        (plan.preferences, "preference"),
        (plan.examples, "imported example"),
    )
    parts = [_counted(count, one) for count, one in counts if count]
    if plan.media:
        parts.append(f"{_counted(len(plan.media), 'picture or clip', 'pictures or clips')} ({_size(media_bytes)})")
    sentences = [f"This takes {', '.join(parts) or 'nothing'}."]
    if plan.other_traces:
        sentences.append(
            f"Of {_counted(plan.other_traces, 'other trace')} it takes what this person said of them; the traces stay."
        )
    for one in plan.learned:
        if one.kind == PROBE:  # it kept nothing of what it tried
            continue
        made = " and made the adapter " + ", ".join(f"“{name}”" for name in one.adapters) if one.adapters else ""
        sentences.append(
            f"The {one.kind} job {one.job_id} learned from {_counted(one.traces, 'of these traces', 'of these traces')}{made}."
        )
    sentences += [f"The job {one.job_id} is {one.state}: until it ends, deleting is refused." for one in plan.at_work]
    return sentences


def _counted(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def _size(count_bytes: int) -> str:
    return f"{count_bytes / 1e6:,.1f} MB" if count_bytes >= 1e6 else f"{count_bytes / 1e3:,.1f} kB"
