"""A benchmark whose attempts run together, against the same one by one.

    slice     some examples of a benchmark, evaluated one by one, then once more as `python -m engine evaluate` does: many in a
              batch, which prepares as many of them at a time as there are cores left

Slices of both sides are run in turn with the same weights; `ratio` is of all their seconds together, `same_share` says how many
traces are the same. CPU seconds are of the whole process, which does nothing else, and of those that work for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from engine.backbone.loading import Backbone
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed, pose
from engine.evaluation.runner import AT_ONCE, evaluate
from engine.opening import preparing_threads
from engine.policies.base import cpu_s_with
from engine.policies.local import LocalPolicy
from engine.trace import Trace

__all__ = ["measure", "report"]

_BENCHMARKS = ("mini-signs", "mini-clips")
_SLICES = 2
_READY_WITHIN_S = 60


def measure(
    backbone: Backbone, examples: int, at_once: int = AT_ONCE, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """`examples` of each benchmark, `at_once` together against one by one."""
    found: dict[str, Any] = {
        "bench": "evaluate",
        "model": backbone.name,
        "quantization": backbone.quantization,
        "dtype": str(backbone.model.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "at_once": at_once,
    }
    found["preparing_threads"] = preparing_threads(backbone)
    policy = LocalPolicy(backbone, threads=found["preparing_threads"])
    if policy.is_preparing and backbone.tower_apart is not None:
        backbone.tower_apart.start()
        backbone.tower_apart.wait(_READY_WITHIN_S)
    for name in _BENCHMARKS:
        posed = [pose(drawn) for drawn in draw(required_benchmark(name), examples)]
        _run(policy, posed[:1], 1)  # the first answer also pays for what is made once
        together, alone = [], []
        slices = min(_SLICES, examples)
        for part in range(slices):
            alone.append(_run(policy, posed[part::slices], 1))
            together.append(_run(policy, posed[part::slices], at_once))
        found[name] = _compared(together, alone)
        progress(f"  {name}: {_line(found[name])}")
    found["cpu_ratio"] = _quotient(found, "cpu_s")
    found["ratio"] = _quotient(found, "wall_s")
    return found


def report(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    return [
        f"evaluate: {found['model']} ({found['quantization']}, {found['dtype']}, {found['threads']} threads), "
        f"{found['at_once']} attempts together against one by one: {found['ratio']:.2f} times",
        *(f"  {name:10} {_line(found[name])}" for name in _BENCHMARKS),
    ]


_Run = tuple[list[Trace], float, float]
"""Traces in order, wall seconds, CPU seconds."""


def _run(policy: LocalPolicy, posed: Sequence[Posed], at_once: int) -> _Run:
    began_s, cpu_began_s = time.perf_counter(), cpu_s_with(policy)
    traces = [result.trace for result in evaluate(policy, posed, at_once=at_once)]
    return traces, time.perf_counter() - began_s, cpu_s_with(policy) - cpu_began_s


def _compared(ours: Sequence[_Run], theirs: Sequence[_Run]) -> dict[str, Any]:
    pairs = [pair for one, other in zip(ours, theirs, strict=True) for pair in zip(one[0], other[0], strict=True)]
    sums = {
        "wall_s": sum(run[1] for run in ours),
        "baseline_wall_s": sum(run[1] for run in theirs),
        "cpu_s": sum(run[2] for run in ours),
        "baseline_cpu_s": sum(run[2] for run in theirs),
    }
    return {
        "n": len(pairs),
        "same_share": round(sum(one.steps == other.steps for one, other in pairs) / len(pairs), 3),
        **{name: round(seconds, 2) for name, seconds in sums.items()},
        "cpu_ratio": round(sums["baseline_cpu_s"] / sums["cpu_s"], 2),
        "ratio": round(sums["baseline_wall_s"] / sums["wall_s"], 2),
    }


def _quotient(found: dict[str, Any], seconds: str) -> float:
    ours = sum(found[name][seconds] for name in _BENCHMARKS)
    return round(float(sum(found[name][f"baseline_{seconds}"] for name in _BENCHMARKS) / ours), 2)


def _line(part: dict[str, Any]) -> str:
    return (
        f"{part['wall_s']:.2f} s, one by one {part['baseline_wall_s']:.2f} s: {part['ratio']:.2f} times, "
        f"{part['cpu_ratio']:.2f} in CPU time (n = {part['n']}, {part['same_share']:.0%} the same traces)"
    )
