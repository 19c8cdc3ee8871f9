"""Several people who ask at once, against the same who are answered one turn at a time.

    round       each of the askers, a thread of its own, asks its questions one after the other, all begin together
    answers     of a round, a minute
    first words from the beginning of the round until the last asker sees a word

Ours is the policy of the studio; the baseline is the policy of the command line, whose conversations take the backbone's lease
for a turn each, of this build or, in a process of its own, of an earlier one (`--against`). Rounds of both are run in turn, with
the same questions of mini-signs and the same weights. `same_share` says how many traces are the same on both sides.

Not covered: the browser's end; memory.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from engine.backbone.loading import Backbone
from engine.lab.bench.asked import Elsewhere, Round, ask_round, shares_of
from engine.lab.bench.figures import Spread, ratio, spread
from engine.opening import preparing_threads
from engine.policies.local import LocalPolicy
from engine.policies.serving import Serving

__all__ = ["measure", "report"]

_READY_WITHIN_S = 60


def measure(
    backbone: Backbone,
    askers: int,
    questions: int,
    repeats: int,
    progress: Callable[[str], None] = print,
    against: Path | None = None,
) -> dict[str, Any]:
    """`repeats` rounds of each side, in which `askers` threads ask `questions` questions each; the other side is this checkout,
    or the one `against` which it is measured."""
    shares, threads = shares_of(askers, questions), preparing_threads(backbone)
    served, alone = LocalPolicy(backbone, serving=Serving(backbone, threads=threads)), LocalPolicy(backbone)
    if threads > 1 and backbone.tower_apart is not None:
        backbone.tower_apart.start()
        backbone.tower_apart.wait(_READY_WITHIN_S)
    ours, theirs = [], []
    with ExitStack() as opened:
        other = None
        if against is not None:
            other = opened.enter_context(Elsewhere(against, backbone.quantization, askers, questions))
        for policy in (served, alone):
            ask_round(policy, [shares[0][:1]])  # the first answer also pays for what is made once
        for number in range(repeats):
            theirs.append(ask_round(alone, shares) if other is None else other.round())
            ours.append(ask_round(served, shares))
            progress(f"  round {number + 1}: {ours[-1].seconds:.2f} s, one turn at a time {theirs[-1].seconds:.2f} s")
    mine, baseline = _spread(ours), _spread(theirs)
    same = [one["steps"] == other["steps"] for one, other in zip(ours[0].traces, theirs[0].traces, strict=True)]
    return {
        "bench": "serving",
        "model": backbone.name,
        "quantization": backbone.quantization,
        "dtype": str(backbone.model.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "preparing_threads": threads,
        "askers": askers,
        "answers": askers * questions,
        "against": "this checkout" if against is None else "another checkout",
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


def _spread(rounds: Sequence[Round]) -> Spread:
    return spread([one.seconds * 1000 for one in rounds])


def _answers_a_minute(rounds: Sequence[Round]) -> float:
    return round(statistics.median(60 * len(one.traces) / one.seconds for one in rounds), 1)
