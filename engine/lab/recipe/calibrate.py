"""How far the embedded reasoner's confidence can be believed: `python -m engine.lab.recipe.calibrate`.

The idea: the model answers questions of its own world (every drawn benchmark) and from outside it (`engine.lab.world.outside`),
each through the engine as the studio does, and its confidence is held against whether it was right. The line above which an
answer is called sure is the one that best tells right answers in the world from answers outside it (Youden's J: the share of
the former that are above it less the share of the latter), on seed CHOSEN_ON; what it is worth is reported on seed REPORTED_ON,
whose scenes, questions and photographs the choice never saw. Questions for a sign that is absent do not choose it: the model
reads another sign, as surely as the right one, so no line tells them apart. They are reported by themselves.

    calibration.json        beside the weights: the line, its worth, every group, the curve (`engine.embedded.calibration`)
    docs/calibration.svg    the curve: how often answers of a confidence were right, in the world and outside
    docs/calibration.md     the same as a table

Not covered: making the model say that something is not there, which would take training.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.embedded import weights_folder
from engine.embedded.calibration import FILE_NAME
from engine.lab.world.outside import KINDS, draw_outside

__all__ = ["Row", "calibrated", "curve_svg", "main", "report", "sure_from"]

CHOSEN_ON, REPORTED_ON = 2, 3
WORLD = ("mini-signs", "mini-signs-heldout", "mini-clips", "mini-vstar", "mini-tally", "mini-info", "mini-mv")
ABSENT = "absent"
_AT_ONCE = 8
_BINS = (0.0, 0.6, 0.65, 0.7, 0.75, 0.8, 0.84, 0.87, 0.9, 0.93, 0.96, 1.0)
_DOCS = Path(__file__).parents[3] / "docs"


@dataclass(frozen=True, slots=True)
class Row:
    """One answer: the benchmark or kind of question in `group`, whether that `is_world`, `confidence` in (0, 1], whether it
    was right (never outside the world)."""

    group: str
    is_world: bool
    seed: int
    confidence: float
    is_right: bool


def measure(count: int, seeds: Sequence[int]) -> Iterator[Row]:
    """`count` questions of each group and seed, answered by the embedded reasoner as the studio opens it."""
    from engine.drivers.together import Prompt, run_together
    from engine.evaluation.benchmarks import draw
    from engine.evaluation.drawn import required_benchmark
    from engine.evaluation.examples import Posed, Unposed, pose
    from engine.evaluation.scoring import score_answer
    from engine.opening import loop_limits, open_backbone
    from engine.policies.local import LocalPolicy
    from engine.settings import Settings

    if not seeds:
        return
    settings = Settings.from_environment(os.environ | {"STUDIO_MODEL": "tiny"})
    policy = LocalPolicy(open_backbone(settings))

    def questions(seed: int) -> Iterator[tuple[str, bool, Unposed]]:
        """One of each group after the other, so that whoever stops it early has some of each."""
        outside = list(draw_outside(count, seed))
        groups = [[(name, True, drawn) for drawn in draw(required_benchmark(name), count, seed)] for name in WORLD]
        groups += [[(kind, False, drawn) for kind, drawn in outside if kind == group] for group in KINDS]
        for one_of_each in zip(*groups, strict=True):
            yield from one_of_each

    for seed in seeds:
        asked: list[tuple[str, bool, Posed]] = []

        def prompts(seed: int, asked: list[tuple[str, bool, Posed]]) -> Iterator[Prompt]:
            for group, is_world, drawn in questions(seed):
                posed = pose(drawn, sampling=policy.protocol.CLIP_SAMPLING)
                asked.append((group, is_world, posed))
                yield Prompt(posed.example, posed.pictures)

        for ended in run_together(policy, prompts(seed, asked), loop_limits(settings), at_once=_AT_ONCE):
            group, is_world, posed = asked[ended.prompt]
            trace, confidence = ended.finished.trace, ended.finished.confidence
            if trace.answer is None or confidence is None:
                continue  # no card could call it sure
            is_right = is_world and score_answer(trace.answer, posed.example) == 1.0
            yield Row(group, is_world, seed, confidence, is_right)


def sure_from(rows: Iterable[Row]) -> float:
    """The line of the highest Youden's J, to two decimals; of equal ones the lowest."""
    rows = list(rows)
    right = [row.confidence for row in rows if row.is_right]
    outside = [row.confidence for row in rows if not row.is_world and row.group != ABSENT]

    def j(line: float) -> float:
        return _share(right, line) - _share(outside, line)

    return max((line / 100 for line in range(50, 100)), key=j)


def _share(confidences: Sequence[float], line: float) -> float:
    return sum(one >= line for one in confidences) / len(confidences) if confidences else 0.0


def calibrated(rows: Sequence[Row]) -> dict[str, Any]:
    """What calibration.json holds."""
    line = sure_from(row for row in rows if row.seed == CHOSEN_ON)
    reported = [row for row in rows if row.seed == REPORTED_ON]
    world = [row for row in reported if row.is_world]
    sure = [row for row in world if row.confidence >= line]
    right = [row.confidence for row in world if row.is_right]
    outside = [row.confidence for row in reported if not row.is_world and row.group != ABSENT]
    absent = [row.confidence for row in reported if row.group == ABSENT]
    groups = {}
    for name in dict.fromkeys(row.group for row in reported):
        of = [row for row in reported if row.group == name]
        groups[name] = {
            "is_world": of[0].is_world,
            "n": len(of),
            "right": sum(row.is_right for row in of) / len(of),
            "sure": _share([row.confidence for row in of], line),
            "median": sorted(row.confidence for row in of)[len(of) // 2],
        }
    return {
        "sure_from": line,
        "chosen_on_seed": CHOSEN_ON,
        "reported_on_seed": REPORTED_ON,
        "reported": {
            "right": {"share": sum(row.is_right for row in sure) / max(1, len(sure)), "n": len(sure)},
            "sure": {"share": _share(right, line), "n": len(right)},
            "fooled": {"share": _share(outside, line), "n": len(outside)},
            "absent": {"share": _share(absent, line), "n": len(absent)},
        },
        "groups": groups,
        "curve": [_bin(reported, low, high) for low, high in zip(_BINS, _BINS[1:], strict=False)],
    }


def _bin(rows: Sequence[Row], low: float, high: float) -> dict[str, Any]:
    within = [row for row in rows if low <= row.confidence < high or row.confidence == high == 1.0]
    world = [row for row in within if row.is_world]
    return {
        "from": low,
        "to": high,
        "world": len(world),
        "right": sum(row.is_right for row in world),
        "outside": len(within) - len(world),
    }


def report(found: Mapping[str, Any]) -> str:
    """What docs/calibration.md says."""
    told = found["reported"]
    lines = [
        "# How far the embedded reasoner's confidence can be believed",
        "",
        "Written by `python -m engine.lab.recipe.calibrate`, which says how it was measured. The card on the Ask screen calls an "
        f"answer sure from a confidence of **{found['sure_from']:.2f}** (chosen on seed {found['chosen_on_seed']}; all figures "
        f"here are of seed {found['reported_on_seed']}).",
        "",
        f"Of {told['right']['n']} sure answers in its own world {told['right']['share']:.0%} were right; of "
        f"{told['sure']['n']} right answers {told['sure']['share']:.0%} were sure; of {told['fooled']['n']} questions from "
        f"outside its world {told['fooled']['share']:.0%} got an answer that was as sure. What it cannot tell is that a sign is "
        f"not there: of {told['absent']['n']} questions for one that is missing, {told['absent']['share']:.0%} got a "
        "sure answer, the text of another sign.",
        "",
        "![How often answers of a confidence were right](calibration.svg)",
        "",
        "| questions | | n | right | called sure | median confidence |",
        "|---|---|---|---|---|---|",
    ]
    for name, group in found["groups"].items():
        where, right = ("its world", f"{group['right']:.0%}") if group["is_world"] else ("outside", "")
        lines.append(f"| `{name}` | {where} | {group['n']} | {right} | {group['sure']:.0%} | {group['median']:.2f} |")
    lines += [
        "",
        "`absent`: a drawn picture, asked for a sign that is not in it. `elsewhere`: a drawn picture, asked something else. "
        "`photograph`: a photograph, asked what anybody would ask. `sign`: a photograph, asked for a sign.",
    ]
    return "\n".join(lines) + "\n"


def curve_svg(found: Mapping[str, Any]) -> str:
    """Bars of a confidence's answers: right and wrong in the world, and outside it; the line where sure begins. Stands by
    itself, legible on light and dark pages."""
    width, height, left, bottom, top = 760, 300, 48, 250, 56
    bins = [one for one in found["curve"] if one["world"] + one["outside"]]
    step = (width - left - 16) / max(1, len(bins))
    body = []
    for k, one in enumerate(bins):
        total, y, x = one["world"] + one["outside"], float(bottom), left + k * step + 4
        parts = (("right", one["right"]), ("wrong", one["world"] - one["right"]), ("outside", one["outside"]))
        for name, count in parts:
            tall = (bottom - top) * count / total
            y -= tall
            body.append(f'<rect class="{name}" x="{x:.1f}" y="{y:.1f}" width="{step - 8:.1f}" height="{tall:.1f}"/>')
        body.append(f'<text x="{x + step / 2 - 4:.1f}" y="{bottom + 16}">{one["from"]:.2f}</text>')
        body.append(f'<text class="soft" x="{x + step / 2 - 4:.1f}" y="{bottom + 32}">n={total}</text>')
        if one["from"] <= found["sure_from"] < one["to"]:
            at = x - 4 + step * (found["sure_from"] - one["from"]) / (one["to"] - one["from"])
            body.append(f'<line class="sure" x1="{at:.1f}" x2="{at:.1f}" y1="{top - 14}" y2="{bottom}"/>')
            body.append(f'<text class="label" x="{at + 5:.1f}" y="{top - 6}">sure from {found["sure_from"]:.2f}</text>')
    legend = "".join(
        f'<rect class="{name}" x="{x}" y="14" width="12" height="12"/><text class="label" x="{x + 18}" y="25">{words}</text>'
        for name, words, x in (
            ("right", "right", left),
            ("wrong", "wrong, in its world", left + 80),
            ("outside", "a question from outside its world", left + 230),
        )
    )
    style = (
        "text{font:12px system-ui,sans-serif;fill:#374151;text-anchor:middle}.label{text-anchor:start}.soft{fill:#6b7280}"
        ".ground{fill:#fff}.right{fill:#15803d}.wrong{fill:#b45309}.outside{fill:#94a3b8}"
        ".sure{stroke:#0369a1;stroke-width:2;stroke-dasharray:5 4}"
        "@media (prefers-color-scheme:dark){.ground{fill:#111827}text{fill:#e5e7eb}.soft{fill:#9ca3af}.right{fill:#4ade80}"
        ".wrong{fill:#fbbf24}.outside{fill:#64748b}.sure{stroke:#38bdf8}}"
    )
    title = "Of the answers of a confidence: how many were right, wrong, or to a question from outside the world"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f'<title>{title}</title><style>{style}</style><rect class="ground" width="{width}" height="{height}" rx="8"/>'
        f"{legend}{''.join(body)}</svg>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engine.lab.recipe.calibrate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--count", type=int, default=24, help="questions of each group and seed (default: 24)")
    parser.add_argument(
        "--rows", type=Path, required=True, help="a file for every answer; what is there is not asked again"
    )
    parser.add_argument(
        "--seed", type=int, choices=(CHOSEN_ON, REPORTED_ON), help="only measure this one, and write no report"
    )
    options = parser.parse_args()
    rows = []
    if options.rows.is_file():
        rows = [Row(**json.loads(line)) for line in options.rows.read_text(encoding="utf-8").splitlines()]
    wanted = (CHOSEN_ON, REPORTED_ON) if options.seed is None else (options.seed,)
    with options.rows.open("a", encoding="utf-8") as file:
        for row in measure(options.count, [seed for seed in wanted if all(row.seed != seed for row in rows)]):
            rows.append(row)
            print(json.dumps(asdict(row)), file=file, flush=True)
    if options.seed is not None:
        return
    found = calibrated(rows)
    (weights_folder() / FILE_NAME).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (_DOCS / "calibration.md").write_text(report(found), encoding="utf-8")
    (_DOCS / "calibration.svg").write_text(curve_svg(found), encoding="utf-8")
    print(json.dumps(found["reported"] | {"sure_from": found["sure_from"]}))


if __name__ == "__main__":
    main()
