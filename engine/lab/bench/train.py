"""What a look at the Train screen asks the store, against reading every accepted trace again.

The store is generated with nothing but accepted traces, and a job that learned from all of them. Ours are the two questions
that a page asks: "has anything changed" (each second), and, where something has, the counts of what would be learned from
and the list of runs. The baseline is the first draft's look: every accepted head is read and parsed, and every job brings
along the revisions that it learned from. Both are asked in turn, in the same run, of the same store.

Not covered: what the page draws of a run's events, and the browser's end.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.jobs.kinds import TRAINING
from engine.lab.bench.figures import Spread, ratio, spread
from engine.lab.bench.generated import fill
from engine.store import Job, Store

__all__ = ["TARGET_MS", "measure", "report"]

TARGET_MS = 50.0
"""Issue 12: a look at 25,000 accepted traces."""

_BASELINE_REPEATS = 3


def measure(
    traces: int,
    repeats: int = 40,
    seed: int = 0,
    folder: Path | None = None,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Looks at a store of `traces` made-up accepted traces, in a temporary folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(dir=folder) as made, Store(Path(made) / "annotations.db") as store:
        progress(f"making a store of {traces:,} accepted traces")
        fill(store.connections, traces, seed, status="accepted")
        heads = [head.id for head in store.reviews.accepted()]
        job = store.jobs.create(TRAINING[0], {}, {}, {}, heads)
        unchanged = _times(lambda: _has_changed(store, job), repeats)
        look = _times(lambda: _look(store, job), repeats)
        first_draft = _times(lambda: _first_draft(store), min(repeats, _BASELINE_REPEATS))
        found = {
            "bench": "train",
            "traces": traces,
            "target_ms": TARGET_MS,
            "unchanged": unchanged.to_json(),
            "look": look.to_json(),
            "baseline": first_draft.to_json(),
            "ratio": ratio(first_draft, look),
        }
        for line in report(found)[1:]:
            progress(line)
        return found


def report(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    times = {name: Spread(**found[name]) for name in ("unchanged", "look", "baseline")}
    return [
        f"train: a look at {found['traces']:,} accepted traces, in the store, target {found['target_ms']:.0f} ms",
        f"  nothing changed   {times['unchanged']}",
        f"  a look            {times['look']}",
        f"  first draft       {times['baseline']}   {found['ratio']} times ours",
    ]


def _has_changed(store: Store, job: Job) -> object:
    return store.jobs.stamp(job.id, TRAINING), store.adapters.stamp(), store.lessons.last_change()


def _look(store: Store, job: Job) -> object:
    return (
        _has_changed(store, job),
        store.lessons.plain(),
        store.lessons.doubtful(),
        store.jobs.list(limit=50, kinds=TRAINING),
        store.adapters.list(),
    )


def _first_draft(store: Store) -> object:
    jobs = store.jobs.list(limit=50)
    return store.reviews.accepted(), [store.jobs.revision_ids(job.id) for job in jobs]


def _times(ask: Callable[[], object], repeats: int) -> Spread:
    ask()
    times_ms = []
    for _ in range(repeats):
        began_s = time.perf_counter()
        ask()
        times_ms.append((time.perf_counter() - began_s) * 1000)
    return spread(times_ms)
