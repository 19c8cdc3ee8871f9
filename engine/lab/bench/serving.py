"""Several people who ask at once, against the same who are answered one turn at a time.

    round       each of the askers, a thread of its own, asks its questions one after the other, all begin together
    answers     of a round, a minute
    first words from the beginning of the round until the last asker sees a word

Ours is the policy of the studio; the baseline is the policy of the command line, whose conversations take the backbone's lease
for a turn each. Rounds of both are run in turn, with the same questions of mini-signs and the same weights. `same_share` says
how many traces are the same on both sides.

Not covered: the browser's end; memory.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import torch

from engine.backbone.loading import Backbone
from engine.drivers.streaming import stream
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed, pose
from engine.lab.bench.figures import Spread, ratio, spread
from engine.opening import preparing_threads
from engine.policies.base import Policy
from engine.policies.local import LocalPolicy
from engine.policies.serving import Serving
from engine.reasoning import Finished, Stepped, Thinking
from engine.trace import Trace

__all__ = ["measure", "report"]


@dataclass(frozen=True, slots=True)
class _Round:
    seconds: float
    last_first_words_s: float
    traces: list[Trace]


def measure(
    backbone: Backbone, askers: int, questions: int, repeats: int, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """`repeats` rounds of each side, in which `askers` threads ask `questions` questions each."""
    posed = [pose(drawn) for drawn in draw(required_benchmark("mini-signs"), askers * questions)]
    shares = [posed[asker::askers] for asker in range(askers)]
    threads = preparing_threads(backbone)
    served, alone = LocalPolicy(backbone, serving=Serving(backbone, threads=threads)), LocalPolicy(backbone)
    for policy in (served, alone):
        _round(policy, [posed[:1]])  # the first answer also pays for what is made once
    ours, theirs = [], []
    for number in range(repeats):
        theirs.append(_round(alone, shares))
        ours.append(_round(served, shares))
        progress(f"  round {number + 1}: {ours[-1].seconds:.2f} s, one turn at a time {theirs[-1].seconds:.2f} s")
    mine, baseline = _spread(ours), _spread(theirs)
    same = [one.steps == other.steps for one, other in zip(ours[0].traces, theirs[0].traces, strict=True)]
    return {
        "bench": "serving",
        "model": backbone.name,
        "quantization": backbone.quantization,
        "dtype": str(backbone.model.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "preparing_threads": threads,
        "askers": askers,
        "answers": len(posed),
        "answers_a_minute": _answers_a_minute(ours),
        "baseline_answers_a_minute": _answers_a_minute(theirs),
        "round": mine.to_json(),
        "baseline_round": baseline.to_json(),
        "last_first_words": spread([one.last_first_words_s * 1000 for one in ours]).to_json(),
        "baseline_last_first_words": spread([one.last_first_words_s * 1000 for one in theirs]).to_json(),
        "same_share": round(sum(same) / len(same), 3),
        "ratio": ratio(baseline, mine),
    }


def report(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    waits = {name: Spread(**found[name]) for name in ("last_first_words", "baseline_last_first_words")}
    return [
        f"serving: {found['askers']} askers, {found['answers']} answers a round of {found['model']} "
        f"({found['quantization']}, {found['dtype']}, {found['threads']} threads)",
        f"  in one batch        {found['answers_a_minute']:6.1f} answers a minute, "
        f"first words of the last {waits['last_first_words'].median_ms / 1000:.2f} s",
        f"  one turn at a time  {found['baseline_answers_a_minute']:6.1f} answers a minute, "
        f"first words of the last {waits['baseline_last_first_words'].median_ms / 1000:.2f} s",
        f"  {found['ratio']:.2f} times; {found['same_share']:.0%} the same traces",
    ]


def _round(policy: Policy, shares: Sequence[Sequence[Posed]]) -> _Round:
    """Traces asker by asker, each in the order of its questions."""
    traces: list[list[Trace]] = [[] for _ in shares]
    first_words_s = [float("inf")] * len(shares)
    start = threading.Barrier(len(shares) + 1)

    def ask(number: int) -> None:
        start.wait()
        began_s = time.perf_counter()
        for posed in shares[number]:
            for notice in stream(policy, posed.example, posed.pictures):
                if (isinstance(notice, Thinking) and notice.thought) or isinstance(notice, Stepped):
                    first_words_s[number] = min(first_words_s[number], time.perf_counter() - began_s)
                if isinstance(notice, Finished):
                    traces[number].append(notice.trace)

    with ThreadPoolExecutor(len(shares)) as threads:
        asking = [threads.submit(ask, number) for number in range(len(shares))]
        start.wait()
        began_s = time.perf_counter()
        for one in asking:
            one.result()
    return _Round(time.perf_counter() - began_s, max(first_words_s), [one for asked in traces for one in asked])


def _spread(rounds: Sequence[_Round]) -> Spread:
    return spread([one.seconds * 1000 for one in rounds])


def _answers_a_minute(rounds: Sequence[_Round]) -> float:
    return round(statistics.median(60 * len(one.traces) / one.seconds for one in rounds), 1)
