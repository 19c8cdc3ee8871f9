"""All parts of a study, those that are done passed over, in this process or several at once in processes of their own.

The idea: the folder is the state. Whoever runs a part writes its result there, so a study that was stopped or killed at any
moment goes on when it is started again, with however many processes.

Events, for whoever watches, are plain values; `data` is plain JSON.

    started   {}                           progress  {"done", "total", ...numbers of the step}
    done      {"seconds"}                  stopped   {}

Invariants: a part begins when everything that it needs is done; after a stop or an error nothing begins, what runs is asked
to stop and waited for. Not covered: what a part does (`running`), signals (the command's).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from engine.lab.study.folder import Folder
from engine.lab.study.material import Stopped
from engine.lab.study.plan import Sizes, StudyPart, ready
from engine.lab.study.processes import Worker
from engine.lab.study.running import Workplace, run_part
from engine.opening import open_backbone
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.backbone.loading import Backbone

__all__ = ["OnStudyEvent", "StudyEvent", "run_here", "run_in_processes", "run_parts"]

_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class StudyEvent:
    """What happened to a part; `data` as in the module docstring."""

    part: str
    kind: Literal["started", "progress", "done", "stopped"]
    data: Mapping[str, Any]


OnStudyEvent = Callable[[StudyEvent], None]


def run_here(
    folder: Folder,
    parts: Sequence[StudyPart],
    sizes: Sizes,
    backbone: Callable[[], Backbone],
    on_event: OnStudyEvent,
    should_stop: Callable[[], bool],
) -> bool:
    """One part after another, on one backbone. Returns whether all are done. Raises what a part raises."""
    for part in parts:
        if folder.is_done(part.name):
            continue
        if should_stop():
            return False

        def on_progress(done: int, total: int, numbers: Mapping[str, Any], name: str = part.name) -> None:
            on_event(StudyEvent(name, "progress", {"done": done, "total": total, **numbers}))

        on_event(StudyEvent(part.name, "started", {}))
        try:
            result = run_part(part, Workplace(folder, sizes, backbone, on_progress, should_stop))
        except Stopped:
            on_event(StudyEvent(part.name, "stopped", {}))
            return False
        on_event(StudyEvent(part.name, "done", {"seconds": result["seconds"]}))
    return True


def run_in_processes(
    folder: Folder,
    parts: Sequence[StudyPart],
    sizes: Sizes,
    settings: Settings,
    jobs: int,
    on_event: OnStudyEvent,
    should_stop: Callable[[], bool],
) -> bool:
    """Up to `jobs` parts at once, each in a process of its own with `settings.threads` threads. Returns whether all are
    done. Raises Unavailable, in the part's own words, where one failed; the others are stopped first."""
    done = {part.name for part in parts if folder.is_done(part.name)}
    done |= {need for part in parts for need in part.needs if folder.is_done(need)}
    names = {part.name for part in parts}
    busy: dict[str, Worker] = {}
    error: Exception | None = None
    try:
        while busy or (not names <= done and error is None and not should_stop()):
            if error is not None or should_stop():
                for worker in busy.values():
                    worker.ask_to_stop()
            else:
                can = ready(parts, done, busy)
                if not can and not busy:
                    raise ValueError(f"what {sorted(names - done)} need is not among the parts")
                for part in can[: jobs - len(busy)]:
                    busy[part.name] = Worker(folder.root, part, sizes, settings)
                    on_event(StudyEvent(part.name, "started", {}))
            Worker.wait(busy.values(), _POLL_S)
            for name, worker in list(busy.items()):
                for progress in worker.news():
                    on_event(StudyEvent(name, "progress", progress))
                if worker.is_running:
                    continue
                del busy[name]
                if folder.is_done(name):
                    done.add(name)
                    on_event(StudyEvent(name, "done", {"seconds": folder.result(name)["seconds"]}))
                elif worker.error is not None:
                    error = error or worker.error
                else:
                    on_event(StudyEvent(name, "stopped", {}))
    finally:
        for worker in busy.values():
            worker.end()
    if error is not None:
        raise error
    return names <= done


def run_parts(
    folder: Folder,
    parts: Sequence[StudyPart],
    sizes: Sizes,
    settings: Settings,
    jobs: int,
    on_event: OnStudyEvent,
    should_stop: Callable[[], bool],
) -> bool:
    """As `run_here` where `jobs` is 1, on the backbone that `settings` name, else as `run_in_processes`, which share the
    cores."""
    if jobs > 1:
        threads = max(1, _cores() // jobs)
        allotted = dataclasses.replace(settings, threads=settings.threads or threads)
        return run_in_processes(folder, parts, sizes, allotted, jobs, on_event, should_stop)
    opened: list[Backbone] = []

    def backbone() -> Backbone:
        if not opened:
            opened.append(open_backbone(settings))
        return opened[0]

    return run_here(folder, parts, sizes, backbone, on_event, should_stop)


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
