"""Running a policy over examples: attempts at each, many on their way at once, and scores as they end.

The idea: the loop is `engine.reasoning.reason`, the very one that answers on screen; this only asks, measures and scores.
`run_attempts` is the one way to run many: a policy that answers while its caller waits speaks for all of them in one batch
(`engine.drivers.together`), one whose turns are awaited gets them side by side (`engine.drivers.asynchronous`). The traces
are those of one by one but for rounding: in fp32 to the letter, in fewer bits another token may be said where two are all
but equally likely.

CPU time is `time.process_time` of the whole process, all its threads, from the question to the end of the attempt, or the
attempt's share of it where several run together: loading the model, drawing and decoding media are not in it. Nothing else
should run in the process meanwhile.

Not covered: storing traces (`engine.jobs.attempts`); a policy that fails (its error is raised as it stands, and the run
ends).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

from engine.drivers.asynchronous import run_async
from engine.drivers.streaming import stream
from engine.drivers.together import Prompt, run_together
from engine.evaluation.ahead import ahead
from engine.evaluation.conventions.convention import Following
from engine.evaluation.examples import Posed
from engine.evaluation.hits import is_hit
from engine.evaluation.scoring import Result, Score, score_answer
from engine.policies.base import AsyncPolicy, Policy, is_awaited, never, prepares
from engine.reasoning import Finished, Limits
from engine.trace import Example, Trace

__all__ = ["AT_ONCE", "Attempted", "Task", "attempt", "evaluate", "run_attempts"]

AT_ONCE = 16
"""How many attempts are evaluated together: more bring little (`bench evaluate`) and want memory."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """An example at a place in its source (from 0), to be attempted once for each of `seeds`: number of the attempt (from
    0) -> seed, None for greedy. `files` are where its media came from, for whoever keeps them; `following` is another
    project's way to ask and to score, None for ours."""

    position: int
    posed: Posed
    seeds: Mapping[int, int | None]
    files: tuple[Path | bytes, ...] = ()
    following: Following | None = None

    @property
    def asked(self) -> Example:
        """The example in the words in which the policy is asked it. Raises InvalidInput."""
        return self.posed.example if self.following is None else self.following.worded(self.posed.example)

    def score(self, answer: str | None) -> Score:
        example = self.posed.example
        return score_answer(answer, example) if self.following is None else self.following.score(answer, example)


@dataclass(frozen=True, slots=True)
class Attempted:
    """Attempt `number` at a task's example, as it ended; `cpu_s` is its share of the process's CPU seconds, 0 where the
    policy's turns are awaited."""

    task: Task
    number: int
    finished: Finished
    cpu_s: float

    @property
    def result(self) -> Result:
        """The attempt, scored."""
        example, trace = self.task.posed.example, self.finished.trace
        score, hit = self.task.score(trace.answer), is_hit(trace, example.evidence)
        return Result(example, trace, score, hit, self.cpu_s, self.task.position, self.finished.tokens)


def run_attempts(
    policy: Policy | AsyncPolicy,
    tasks: Iterable[Task],
    limits: Limits | None = None,
    *,
    at_once: int,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
) -> Generator[Attempted, None, None]:
    """Every attempt as it ends, at most `at_once` (from 1) on their way; tasks are taken as there is room. When
    `is_cancelled` the running attempts are dropped and the iterator ends. Raises what the policy or the pixels raise."""
    asked: dict[int, Task] = {}

    def prompts() -> Iterator[Prompt]:
        for number, task in enumerate(tasks):
            asked[number] = task
            yield Prompt(task.asked, task.posed.pictures, tuple(task.seeds.values()), is_operating)

    left: dict[int, int] = {}
    for prompt, rollout, finished, cpu_s in _ended(policy, prompts(), limits, at_once, is_cancelled):
        if finished.trace.stop_reason == "cancelled":
            return
        task = asked[prompt]
        left[prompt] = left.get(prompt, len(task.seeds)) - 1
        if left[prompt] == 0:  # its pictures are let go
            del asked[prompt], left[prompt]
        # Whatever the words around it, the question is the data set's.
        trace = replace(finished.trace, question=task.posed.example.question)
        yield Attempted(task, tuple(task.seeds)[rollout], replace(finished, trace=trace), cpu_s)


def evaluate(
    policy: Policy | AsyncPolicy,
    examples: Iterable[Posed],
    limits: Limits | None = None,
    *,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
    at_once: int = AT_ONCE,
    following: Following | None = None,
) -> Iterator[Result]:
    """A result for each example, in order, as it comes; greedy (no seed), `at_once` (from 1) attempts together, as many
    examples made beforehand, asked and scored as `following` says. When `is_cancelled` the running attempts are dropped and
    the iterator ends."""
    results: dict[int, Result] = {}
    told = 0
    with closing(ahead(examples, at_once)) as coming:
        tasks = (Task(position, posed, {0: None}, following=following) for position, posed in enumerate(coming))
        for ended in run_attempts(
            policy, tasks, limits, at_once=at_once, is_operating=is_operating, is_cancelled=is_cancelled
        ):
            results[ended.task.position] = ended.result
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


def _ended(
    policy: Policy | AsyncPolicy,
    prompts: Iterator[Prompt],
    limits: Limits | None,
    at_once: int,
    is_cancelled: Callable[[], bool],
) -> Iterator[tuple[int, int, Finished, float]]:
    """(number of the prompt, number of its seed, how it finished, CPU seconds) of every attempt."""
    if is_awaited(policy):
        coming = run_async(policy, prompts, limits, at_once=at_once, is_cancelled=is_cancelled)
        for prompt, rollout, finished in _waited_for(coming):
            yield prompt, rollout, finished, 0.0
        return
    speaking = cast(Policy, policy)
    prepared = at_once if prepares(speaking) else 0
    for ended in run_together(speaking, prompts, limits, at_once=at_once, prepared=prepared, is_cancelled=is_cancelled):
        yield ended.prompt, ended.rollout, ended.finished, ended.cpu_s


def _waited_for(coming: AsyncGenerator[T, None]) -> Iterator[T]:
    """The items of an asynchronous generator, as they come. It runs on a loop in a thread of its own: a caller may have a
    loop already, as in a notebook, and what is under way goes on while an item is looked at. Closing this closes it."""

    asked: set[asyncio.Task[object] | None] = set()

    async def following() -> tuple[T] | None:
        asked.add(asyncio.current_task())
        try:
            return (await anext(coming),)
        except StopAsyncIteration:
            return None
        finally:
            asked.clear()

    async def close() -> None:
        for task in [task for task in asked if task is not None]:  # Ctrl-C came while it was waited for
            task.cancel()
            await asyncio.wait([task])
        await coming.aclose()

    with _looping() as loop:
        try:
            while (one := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
                yield one[0]
        finally:
            asyncio.run_coroutine_threadsafe(close(), loop).result()


@contextmanager
def _looping() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="attempts", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
