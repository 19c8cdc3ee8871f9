"""Benchmarks whose examples are drawn: what one is, and drawing its examples from a seed.

The idea: a drawn example is the bytes of a media file and a record about it. Evaluation reads these bytes like a person's
file (a picture is an image file, a clip an encoded MP4), so what is measured is the whole path, losses of the codec
included, and `python -m engine examples` writes exactly what `python -m engine evaluate` draws.

Invariants: the k-th example of (name, split, seed) is always the same scene and question; seeds 0, 1, 2, ... share no scene,
nor do splits.

Not covered: which benchmarks there are (`engine.evaluation.drawn`), scoring (`engine.evaluation.scoring`), the files on disk
(`engine.evaluation.writing`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import InvalidInput
from engine.evaluation.examples import Unposed
from engine.trace import MediaKind

__all__ = ["MAX_COUNT", "SEED_STRIDE", "Benchmark", "BenchmarkSplit", "draw"]

MAX_COUNT = 90_000
"""Most examples of one seed."""
SEED_STRIDE = 100_000
"""Scenes that a seed may look through for its examples: seed k begins at scene k times this."""
_MAX_SEED = 9_999

BenchmarkSplit = Literal["train", "validation", "test", "heldout"]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`title` says for people what is asked, in a few words. `split` is what is drawn by default and `splits` what can be;
    `count` is how many examples an evaluation takes by default. `draw_one(name, index, split)` draws scene number `index`
    (from 0) of a split as the example `name`, or None where the scene has nothing to ask about; it is pure in (index, split).

    An example's file is its bytes, its source "benchmark/name". Its answer is a letter where it has options; the evidence of
    a picture is the box of what answers the question, that of a clip the frames in which it shows."""

    name: str
    title: str
    kind: MediaKind
    split: BenchmarkSplit
    count: int
    splits: tuple[BenchmarkSplit, ...]
    draw_one: Callable[[str, int, BenchmarkSplit], Unposed | None]

    @property
    def words(self) -> str:
        """What a choice among benchmarks says: the title, and the name by which commands and tables know it."""
        return f"{self.title}: {self.name}"


def draw(
    benchmark: Benchmark, count: int | None = None, seed: int = 0, split: BenchmarkSplit | None = None
) -> Iterator[Unposed]:
    """The first `count` examples (the benchmark's own number by default) of `seed` in `split` (the benchmark's own by
    default), one at a time. Raises InvalidInput."""
    count = benchmark.count if count is None else count
    split = benchmark.split if split is None else split
    if not 1 <= count <= MAX_COUNT:
        raise InvalidInput(f"{benchmark.name} draws 1 to {MAX_COUNT:,} examples a seed, not {count:,}")
    if not 0 <= seed <= _MAX_SEED:
        raise InvalidInput(f"a seed of {benchmark.name} is a whole number from 0 to {_MAX_SEED:,}, not {seed}")
    if split not in benchmark.splits:
        raise InvalidInput(f"{benchmark.name} has no split {split!r}; choose one of {', '.join(benchmark.splits)}")
    return _draw(benchmark, count, seed, split)


def _draw(benchmark: Benchmark, count: int, seed: int, split: BenchmarkSplit) -> Iterator[Unposed]:
    label = benchmark.name if split == benchmark.split else f"{benchmark.name}-{split}"
    found = 0
    for index in range(SEED_STRIDE):
        drawn = benchmark.draw_one(f"{label}-{seed}-{index:05}", seed * SEED_STRIDE + index, split)
        if drawn is not None:
            yield replace(drawn, example=replace(drawn.example, source=f"{benchmark.name}/{drawn.name}"))
            found += 1
        if found == count:
            return
