"""The learning trap: whether curiosity keeps a policy looking that would give it up (paper, section 5).

    base        sees and does not operate: `python -m engine.lab.recipe.remake --only sight`, exported; STUDIO_MODEL names it
    warm start  a short SFT on synthesised trajectories, after which calls often fail
    full        GRPO with curiosity, and the same without, on easy and hard questions mixed

The warm start, the runs and the questions are those of `bench rl-gain`, so in a folder of it only the warm start is still asked
once more, told not to operate.

What makes it a trap is measured, not assumed: how many calls fail in the first steps, and what the warm start comes to when
it may operate and when it is told not to. The hypotheses, which were written before the test was asked:

    1  without curiosity RaPR falls to less than half          every run, last WINDOW steps against the first WINDOW
    2  with curiosity RaPR stays above 0.5                     every run, any WINDOW steps in a row, and at evaluation
    3  with curiosity it ends 5 points higher on the hard part the examples are the same ones, so the difference is paired

How ours differs from the paper: a miniature of its world, a base that was made to forget its calls rather than one that never
learned them, LoRA, and a hundredth of its rollouts.

Invariant: nothing learns from what is asked, and the held-out questions are asked once, after the settings were chosen on
`development`.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.lab.bench import rl_gain
from engine.lab.study.figures import cell, mean_cell, run_figures
from engine.lab.study.folder import Folder
from engine.lab.study.hypotheses import falls, judgement, stays
from engine.lab.study.plan import BENCHMARKS, Evaluate, Grpo, Sizes, StudyPart
from engine.settings import Settings
from engine.training.trap import WINDOW

__all__ = ["LEAST_GAIN_POINTS", "RUNS", "figures", "measure", "parts_of", "report"]

LEAST_GAIN_POINTS = 5.0
RUNS = ("with_curiosity", "without_curiosity")


def measure(
    settings: Settings,
    out: Path | None,
    sizes: Sizes = rl_gain.SIZES,
    *,
    purpose: str = "held-out",
    jobs: int = 1,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """`figures`, measured in the folder `out`, in which a measurement that was stopped goes on; None takes a temporary one.
    Raises InvalidInput where another measurement is there."""
    parts = parts_of(sizes, purpose)
    with rl_gain.done_in(out, parts, settings, sizes, purpose, rl_gain.SETTINGS, jobs, progress) as folder:
        return figures(folder, parts, purpose)


def parts_of(sizes: Sizes, purpose: str = "held-out") -> tuple[StudyPart, ...]:
    """The parts of a measurement, whose questions are drawn for `purpose`."""
    told_not_to = Evaluate("no-operations", 0, "sft", is_operating=False, purpose=purpose)
    return (*rl_gain.parts_of(sizes, RUNS, purpose), told_not_to)


def figures(folder: Folder, parts: Sequence[StudyPart], purpose: str) -> dict[str, Any]:
    """What the finished parts in `folder` come to."""
    evaluations = [folder.result(part.name) for part in parts if isinstance(part, Evaluate)]
    results = {part.name: folder.result(part.name) for part in parts if isinstance(part, Grpo)}
    rows = {
        row: [one for one in evaluations if one["row"] == row] for row in dict.fromkeys(e["row"] for e in evaluations)
    }
    runs = [run_figures(one) for one in results.values()]
    full, without = ([one for one in runs if one["row"] == row] for row in ("full", "no-curiosity"))
    gain, error = _gain(rows["full"], rows["no-curiosity"])
    return {
        "bench": "trap",
        "asked": purpose,
        "machine": evaluations[0]["machine"],
        "cpu_s": {name: round(sum(step["cpu_seconds"] for step in one["metrics"])) for name, one in results.items()},
        "rows": {row: {part: _cell(found, part) for part in ("all", "hard", "easy")} for row, found in rows.items()},
        "first_calls_failed": round(statistics.fmean(_mean(one["operation_errors"][:WINDOW]) for one in runs), 3),
        "rapr": {f"{one['row']} {one['seed']}": [round(_mean(it), 3) for it in _windows(one["rapr"])] for one in runs},
        "hypotheses": [
            falls(without),
            stays(full, mean_cell(_cells(rows["full"], "all"))["rapr"]),
            judgement(
                f"with curiosity it ends {LEAST_GAIN_POINTS:g} points higher on the hard part",
                gain >= LEAST_GAIN_POINTS,
                f"{gain:+.1f} ± {error:.1f} points",
            ),
        ],
        "gain_points": round(gain, 2),
        "gain_stderr": round(error, 2),
    }


def report(found: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    lines = [f"trap, {found['asked']} questions: {100 * found['first_calls_failed']:.0f}% of the first calls failed"]
    for row, parts in found["rows"].items():
        told = ", ".join(
            f"{name} {it['percent']:.1f}% ± {it['stderr']:.1f} (RaPR {it['rapr']:.2f})" for name, it in parts.items()
        )
        lines.append(f"  {row}: {told}")
    lines += [f"  RaPR of {run}: {' '.join(f'{rate:.2f}' for rate in rates)}" for run, rates in found["rapr"].items()]
    lines += [
        f"  {'held' if one['held'] else 'did not hold'}: {one['statement']}: {one['numbers']}"
        for one in found["hypotheses"]
    ]
    return lines


def _gain(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """How many points the mean of the runs `ours` is higher on the hard part than that of `theirs`, and its standard error, which
    knows the examples (the same on both sides) and the runs."""
    means, errors = [], []
    for name in BENCHMARKS:
        hard = _chosen(ours[0], name, "hard")
        gains = [_score(ours, name, k) - _score(theirs, name, k) for k in hard]
        means.append(_mean(gains))
        errors.append(statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else 0.0)
    of_runs = [
        [_mean([_mean(_hard_scores(run, name)) for name in BENCHMARKS]) for run in side] for side in (ours, theirs)
    ]
    spread = sum(statistics.variance(side) / len(side) for side in of_runs if len(side) > 1)
    return 100 * _mean(means), 100 * math.sqrt(math.fsum(error**2 for error in errors) / len(errors) ** 2 + spread)


def _hard_scores(run: Mapping[str, Any], name: str) -> list[float]:
    return [run["benchmarks"][name]["scores"][k] for k in _chosen(run, name, "hard")]


def _score(runs: Sequence[Mapping[str, Any]], name: str, example: int) -> float:
    return _mean([run["benchmarks"][name]["scores"][example] for run in runs])


def _chosen(run: Mapping[str, Any], name: str, part: str) -> list[int]:
    return [k for k, mark in enumerate(run["benchmarks"][name]["difficulties"]) if part in ("all", mark)]


def _cells(runs: Sequence[Mapping[str, Any]], part: str) -> list[dict[str, Any]]:
    return [cell([run["benchmarks"][name] for run in runs], _chosen(runs[0], name, part)) for name in BENCHMARKS]


def _cell(runs: Sequence[Mapping[str, Any]], part: str) -> dict[str, float]:
    it = mean_cell(_cells(runs, part))
    return {
        "percent": round(100 * it["accuracy"], 2),
        "stderr": round(100 * it["stderr"], 2),
        "rapr": round(it["rapr"], 3),
    }


def _windows(rates: Sequence[float]) -> list[Sequence[float]]:
    return [rates[k : k + WINDOW] for k in range(0, len(rates), WINDOW)]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
