"""The study's figures, from the results of its parts: the table's cells, the curves, the times. Pure.

    cell    {"n", "accuracy", "stderr", "by_seed", "rapr"} of a row on a benchmark or a part of one

Algorithm: where a row has several runs, an example's score is the mean over the runs; accuracy is the mean of these and
stderr its standard error over the examples, so that it tells what other examples would change. How much another seed
changes stands in `by_seed`. The mean of the four benchmarks weighs them alike; its standard error is
sqrt(sum of squares) / 4, since they share no examples.

Invariant: unscored is never zero; here every example has a gold answer, and one without raises.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.lab.study.plan import BENCHMARKS, LABELS, ROWS, Row
from engine.training.trap import is_trapped

__all__ = ["alarm_at", "cell", "mean_cell", "row_figures", "run_figures", "smoothed"]

SMOOTH = 5
"""Steps that are averaged, as the alarm of the trap does."""
CURVES = ("rapr", "reward", "correctness")


def cell(runs: Sequence[Mapping[str, Any]], chosen: Sequence[int]) -> dict[str, Any]:
    """Of the results of each run on one benchmark ("scores", "used_operation"), the `chosen` examples, at least one."""
    scores = [[float(run["scores"][k]) for k in chosen] for run in runs]
    used = [[bool(run["used_operation"][k]) for k in chosen] for run in runs]
    of_example = [_mean(column) for column in zip(*scores, strict=True)]
    accuracy = _mean(of_example)
    return {
        "n": len(chosen),
        "accuracy": accuracy,
        "stderr": math.sqrt(math.fsum((one - accuracy) ** 2 for one in of_example)) / len(of_example),
        "by_seed": [_mean(one) for one in scores],
        "rapr": _mean([_mean(one) for one in used]),
    }


def mean_cell(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The mean of several cells of one row, weighed alike."""
    return {
        "n": sum(one["n"] for one in cells),
        "accuracy": _mean([one["accuracy"] for one in cells]),
        "stderr": math.sqrt(math.fsum(one["stderr"] ** 2 for one in cells)) / len(cells),
        "by_seed": [_mean(ones) for ones in zip(*(one["by_seed"] for one in cells), strict=True)],
        "rapr": _mean([one["rapr"] for one in cells]),
    }


def row_figures(evaluations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the table from the results of all evaluations (engine.lab.study.running), in the table's order."""
    return [_row(row, [one for one in evaluations if one["row"] == row]) for row in ROWS]


def _row(row: Row, evaluations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    runs = sorted(evaluations, key=lambda one: one["seed"])
    benchmarks = {}
    for name in BENCHMARKS:
        found = [run["benchmarks"][name] for run in runs]
        whole = cell(found, range(len(found[0]["scores"])))
        benchmarks[name] = whole | {
            by: {mark: cell(found, chosen) for mark, chosen in _marked(found[0][marks]).items()}
            for by, marks in (("difficulty", "difficulties"), ("category", "categories"))
        }
    parts = {
        mark: mean_cell([one["difficulty"][mark] for one in benchmarks.values() if mark in one["difficulty"]])
        for mark in ("easy", "hard")
        if any(mark in one["difficulty"] for one in benchmarks.values())
    }
    return {
        "row": row,
        "label": LABELS[row],
        "runs": len(runs),
        "benchmarks": benchmarks,
        "mean": mean_cell(list(benchmarks.values())),
        **parts,
    }


def _marked(marks: Sequence[str | None]) -> dict[str, list[int]]:
    return {name: [k for k, mark in enumerate(marks) if mark == name] for name in sorted({m for m in marks if m})}


def run_figures(result: Mapping[str, Any]) -> dict[str, Any]:
    """The curves of an RL run from its result, whose part is called grpo-ROW-SEED."""
    row, _, seed = result["part"].removeprefix("grpo-").rpartition("-")
    metrics, settings = result["metrics"], result["settings"]
    rates = [one["rapr"] for one in metrics]
    return {
        "part": result["part"],
        "row": row,
        "seed": int(seed),
        "variant": settings["variant"] if settings["is_curious"] else "correctness alone",
        "steps": [one["step"] for one in metrics],
        **{name: [one[name] for one in metrics] for name in CURVES},
        "operation_errors": [one["operation_errors"] for one in metrics],
        "uniform_share": [one["uniform_share"] for one in metrics],
        "alarm_at": alarm_at(rates, settings["threshold"]),
        "is_trapped": is_trapped(rates, settings["threshold"]),
    }


def alarm_at(rates: Sequence[float], threshold: float) -> int | None:
    """The first step (from 1) at which the alarm of the learning trap rang, or None."""
    return next((k for k in range(1, len(rates) + 1) if is_trapped(rates[:k], threshold)), None)


def smoothed(values: Sequence[float], window: int = SMOOTH) -> list[float]:
    """Each value's mean with up to `window` - 1 values before it."""
    return [_mean(values[max(0, k - window + 1) : k + 1]) for k in range(len(values))]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
