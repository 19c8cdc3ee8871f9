"""Running a policy over examples: one attempt each, scored as it ends.

The idea: the loop is `engine.reasoning.reason`, the very one that answers on screen; this only asks, measures and scores.
Several attempts can run together in one batch (`engine.drivers.together`); their traces are the same but for rounding: in
fp32 to the letter, in fewer bits another token may be said where two are all but equally likely.

CPU time is `time.process_time` of the whole process, all its threads, from the question to the end of the attempt, or the
attempt's share of it where several run together: loading the model, drawing and decoding media are not in it. Nothing else
should run in the process meanwhile.

Not covered: storing traces; a policy that fails (its error is raised as it stands, and the evaluation ends).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from engine.drivers.streaming import stream
from engine.drivers.together import Prompt, run_together
from engine.evaluation.examples import Posed
from engine.evaluation.hits import is_hit
from engine.evaluation.scoring import Result, score_answer
from engine.policies.base import Policy, never
from engine.reasoning import Finished, Limits
from engine.trace import Example, Trace

__all__ = ["attempt", "evaluate"]


def evaluate(
    policy: Policy,
    examples: Iterable[Posed],
    limits: Limits | None = None,
    *,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
    at_once: int = 1,
) -> Iterator[Result]:
    """A result for each example, in order, as it comes; greedy (no seed), `at_once` (from 1) attempts together. When
    `is_cancelled` the running attempts are dropped and the iterator ends."""
    asked: dict[int, Example] = {}
    results: dict[int, Result] = {}

    def prompts() -> Iterator[Prompt]:
        for number, posed in enumerate(examples):
            asked[number] = posed.example
            yield Prompt(posed.example, posed.pictures, is_operating=is_operating)

    told = 0
    for ended in run_together(policy, prompts(), limits, at_once=at_once, is_cancelled=is_cancelled):
        example, trace = asked.pop(ended.prompt), ended.finished.trace
        if trace.stop_reason == "cancelled":
            return
        score, hit = score_answer(trace.answer, example), is_hit(trace, example.evidence)
        results[ended.prompt] = Result(example, trace, score, hit, ended.cpu_s)
        while told in results:
            yield results.pop(told)
            told += 1


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
    *_, finished = stream(
        policy, posed.example, posed.pictures, limits, is_operating=is_operating, is_cancelled=is_cancelled, seed=seed
    )
    assert isinstance(finished, Finished)  # the loop always ends with it
    return finished.trace
