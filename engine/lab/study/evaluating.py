"""Evaluation in batches: the same loop, the same greedy words, the same scorers as `engine.evaluation.runner.evaluate`.

The idea: rollouts already let many attempts speak at once (`engine.training.rollouts`); an evaluation is one greedy rollout
of each example. What is measured differs in one thing only: the CPU time of an attempt is its share of the batch's.

Invariant: in fp32 the traces equal those of `evaluate` (tests/lab/study/test_evaluating.py). In bf16 a batch rounds
otherwise than a single row, so where two tokens are all but equally likely the other one may be said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from engine.backbone.loading import Backbone
from engine.evaluation.examples import Posed
from engine.evaluation.hits import is_hit
from engine.evaluation.scoring import Result, score_answer
from engine.policies.base import never
from engine.reasoning import Limits
from engine.training.rollouts import Prompt, roll_out

__all__ = ["ROWS_AT_ONCE", "evaluate_together"]

ROWS_AT_ONCE = 48


def evaluate_together(
    backbone: Backbone,
    examples: Iterable[Posed],
    limits: Limits,
    *,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
    rows: int = ROWS_AT_ONCE,
) -> Iterator[Result]:
    """A result for each example, in order, `rows` at a time; by whichever adapter answers on `backbone`. Raises
    RolloutsStopped where `is_cancelled` became true."""
    left = iter(examples)
    while some := list(islice(left, rows)):
        started_s = time.process_time()
        prompts = [Prompt(posed.example, posed.pictures, (None,), is_operating) for posed in some]
        rolled = roll_out(backbone, prompts, limits, is_cancelled=is_cancelled)
        cpu_s = (time.process_time() - started_s) / len(some)
        for posed, (rollout,) in zip(some, rolled, strict=True):
            trace = rollout.trace
            score = score_answer(trace.answer, posed.example, posed.rule)
            yield Result(trace, score, is_hit(trace, posed.example.evidence), cpu_s, posed.category, posed.difficulty)
