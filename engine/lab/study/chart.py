"""Curves of the RL runs as an SVG that stands by itself: legible on light and dark pages, without scripts or fonts.

The idea: a colour and a dash a row of the table, a line a seed; the line is the mean of the last steps, the steps
themselves are a shadow behind it. The colours follow `prefers-color-scheme`, and the ground is the picture's own, so that
a page whose scheme is another one does not matter.

Invariant: the same figures give the same bytes. Not covered: hovering; the Train screen draws its own (ui/components/curves).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from engine.lab.study.figures import SMOOTH, smoothed
from engine.lab.study.plan import LABELS, Row

__all__ = ["curves_svg"]

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 74, 40
_ORDER: tuple[Row, ...] = ("full", "no-curiosity", "no-warm-start", "no-corrections")
_DASHES: Mapping[Row, str] = {"full": "", "no-curiosity": "", "no-warm-start": "7 4", "no-corrections": "2 3"}
_STYLE = """
.ground{fill:#ffffff}.grid{stroke:#e5e7eb}.text{fill:#374151}.soft{fill:#6b7280}.threshold{stroke:#b45309}
.full{stroke:#0369a1}.no-curiosity{stroke:#c2410c}.no-warm-start{stroke:#15803d}.no-corrections{stroke:#7c3aed}
@media (prefers-color-scheme:dark){.ground{fill:#111827}.grid{stroke:#374151}.text{fill:#e5e7eb}.soft{fill:#9ca3af}
.threshold{stroke:#fbbf24}.full{stroke:#38bdf8}.no-curiosity{stroke:#fb923c}.no-warm-start{stroke:#4ade80}
.no-corrections{stroke:#c4b5fd}}
path,line{fill:none;stroke-linejoin:round;stroke-linecap:round}text{font:12px system-ui,sans-serif}
.title{font-size:14px;font-weight:600}.raw{stroke-width:1;opacity:.22}.mean{stroke-width:2}
"""


def curves_svg(
    title: str, runs: Sequence[Mapping[str, Any]], name: str, *, is_share: bool, threshold: float | None = None
) -> str:
    """The curve `name` of each of `runs` (`engine.lab.study.figures.run_figures`) over the steps. A share is drawn from
    0 to 1; `threshold` is a dashed line with its value."""
    values = [value for run in runs for value in run[name]]
    lowest, highest = (0.0, 1.0) if is_share else (min(0.0, *values), max(0.1, *values))
    gap = 0.25 if is_share else _nice((highest - lowest) / 4)
    bottom, top = math.floor(lowest / gap + 1e-9) * gap, math.ceil(highest / gap - 1e-9) * gap
    last = max(run["steps"][-1] for run in runs)

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / last

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - bottom) / (top - bottom)

    body = [f'<text class="text title" x="16" y="26">{escape(title)}</text>']
    body += _legend([row for row in _ORDER if any(run["row"] == row for run in runs)])
    for k in range(round((top - bottom) / gap) + 1):
        value = bottom + k * gap
        body.append(_line("grid", LEFT, y(value), WIDTH - RIGHT, y(value)))
        label = f"{value:.0%}" if is_share else f"{value:.4g}"
        body.append(f'<text class="soft" x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{label}</text>')
    stride = max(1, round(_nice(last / 6)))
    for step in range(0, last + 1, stride):
        body.append(f'<text class="soft" x="{x(step):.1f}" y="{HEIGHT - 20}" text-anchor="middle">{step}</text>')
    body.append(f'<text class="soft" x="{WIDTH - RIGHT}" y="{HEIGHT - 5}" text-anchor="end">optimiser step</text>')
    if threshold is not None:
        body.append(_line("threshold", LEFT, y(threshold), WIDTH - RIGHT, y(threshold), ' stroke-dasharray="6 4"'))
        text = f"H = {threshold:g}: below it curiosity pays"
        body.append(f'<text class="soft" x="{LEFT + 6}" y="{y(threshold) - 5:.1f}">{text}</text>')
    for kind in ("raw", "mean"):
        for row in reversed(_ORDER):
            for run in (one for one in runs if one["row"] == row):
                drawn = smoothed(run[name]) if kind == "mean" else run[name]
                points = [(x(step), y(value)) for step, value in zip(run["steps"], drawn, strict=True)]
                body.append(_path(f"{row} {kind}", points, _DASHES[row] if kind == "mean" else ""))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
            f'height="{HEIGHT}" role="img">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(_described(runs, name, is_share))}</desc>",
            f"<style>{_STYLE}</style>",
            f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="8"/>',
            *body,
            "</svg>\n",
        ]
    )


def _legend(rows: Sequence[Row]) -> list[str]:
    drawn, left = [], 16.0
    for row in rows:
        drawn.append(_line(f"{row} mean", left, 48, left + 26, 48, _dashed(_DASHES[row])))
        drawn.append(f'<text class="text" x="{left + 32:g}" y="52">{escape(LABELS[row])}</text>')
        left += 32 + 6.6 * len(LABELS[row]) + 22
    return drawn


def _described(runs: Sequence[Mapping[str, Any]], name: str, is_share: bool) -> str:
    """What a reader who does not see it is told."""

    def shown(value: float) -> str:
        return f"{value:.0%}" if is_share else f"{value:.2f}"

    told = []
    for run in runs:
        mean = smoothed(run[name])
        first, last = mean[min(SMOOTH, len(mean)) - 1], mean[-1]
        told.append(f"{LABELS[run['row']]}, seed {run['seed']}: {shown(first)} at first, {shown(last)} at the end.")
    return " ".join(told)


def _line(classes: str, x1: float, y1: float, x2: float, y2: float, more: str = "") -> str:
    return f'<line class="{classes}" x1="{x1:g}" y1="{y1:.1f}" x2="{x2:g}" y2="{y2:.1f}"{more}/>'


def _path(classes: str, points: Sequence[tuple[float, float]], dashes: str) -> str:
    along = "L".join(f"{px:.1f} {py:.1f}" for px, py in points)
    return f'<path class="{classes}" d="M{along}"{_dashed(dashes)}/>'


def _dashed(dashes: str) -> str:
    return f' stroke-dasharray="{dashes}"' if dashes else ""


def _nice(raw: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `raw`."""
    power = 10.0 ** math.floor(math.log10(raw))
    return power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
