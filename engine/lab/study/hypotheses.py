"""What was expected of the study before it ran, each as a statement that the figures hold or do not hold. Pure.

    1  full is the best row in every column            (of accuracies; ties do not count as best)
    2  full reaches 85% on the mean of the four
    3  full is 30 points above "no operations" on the hard part, mean of the four
    4  without curiosity RaPR falls: in every run the mean of the last steps is below half of the mean of the first
    5  with curiosity RaPR stays above 0.5: in every run of full, every mean of so many steps in a row, and at evaluation

"Steps" are as many as the alarm of the trap averages (`engine.training.trap.WINDOW`), or all of a shorter run. The paper's
curve is steeper than 4 asks for (0.55 to 0 in 240 steps); a miniature has fewer steps.

Invariant: a statement is judged by the figures alone, never by their rounded form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.lab.study.plan import BENCHMARKS
from engine.training.trap import WINDOW

__all__ = ["LEAST_GAIN", "LEAST_MEAN", "LEAST_RAPR", "falls", "judged", "judgement", "stays"]

LEAST_MEAN = 0.85
LEAST_GAIN = 0.30
LEAST_RAPR = 0.5


def judged(rows: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """[{"statement", "held", "numbers"}] from `row_figures` and `run_figures`; `numbers` is a sentence."""
    by_row = {one["row"]: one for one in rows}
    full = by_row["full"]
    return [
        _best_everywhere(full, [one for one in rows if one["row"] != "full"]),
        judgement(
            f"full reaches {LEAST_MEAN:.0%} on the mean of the four",
            full["mean"]["accuracy"] >= LEAST_MEAN,
            f"{_share(full['mean'])}",
        ),
        _far_above(full, by_row["no-operations"]),
        falls([one for one in runs if one["row"] == "no-curiosity"]),
        stays([one for one in runs if one["row"] == "full"], full["mean"]["rapr"]),
    ]


def _best_everywhere(full: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    told, is_best = [], True
    for name in BENCHMARKS:
        own = full["benchmarks"][name]
        second = max(others, key=lambda one: one["benchmarks"][name]["accuracy"])
        other = second["benchmarks"][name]
        gain = own["accuracy"] - other["accuracy"]
        error = math.hypot(own["stderr"], other["stderr"])
        is_best = is_best and gain > 0
        told.append(
            f"{name} {_share(own)}, best other {second['label']} {_share(other)}, {_points(gain)} ± {100 * error:.1f}"
        )
    return judgement("full is the best row in every column", is_best, "; ".join(told))


def _far_above(full: Mapping[str, Any], without: Mapping[str, Any]) -> dict[str, Any]:
    statement = f"full is {100 * LEAST_GAIN:.0f} points above no operations on the hard part"
    if "hard" not in full:
        return judgement(statement, False, "no example is marked as hard")
    gain = full["hard"]["accuracy"] - without["hard"]["accuracy"]
    told = f"{_share(full['hard'])} against {_share(without['hard'])}, {_points(gain)}"
    return judgement(statement, gain >= LEAST_GAIN, told)


def falls(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Statement 4, of the runs without curiosity (`run_figures`)."""
    ends = [(_mean(run["rapr"][:WINDOW]), _mean(run["rapr"][-WINDOW:])) for run in runs]
    told = "; ".join(
        f"seed {run['seed']} {first:.2f} to {last:.2f}{_alarm(run)}"
        for run, (first, last) in zip(runs, ends, strict=True)
    )
    has_fallen = bool(ends) and all(last < first / 2 for first, last in ends)
    return judgement("without curiosity RaPR falls to less than half", has_fallen, told)


def stays(runs: Sequence[Mapping[str, Any]], at_evaluation: float) -> dict[str, Any]:
    """Statement 5, of the runs with curiosity; `at_evaluation` is their RaPR there, 0 to 1."""
    lowest = [min(_windows(run["rapr"])) for run in runs]
    told = "; ".join(f"seed {run['seed']} lowest {low:.2f}{_alarm(run)}" for run, low in zip(runs, lowest, strict=True))
    has_stayed = bool(lowest) and min(lowest) > LEAST_RAPR and at_evaluation > LEAST_RAPR
    return judgement(
        f"with curiosity RaPR stays above {LEAST_RAPR}", has_stayed, f"{told}; {at_evaluation:.2f} at evaluation"
    )


def judgement(statement: str, has_held: bool, numbers: str) -> dict[str, Any]:
    """A statement as `judged` gives it."""
    return {"statement": statement, "held": has_held, "numbers": numbers}


def _windows(values: Sequence[float]) -> list[float]:
    return [_mean(values[k - WINDOW : k]) for k in range(WINDOW, len(values) + 1)] or [_mean(values)]


def _alarm(run: Mapping[str, Any]) -> str:
    return "" if run["alarm_at"] is None else f" (alarm at step {run['alarm_at']})"


def _share(cell: Mapping[str, Any]) -> str:
    return f"{100 * cell['accuracy']:.1f}% ± {100 * cell['stderr']:.1f}"


def _points(gain: float) -> str:
    return f"{100 * gain:+.1f} points"


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
