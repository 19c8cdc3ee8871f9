"""The report of a study: every figure as JSON, the same for people as Markdown, and the curves as charts.

Invariants: report.md and the charts are functions of report.json alone; nothing names a path, a user or a host.
Not covered: what the figures mean (`figures`, `hypotheses`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.lab.study.chart import curves_svg
from engine.lab.study.figures import row_figures, run_figures
from engine.lab.study.folder import Folder, write_whole
from engine.lab.study.hypotheses import judged
from engine.lab.study.plan import BENCHMARKS, LABELS, Evaluate, Grpo, Sft, StudyPart

__all__ = ["CHARTS", "markdown", "charts", "report_of", "table", "write_report"]

CHARTS: Mapping[str, tuple[str, str, bool]] = {
    "rapr": ("RaPR: rollouts that use an operation", "rapr", True),
    "reward": ("Reward, mean of the rollouts", "reward", False),
    "correctness": ("Correctness, mean of the rollouts", "correctness", True),
}
"""File name without .svg: (title, curve, whether it is a share)."""
_THRESHOLD = 0.3


def report_of(folder: Folder, parts: Sequence[StudyPart], model: str) -> dict[str, Any]:
    """Everything that is reported, from a finished study. `model` is the base's name."""
    identity = folder.identity()
    results = {part.name: folder.result(part.name) for part in parts}
    trained = {part.name: results[part.name] for part in parts if isinstance(part, (Sft, Grpo))}
    rows = row_figures([results[part.name] for part in parts if isinstance(part, Evaluate)])
    runs = [run_figures(results[part.name]) for part in parts if isinstance(part, Grpo)]
    sessions = folder.sessions()
    return {
        "version": 1,
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
        "base": {"name": model, **identity["base"]},
        "sizes": identity["sizes"],
        "sources": identity["sources"],
        "versions": identity["versions"],
        "machines": _different([one["machine"] for one in results.values() if "machine" in one]),
        "wall_seconds": round(sum(one["seconds"] for one in sessions), 1),
        "sessions": len(sessions),
        "part_seconds": {name: round(one["seconds"], 1) for name, one in results.items()},
        "training": {
            name: {"settings": one["settings"], "learned_from": one["learned_from"]} for name, one in trained.items()
        },
        "rows": rows,
        "runs": runs,
        "hypotheses": judged(rows, runs),
    }


def write_report(root: Path, report: Mapping[str, Any]) -> None:
    """report.json, report.md and the charts into `root`."""
    for name, svg in charts(report).items():
        write_whole(root / f"{name}.svg", svg)
    write_whole(root / "report.md", markdown(report))
    write_whole(root / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def charts(report: Mapping[str, Any]) -> dict[str, str]:
    """The SVG of each of CHARTS."""
    return {
        name: curves_svg(
            title, report["runs"], curve, is_share=is_share, threshold=_THRESHOLD if name == "rapr" else None
        )
        for name, (title, curve, is_share) in CHARTS.items()
    }


def table(report: Mapping[str, Any]) -> str:
    """The paper's table as Markdown: accuracy and its standard error in %, RaPR over the four."""
    lines = [f"| | {' | '.join(BENCHMARKS)} | RaPR |", "|---|" + "---|" * (len(BENCHMARKS) + 1)]
    for row in report["rows"]:
        cells = [_cell(row["benchmarks"][name]) for name in BENCHMARKS]
        label = f"**{row['label']}**" if row["row"] == "full" else row["label"]
        lines.append(f"| {label} | {' | '.join(cells)} | {row['mean']['rapr']:.2f} |")
    return "\n".join(lines)


def markdown(report: Mapping[str, Any]) -> str:
    """report.md: deterministic."""
    sizes, base = report["sizes"], report["base"]
    machines = "; ".join(
        f"{one['processor']}, {one['cores']} cores, {one['device']}, {one['quantization']}, {one['computation']}"
        for one in report["machines"]
    )
    n = report["rows"][0]["benchmarks"][BENCHMARKS[0]]["n"]
    sections = [
        "# The paper in miniature",
        f"Written by `python -m engine experiment miniature` on {report['finished']}; every figure is in `report.json`.",
        f"Accuracy in % with its standard error over {n} test examples of each benchmark; where a row has several runs, "
        "an example counts with its mean over them. RaPR is the share of answers that used an operation, mean of the four.",
        table(report),
        _runs_line(report),
        "## What was expected, and what came",
        "\n".join(
            f"- {'**held**' if one['held'] else '**did not hold**'}: {one['statement']}. {one['numbers']}."
            for one in report["hypotheses"]
        ),
        "## Easy and hard",
        "Hard ones cannot be made out in the first view (`engine/lab/world/miniature/drawing.py`).",
        _marks_table(report, "difficulty"),
        "## Categories",
        _marks_table(report, "category"),
        "## The mean of the four",
        _means_table(report),
        "## Curves",
        *(f"![{CHARTS[name][0]} over the optimiser steps]({name}.svg)" for name in CHARTS),
        "The line is the mean of the last five steps of a run, the shadow behind it the steps themselves.",
        _alarm_table(report),
        "## How it was made",
        f"Base: `{base['name']}` (SHA-256 {base['hash'][:12]}...), quantisation {base['quantization']}. On: {machines}. "
        f"Wall time {_duration(report['wall_seconds'])} in {report['sessions']} "
        f"session{'' if report['sessions'] == 1 else 's'}; the parts took {_duration(sum(report['part_seconds'].values()))} "
        "one after another.",
        "\n".join(["| size | |", "|---|---|", *(f"| {name} | {value:g} |" for name, value in sizes.items())]),
        "Examples: "
        + "; ".join(
            f"{purpose} from the split {source['split']}, seed {source['seed']}"
            for purpose, source in report["sources"].items()
        )
        + ". Versions: "
        + ", ".join(f"{name} {version}" for name, version in report["versions"].items())
        + ".",
        "\n".join(
            [
                "| part | seconds |",
                "|---|---|",
                *(f"| {name} | {s:.0f} |" for name, s in report["part_seconds"].items()),
            ]
        ),
    ]
    return "\n\n".join(sections) + "\n"


def _runs_line(report: Mapping[str, Any]) -> str:
    several = [
        f"{row['label']} {row['runs']} seeds, mean of the four "
        + ", ".join(f"{100 * one:.1f}" for one in row["mean"]["by_seed"])
        for row in report["rows"]
        if row["runs"] > 1
    ]
    return f"Runs: {'; '.join(several)}; the other rows one." if several else "Every row is one run."


def _marks_table(report: Mapping[str, Any], by: str) -> str:
    columns = [(name, mark) for name in BENCHMARKS for mark in report["rows"][0]["benchmarks"][name][by]]
    lines = [
        "| | " + " | ".join(f"{name} {mark.replace('_', ' ')}" for name, mark in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for row in report["rows"]:
        cells = [_cell(row["benchmarks"][name][by][mark]) for name, mark in columns]
        lines.append(f"| {row['label']} | {' | '.join(cells)} |")
    counts = [str(report["rows"][0]["benchmarks"][name][by][mark]["n"]) for name, mark in columns]
    return "\n".join([*lines, f"| examples | {' | '.join(counts)} |"])


def _means_table(report: Mapping[str, Any]) -> str:
    kinds = [kind for kind in ("mean", "easy", "hard") if kind in report["rows"][0]]
    names = {"mean": "all", "easy": "easy", "hard": "hard"}
    lines = ["| | " + " | ".join(names[kind] for kind in kinds) + " |", "|---|" + "---|" * len(kinds)]
    for row in report["rows"]:
        lines.append(f"| {row['label']} | {' | '.join(_cell(row[kind]) for kind in kinds)} |")
    return "\n".join(lines)


def _alarm_table(report: Mapping[str, Any]) -> str:
    lines = ["| run | reward | RaPR first | RaPR last | alarm of the learning trap |", "|---|---|---|---|---|"]
    for run in report["runs"]:
        alarm = "none" if run["alarm_at"] is None else f"at step {run['alarm_at']}"
        if run["alarm_at"] is not None and not run["is_trapped"]:
            alarm += ", over at the end"
        label = f"{LABELS[run['row']]}, seed {run['seed']}"
        lines.append(f"| {label} | {run['variant']} | {run['rapr'][0]:.2f} | {run['rapr'][-1]:.2f} | {alarm} |")
    return "\n".join(lines)


def _cell(cell: Mapping[str, Any]) -> str:
    return f"{100 * cell['accuracy']:.1f} ± {100 * cell['stderr']:.1f}"


def _different(values: Sequence[Any]) -> list[Any]:
    return [one for k, one in enumerate(values) if one not in values[:k]]


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{seconds:.0f} s"
        if seconds < 90
        else f"{minutes // 60} h {minutes % 60:02} min"
        if minutes >= 90
        else f"{minutes} min"
    )
