"""How good a policy is before and after training: the same held-out examples, every time.

The idea: examples of a bundled benchmark that no training sees (fonts, words and backgrounds held out), few enough that a
person waits for them. They are drawn anew for each measurement, so that nothing is held between the two.

Not covered: a person's own held-out examples; `python -m engine evaluate` takes those.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInput
from engine.evaluation.benchmarks import BENCHMARKS, benchmark_named, draw, pose_drawn
from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import summarise
from engine.policies.base import Policy, never
from engine.reasoning import Limits

__all__ = ["HeldOut"]

_SEED = 1
"""Not 0, which `python -m engine evaluate` takes: what a person trained towards is then not what is reported."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The first `count` examples of `benchmark`. Raises InvalidInput for a benchmark that does not exist."""

    benchmark: str = "mini-signs-heldout"
    count: int = 24

    def __post_init__(self) -> None:
        if benchmark_named(self.benchmark) is None or type(self.count) is not int or self.count < 1:
            names = ", ".join(benchmark.name for benchmark in BENCHMARKS)
            raise InvalidInput(
                f"held-out examples are a benchmark ({names}) and a count from 1, not {self.benchmark!r} and {self.count!r}"
            )

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def measure(
        self, policy: Policy, is_cancelled: Callable[[], bool] = never, limits: Limits | None = None
    ) -> Mapping[str, Any]:
        """The summary of a run, with the keys of `python -m engine evaluate`; of what was done where it was cancelled."""
        benchmark = benchmark_named(self.benchmark)
        assert benchmark is not None
        examples = (pose_drawn(drawn) for drawn in draw(benchmark, self.count, _SEED))
        results = evaluate(policy, examples, limits, is_cancelled=is_cancelled)
        return dataclasses.asdict(summarise(self.benchmark, results))
