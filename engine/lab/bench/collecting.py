"""How many traces a minute a collecting job records, against asking the same attempts one by one.

The idea: both sides answer the same questions from the same seeds on the same weights, one after the other in the same
process, and record every trace in a store of their own on the same disk:

    one by one   each attempt from its own question on, recorded when it ends, as a loop around `ask` would
    ours         the job of the kind "collect"

Invariant: both sides give the same traces (`same_share` says how many: all of them unquantised; in fewer bits rounding may
part a few). Times are wall clock: nothing else may run on the machine.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.backbone.loading import Backbone
from engine.evaluation.runner import attempt
from engine.evaluation.sources import Source, offered
from engine.jobs.adapter_answering import AdapterAnswering
from engine.jobs.answering import BARE
from engine.jobs.asking import Asked, Services
from engine.jobs.collect import CollectKind
from engine.jobs.running import run_in_foreground
from engine.media import MediaFolder
from engine.policies.local import LocalPolicy
from engine.reasoning import Limits
from engine.store import Store
from engine.trace import Trace

__all__ = ["ATTEMPTS", "measure", "report"]

ATTEMPTS = 4
"""At each question."""
_BENCHMARK = "mini-signs"
_SEED = 3


def measure(
    backbone: Backbone, questions: int, at_once: int = 16, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """ATTEMPTS attempts at each of `questions` drawn questions, `at_once` on their way in our job."""
    asked = Asked(attempts=ATTEMPTS, temperature=1.0, at_once=at_once)
    source = Source("drawn", _BENCHMARK, questions, seed=_SEED)
    with tempfile.TemporaryDirectory() as folder:
        _one_by_one(backbone, Path(folder, "first"), Source("drawn", _BENCHMARK, 1, seed=_SEED), asked)  # warm
        alone, alone_s = _one_by_one(backbone, Path(folder, "alone"), source, asked)
        progress(f"  one by one: {_rate(len(alone), alone_s):.1f} traces a minute")
        ours, ours_s = _collected(backbone, Path(folder, "job"), source, asked)
        progress(f"  the job: {_rate(len(ours), ours_s):.1f} traces a minute")
    same = sum(ours[key].steps == trace.steps for key, trace in alone.items())
    return {
        "bench": "collect",
        "model": backbone.name,
        "quantization": backbone.quantization,
        "traces": len(ours),
        "at_once": at_once,
        "traces_a_minute": round(_rate(len(ours), ours_s), 1),
        "one_by_one_a_minute": round(_rate(len(alone), alone_s), 1),
        "same_share": round(same / len(alone), 3),
        "ratio": round(alone_s / ours_s, 2),
    }


def report(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    return [
        f"collect: {found['traces']} attempts of {found['model']}, {found['quantization']}: {found['traces_a_minute']} traces "
        f"a minute, one by one {found['one_by_one_a_minute']}: {found['ratio']} times ({found['same_share']:.0%} the same)"
    ]


def _one_by_one(
    backbone: Backbone, folder: Path, source: Source, asked: Asked
) -> tuple[dict[tuple[int, int], Trace], float]:
    policy, made = LocalPolicy(backbone), {}
    with Store(folder / "annotations.db") as store:
        media = MediaFolder(folder / "media")
        began_s = time.perf_counter()
        for position, one in enumerate(offered(source, store, media, policy.protocol.CLIP_SAMPLING)):
            posed = one.pose()
            for file in one.files:
                media.take(file)
            for number, seed in asked.seeds(position).items():
                trace = made[position, number] = attempt(policy, posed, Limits(), seed=seed)
                store.traces.record(
                    trace, author=trace.policy, example=posed.example, policy_settings=dict(policy.settings())
                )
        return made, time.perf_counter() - began_s


def _collected(
    backbone: Backbone, folder: Path, source: Source, asked: Asked
) -> tuple[dict[tuple[int, int], Trace], float]:
    with Store(folder / "annotations.db") as store:
        media = MediaFolder(folder / "media")
        kind = CollectKind(Services(store, media, AdapterAnswering(store, backbone, folder), Limits()))
        began_s = time.perf_counter()
        job = run_in_foreground(store, folder, kind, kind.plan(source, asked, BARE))
        took_s = time.perf_counter() - began_s
        kept = {(one.position, one.number): one.trace_id for one in store.attempts.of(job.id)}
        return {key: store.revisions.head(trace_id).trace for key, trace_id in kept.items() if trace_id}, took_s


def _rate(count: int, seconds: float) -> float:
    return 60 * count / seconds
