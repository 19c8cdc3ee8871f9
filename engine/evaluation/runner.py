"""Running a policy over examples: one attempt each, scored as it ends.

The idea: the loop is `engine.reasoning.reason`, the very one that answers on screen; this only asks, measures and scores.

CPU time is `time.process_time` of the whole process, all its threads, from the question to the end of the attempt:
loading the model, drawing and decoding media are not in it. Nothing else should run in the process meanwhile.

Not covered: storing traces; a policy that fails (its error is raised as it stands, and the evaluation ends).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from engine.evaluation.examples import Posed
from engine.evaluation.hits import is_hit
from engine.evaluation.scoring import Result, score_answer
from engine.policies.base import Policy, never
from engine.reasoning import Finished, Limits, reason
from engine.trace import Rule, Trace

__all__ = ["attempt", "evaluate"]


def evaluate(
    policy: Policy,
    examples: Iterable[Posed],
    limits: Limits | None = None,
    *,
    is_operating: bool = True,
    rule: Rule | None = None,
    is_cancelled: Callable[[], bool] = never,
) -> Iterator[Result]:
    """A result for each example, in order, as it comes; greedy (no seed). `rule` is how answers are scored, by
    default as the example says (`Posed.rule`), and where it says nothing by letter with options and as text without. When
    `is_cancelled` the running attempt is dropped and the iterator ends."""
    for posed in examples:
        started_s = time.process_time()
        trace = attempt(policy, posed, limits, is_operating=is_operating, is_cancelled=is_cancelled)
        cpu_s = time.process_time() - started_s
        if trace.stop_reason == "cancelled":
            return
        score = score_answer(trace.answer, posed.example, rule or posed.rule)
        hit = is_hit(trace, posed.example.evidence)
        yield Result(trace, score, hit, cpu_s, posed.category, posed.difficulty)


def attempt(
    policy: Policy,
    posed: Posed,
    limits: Limits | None = None,
    *,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
    seed: int | None = None,
) -> Trace:
    """The trace of one attempt, start to end."""
    finished: Finished | None = None
    for event in reason(
        policy, posed.example, posed.pictures, limits, is_operating=is_operating, is_cancelled=is_cancelled, seed=seed
    ):
        if isinstance(event, Finished):
            finished = event
    assert finished is not None  # the loop always ends with it
    return finished.trace
