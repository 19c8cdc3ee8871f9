"""Before and after training: a policy's accuracy on a few drawn examples that it does not learn from.

The idea: examples of a bundled benchmark from a seed of their own (not 0, which `evaluate` takes by default), drawn
anew each time, so what a job has to remember is only (benchmark, count, seed): the same three always mean the same
examples.

Invariant: an example whose medium is among `excluded` (what a job trains on) is passed over, and the next one drawn
takes its place. Without drawn benchmarks nothing is measured, and the summary says so.

Not covered: examples of a person's own (`python -m engine evaluate EXAMPLES.jsonl`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from engine.errors import InvalidInput
from engine.evaluation.benchmarks import MAX_COUNT, draw
from engine.evaluation.drawn import ABSENT, benchmark_named, drawn_benchmarks, required_benchmark
from engine.evaluation.examples import Posed, pose
from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import Result, summarise
from engine.policies.base import Policy, never
from engine.reasoning import Limits

__all__ = ["MAX_HELD_OUT", "HeldOut", "measure"]

MAX_HELD_OUT = 500


@dataclass(frozen=True, slots=True)
class HeldOut:
    """`count` examples of `benchmark` from `seed`; 0 measures nothing. Raises InvalidInput for what cannot be drawn. Where
    there are no drawn benchmarks every name is taken, so that a job of another installation can still be read."""

    benchmark: str = "mini-signs"
    count: int = 16
    seed: int = 7

    def __post_init__(self) -> None:
        if drawn_benchmarks():
            required_benchmark(self.benchmark)
        if not 0 <= self.count <= MAX_HELD_OUT:
            raise InvalidInput(f"0 to {MAX_HELD_OUT} held-out examples can be measured, not {self.count}")

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> HeldOut:
        """From what a job recorded; `{}` measures nothing."""
        known = {field.name: data[field.name] for field in dataclasses.fields(cls) if field.name in data}
        return cls(**known) if known else cls(count=0)

    def examples(self, excluded: Collection[str] = ()) -> Iterator[Posed]:
        """One at a time; `excluded` are the sha256 of media that may not be shown."""
        benchmark = benchmark_named(self.benchmark)
        if benchmark is None or self.count == 0:
            return
        drawn = draw(benchmark, min(MAX_COUNT, self.count + len(excluded)), self.seed)
        posed = map(pose, drawn)
        fresh = (one for one in posed if not any(medium.sha256 in excluded for medium in one.example.media))
        yield from islice(fresh, self.count)


def measure(
    held_out: HeldOut,
    policy: Policy,
    limits: Limits | None = None,
    *,
    excluded: Collection[str] = (),
    is_cancelled: Callable[[], bool] = never,
    on_progress: Callable[[int, int], None] = lambda done, count: None,
) -> dict[str, Any]:
    """The summary of `engine.evaluation.scoring` as JSON, and under "examples" each question with its gold answer, the
    policy's answer, its score (None where unscored) and its first medium's sha256; "note" says in a sentence why nothing
    was measured, where that is so. `on_progress(done, of how many)`."""
    results: list[Result] = []
    on_progress(0, held_out.count)
    for result in evaluate(policy, held_out.examples(excluded), limits, is_cancelled=is_cancelled):
        results.append(result)
        on_progress(len(results), held_out.count)
    told = [
        {
            "question": result.example.question,
            "gold": result.example.answer,
            "answer": result.trace.answer,
            "score": result.score,
            "sha256": result.example.media[0].sha256,
        }
        for result in results
    ]
    note = {} if drawn_benchmarks() else {"note": f"measured on nothing: {ABSENT}"}
    return dataclasses.asdict(summarise(held_out.benchmark, results)) | {
        "seed": held_out.seed,
        "examples": told,
        **note,
    }
