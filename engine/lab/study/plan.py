"""What a study consists of: its rows, its parts, and what each part needs. Pure values.

    no operations             the base, asked to answer from the first views
    warm start only           SFT on synthesised trajectories of the paper's kinds and shares (docs/paper.md, phase 1)
    RL without curiosity      from the warm start, GRPO with the correctness alone as its reward
    RL without warm start     GRPO with curiosity from the base itself
    RL without correction data  warm start on trajectories without erroneous steps, then GRPO with curiosity
    full                      the warm start, then GRPO with curiosity

Invariants: every need of a part stands before it; the examples of trajectories, of RL and of the test come from three
sources that share no seed, and only `Evaluate` needs the test's. A source of the split `train` has seeds far from 0, where
the training of a base begins to draw.

Not covered: running (`engine.lab.study.running`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import InvalidInput

__all__ = [
    "BENCHMARKS",
    "LABELS",
    "ROWS",
    "SOURCES",
    "Draw",
    "Evaluate",
    "Grpo",
    "StudyPart",
    "Row",
    "Sft",
    "Sizes",
    "Source",
    "plan",
    "ready",
]

BENCHMARKS = ("mini-vstar", "mini-tally", "mini-info", "mini-mv")

Row = Literal["no-operations", "warm-start", "no-curiosity", "no-warm-start", "no-corrections", "full", "credit"]
LABELS: Mapping[Row, str] = {
    "no-operations": "no operations",
    "warm-start": "warm start only",
    "no-curiosity": "RL without curiosity",
    "no-warm-start": "RL without warm start",
    "no-corrections": "RL without correction data",
    "full": "full",
    "credit": "RL by credit",
}
ROWS: tuple[Row, ...] = tuple(row for row in LABELS if row != "credit")
"""Of the study; `credit` is a row of `bench rl-gain` alone."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where examples are drawn: a split of the benchmark and a seed in it (`engine.evaluation.benchmarks.draw`)."""

    split: Literal["train", "validation", "test"]
    seed: int


SOURCES: Mapping[str, Source] = {
    "trajectories": Source("train", 9_001),
    "practice": Source("train", 9_002),
    "test": Source("test", 0),
    "development": Source("validation", 151),
    "held-out": Source("test", 151),
}
"""`practice` is what RL rolls out; the test is the one that `python -m engine evaluate` takes. The others are those of
`bench rl-gain` and `bench trap`: settings were chosen on `development`, and `held-out` is asked once they were."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a study is. `test_examples`, `trajectories` and `practice_examples` are counts of each benchmark; `seeds`
    is how many runs the rows `full` and `RL without curiosity` have. An attempt, in RL and in evaluation alike, has at
    most `max_turns` turns of `max_turn_tokens` tokens, `max_tokens` in all. Raises InvalidInput for impossible values."""

    test_examples: int = 500
    trajectories: int = 100
    practice_examples: int = 100
    sft_passes: float = 3.0
    sft_learning_rate: float = 1e-4
    sft_batch_size: int = 8
    rl_steps: int = 40
    queries_a_step: int = 8
    rollouts: int = 8
    rl_learning_rate: float = 4e-4
    seeds: int = 3
    max_turns: int = 4
    max_tokens: int = 512
    max_turn_tokens: int = 160

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, least = getattr(self, field.name), 2 if field.name == "rollouts" else 1
            is_rate = field.name.endswith("learning_rate")
            if not (0 < value < 1 if is_rate else value > 0 if field.name == "sft_passes" else value >= least):
                expected = "a rate between 0 and 1" if is_rate else f"a number from {least}"
                raise InvalidInput(f"{field.name} takes {expected}, not {value:g}")

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


# --- parts ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draw:
    """The first `count` examples of a benchmark for a purpose, a key of SOURCES."""

    benchmark: str
    purpose: str
    count: int

    @property
    def name(self) -> str:
        return f"{self.purpose}-{self.benchmark}"

    @property
    def needs(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Sft:
    """A warm start. Without `is_correcting` no trajectory has an erroneous step: where the paper's kinds would err, the
    same example is made a single pass, so that nothing else differs."""

    is_correcting: bool

    @property
    def name(self) -> str:
        return "sft" if self.is_correcting else "sft-no-corrections"

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(f"trajectories-{name}" for name in BENCHMARKS)


@dataclass(frozen=True, slots=True)
class Grpo:
    """An RL run of a row; `start_from` is the Sft whose adapter it begins with, None the base. `settings` are those of
    GrpoConfig, by name, that are others than the study's."""

    row: Row
    seed: int
    start_from: str | None
    is_curious: bool
    settings: Mapping[str, int | float | bool | str] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"grpo-{self.row}-{self.seed}"

    @property
    def needs(self) -> tuple[str, ...]:
        start = () if self.start_from is None else (self.start_from,)
        return (*start, *(f"practice-{name}" for name in BENCHMARKS))


@dataclass(frozen=True, slots=True)
class Evaluate:
    """A run of a row over the examples of all benchmarks that were drawn for `purpose`, a key of SOURCES; `adapter` is the
    part that made it, None the bare base."""

    row: Row
    seed: int
    adapter: str | None
    is_operating: bool = True
    purpose: str = "test"

    @property
    def name(self) -> str:
        return f"evaluate-{self.row}-{self.seed}"

    @property
    def needs(self) -> tuple[str, ...]:
        made = () if self.adapter is None else (self.adapter,)
        return (*made, *(f"{self.purpose}-{name}" for name in BENCHMARKS))


StudyPart = Draw | Sft | Grpo | Evaluate


def plan(sizes: Sizes) -> tuple[StudyPart, ...]:
    """All parts of a study, in an order in which they can be done one after another."""
    runs = [Grpo("full", 0, "sft", True), Grpo("no-curiosity", 0, "sft", False)]
    runs += [Grpo("no-warm-start", 0, None, True), Grpo("no-corrections", 0, "sft-no-corrections", True)]
    for seed in range(1, sizes.seeds):
        runs += [Grpo("full", seed, "sft", True), Grpo("no-curiosity", seed, "sft", False)]

    def draws(purpose: str, count: int) -> list[Draw]:
        return [Draw(benchmark, purpose, count) for benchmark in BENCHMARKS]

    return (
        *draws("trajectories", sizes.trajectories),
        *draws("practice", sizes.practice_examples),
        Sft(True),
        Sft(False),
        *draws("test", sizes.test_examples),
        *runs,
        Evaluate("no-operations", 0, None, is_operating=False),
        Evaluate("warm-start", 0, "sft"),
        *(Evaluate(run.row, run.seed, run.name) for run in runs),
    )


def ready(parts: Sequence[StudyPart], done: Collection[str], busy: Collection[str] = ()) -> list[StudyPart]:
    """The parts that can begin now, in the order of the plan: not done, not `busy`, and all that they need is done."""
    return [part for part in parts if part.name not in {*done, *busy} and set(part.needs) <= set(done)]
