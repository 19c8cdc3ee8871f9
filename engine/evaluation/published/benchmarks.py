"""The list of published benchmarks, by the names that `evaluate` takes."""

from __future__ import annotations

from engine.evaluation.published.hrbench import HR_BENCH_4K, HR_BENCH_8K
from engine.evaluation.published.infographicsvqa import INFOGRAPHICSVQA
from engine.evaluation.published.mvbench import MVBENCH
from engine.evaluation.published.source import Published
from engine.evaluation.published.tallyqa import TALLYQA_COMPLEX
from engine.evaluation.published.visualprobe import VISUALPROBE_EASY, VISUALPROBE_HARD, VISUALPROBE_MEDIUM
from engine.evaluation.published.vstar import VSTAR

__all__ = ["PUBLISHED", "published_named"]

PUBLISHED: tuple[Published, ...] = (
    VSTAR,
    TALLYQA_COMPLEX,
    INFOGRAPHICSVQA,
    MVBENCH,
    HR_BENCH_4K,
    HR_BENCH_8K,
    VISUALPROBE_EASY,
    VISUALPROBE_MEDIUM,
    VISUALPROBE_HARD,
)


def published_named(name: str) -> Published | None:
    return next((benchmark for benchmark in PUBLISHED if benchmark.name == name), None)
