"""The kind "probe": what a training run would take on this machine, measured by its first steps before it is started.

The idea: a probe is planned as the run itself, with the same snapshot and settings, looks for what is too long, makes STEPS
real optimiser steps on an adapter that is thrown away, and answers a few of the held-out examples. It is a job, so it has
progress, can be stopped, and never meets a training on the same backbone.

    seconds    steps * median(seconds of a step) + 2 * held out * (seconds of those answered / how many)
    memory     the most that this process held during the steps, less what it held before (GPU: allocated; CPU: resident)

The tower sees a picture once in a run, so later passes are quicker than the probe: the time is rather too long than too short.
What is found is one event "probe" (`engine.jobs.expected`). Invariant: nothing is kept of it but that.
"""

from __future__ import annotations

import dataclasses
import shutil
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psutil
import torch

from engine.backbone.loading import Backbone
from engine.backbone.memory import free_bytes
from engine.evaluation.held_out import HeldOut, HeldOutSet
from engine.evaluation.runner import AT_ONCE, Task, run_attempts
from engine.jobs.expected import Expected
from engine.jobs.kinds import PROBE, TITLES, CutOff, Done, Ending, Kind, Plan
from engine.jobs.measuring import offered_examples
from engine.jobs.report import Report, duration
from engine.jobs.workshop import Workshop
from engine.media import MediaFolder
from engine.policies.local import LocalPolicy
from engine.reasoning import Limits
from engine.store import Job

__all__ = ["STEPS", "ProbeKind", "ProbeWork"]

STEPS = 3
_ANSWERED = AT_ONCE
"""At most so many held-out examples are answered: as many as an evaluation answers together."""
_FITTING, _STEPPING = 0.3, 0.6
"""Shares of the progress: looking for what is too long, and the steps; answering is the rest."""
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class ProbeKind:
    """`limits` are those of an answer; `kinds` those that can be probed, by name."""

    workshop: Workshop
    media: MediaFolder
    limits: Limits
    kinds: Mapping[str, Kind]
    name: str = PROBE
    title: str = TITLES[PROBE]

    def plan(self, kind: str, planned: Plan, held_out: HeldOut | None) -> Plan:
        """A probe of what `kind` has planned for that `held_out`."""
        asked = None if held_out is None else dataclasses.asdict(held_out)
        return dataclasses.replace(planned, config={**planned.config, "probed": kind, "held_out": asked})

    def prepare(self, job: Job) -> ProbeWork:
        return ProbeWork(self, job, self.kinds[job.config["probed"]].prepare(job))


@dataclass(frozen=True, slots=True)
class ProbeWork:
    kind: ProbeKind
    job: Job
    work: Any
    """An `engine.jobs.adapter_work.AdapterWork`."""

    def run(self, report: Report) -> Ending:
        work, backbone = self.work, self.kind.workshop.backbone
        size = max(1, self.job.revision_count)
        shutil.rmtree(report.folder, ignore_errors=True)  # taken up again, it measures anew

        def tell(done: int) -> None:
            report.progress(_FITTING * min(1.0, done / size), f"looking for what is too long: {done:,} of {size:,}")

        too_long = work.fit(tell)
        total = work.config.total_steps(len(work.items))
        work.config = dataclasses.replace(work.config, steps=min(STEPS, total))
        step_s: list[float] = []

        def hear(report: Report, step: int, of: int, numbers: Mapping[str, float]) -> None:
            step_s.append(numbers["seconds"])
            report.progress(_FITTING + _STEPPING * step / of, f"trying step {step} of {of}")

        report.progress(_FITTING, f"trying {min(STEPS, total)} steps")
        with _watched(backbone) as held:
            trained = work.learn(report, hear)
        with backbone.lease.held():
            backbone.adapters.drop_training()
        if trained.is_stopped or report.should_stop():
            return CutOff("before it was known what the run will take")
        expected = Expected(
            items=len(work.items),
            too_long=tuple({"name": one.name, "tokens": one.tokens} for one in too_long),
            step_s=statistics.median(step_s),
            measuring_s=2 * self._measuring_s(report),
            memory_bytes=held.most - held.before,
            free_bytes=free_bytes(backbone.device),
        )
        report.say(None, "probe", expected.as_json())
        return Done(f"about {duration(expected.seconds(total))} for {total} steps")

    def _measuring_s(self, report: Report) -> float:
        """Seconds to answer all that is held out, by answering the first of them with what answers now."""
        held_out = HeldOutSet.from_json(self.job.config.get("evaluation"))
        if held_out is None:
            return 0.0
        kind, policy = self.kind, LocalPolicy(self.kind.workshop.backbone)
        report.progress(_FITTING + _STEPPING, "answering held-out examples")
        offered = offered_examples(kind.workshop.store, kind.media, kind.workshop.artifacts, held_out, policy)
        tasks = (Task(at, one.pose(), {0: None}, one.files) for at, one in islice(offered, _ANSWERED))
        began_s = time.monotonic()
        done = sum(
            1 for _ in run_attempts(policy, tasks, kind.limits, at_once=AT_ONCE, is_cancelled=report.should_stop_soon)
        )
        size = held_out.source.size or done
        return (time.monotonic() - began_s) / done * size if done else 0.0


@dataclass(slots=True)
class _Held:
    """Bytes: `before` the steps, and the `most` during them."""

    before: int
    most: int


@contextmanager
def _watched(backbone: Backbone) -> Iterator[_Held]:
    """What this process holds while the block runs: on a GPU what torch has allocated there, else its resident memory."""
    device = backbone.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        held = _Held(torch.cuda.memory_allocated(device), 0)
        yield held
        held.most = torch.cuda.max_memory_allocated(device)
        return
    process, over = psutil.Process(), threading.Event()
    held = _Held(now := process.memory_info().rss, now)

    def look() -> None:
        while not over.wait(_LOOK_EVERY_S):
            held.most = max(held.most, process.memory_info().rss)

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()
        held.most = max(held.most, process.memory_info().rss)
