"""How long a study will still take, from what its parts took so far. Pure.

The estimate: seconds of each part as they were measured on one core of the machine where the sizes were chosen, scaled by
how much longer the parts of the same kind took here (or, of a kind of which nothing ran yet, all that ran), spread over
the processes; never less than the longest part that is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.lab.study.plan import BENCHMARKS, Draw, Evaluate, Grpo, Sft, Sizes, StudyPart

__all__ = ["expected_s", "seconds_left"]

# Measured on one core of an AMD EPYC with bf16, 4 bit, the embedded reasoner saying about 20 tokens a turn.
_START_S = 12.0
"""Importing the trainer's libraries and loading the base."""
_DRAW_S = 0.25
_SFT_EXAMPLE_S = 0.25
_ROLLOUT_S = 0.35
_ANSWER_S = 0.25


def expected_s(part: StudyPart, sizes: Sizes) -> float:
    if isinstance(part, Draw):
        return 2.0 + _DRAW_S * part.count
    if isinstance(part, Sft):
        return _START_S + _SFT_EXAMPLE_S * sizes.trajectories * len(BENCHMARKS) * (0.2 + sizes.sft_passes)
    if isinstance(part, Grpo):
        return _START_S + _ROLLOUT_S * sizes.rl_steps * sizes.queries_a_step * sizes.rollouts
    assert isinstance(part, Evaluate)
    return _START_S + _ANSWER_S * sizes.test_examples * len(BENCHMARKS)


def seconds_left(
    parts: Sequence[StudyPart],
    sizes: Sizes,
    finished: Mapping[str, float],
    running: Mapping[str, tuple[float, float]],
    jobs: int,
) -> float:
    """`finished` are seconds that parts took, `running` (share that is done, seconds so far)."""
    known: dict[type, list[tuple[float, float]]] = {}
    for part in parts:
        share, took = running.get(part.name, (0.0, 0.0))
        if part.name in finished:
            share, took = 1.0, finished[part.name]
        if share >= 0.05:
            known.setdefault(type(part), []).append((took, share * expected_s(part, sizes)))
    everything = [one for ones in known.values() for one in ones]
    left = []
    for part in parts:
        if part.name not in finished:
            scale = _scale(known.get(type(part)) or everything)
            left.append((1 - running.get(part.name, (0.0, 0.0))[0]) * scale * expected_s(part, sizes))
    return max([sum(left) / jobs, *left], default=0.0)


def _scale(known: Sequence[tuple[float, float]]) -> float:
    expected = sum(one for _, one in known)
    return sum(took for took, _ in known) / expected if expected else 1.0
