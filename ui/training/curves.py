"""A run's metrics as the value of `ui.components.curves.Curves`. Pure.

The idea: a page gets at most `MAX_POINTS` points of each curve, however long the run, chosen so that no peak is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.store import Job, JobEvent
from ui.training.run_values import job_steps

__all__ = ["MAX_POINTS", "curves_value", "thinned"]

MAX_POINTS = 400
"""Most points of one curve that are sent to a page."""

_SERIES = {
    "sft": (
        ("loss", "Loss, nats a token", "number"),
        ("validation_loss", "Loss on held-out traces", "number"),
        ("token_accuracy", "Tokens predicted right", "share"),
    ),
    "dpo": (
        ("loss", "Loss", "number"),
        ("preferred_share", "Pairs whose better side gained more", "share"),
        ("margin", "Margin between the two sides", "number"),
    ),
    "grpo": (
        ("reward", "Reward", "number"),
        ("rapr", "RaPR: rollouts that operate", "share"),
        ("operation_errors", "Operations that failed", "share"),
        ("uniform_share", "Groups without a signal", "share"),
    ),
}


def curves_value(job: Job | None, events: Sequence[JobEvent]) -> dict[str, Any]:
    metrics = [event for event in events if event.kind == "metric" and event.step is not None]
    series = []
    kind = job.kind if job else "sft"
    for name, label, unit in _SERIES.get(kind, ()):
        # A resumed run says some steps again; the later word counts.
        by_step = {event.step: event.data.get(name) for event in metrics if name in event.data}
        points = thinned([[step, value] for step, value in sorted(by_step.items())], MAX_POINTS)
        series.append({"name": name, "label": label, "unit": unit, "points": points, "threshold": None})
        if name == "rapr" and job is not None:
            settings = job.config.get("grpo") or {}
            # Below it curiosity pays; without curiosity it is only where the alarm looks.
            series[-1]["threshold"] = settings.get("threshold")
    if job is None:
        empty = "Curves of the run will grow here, step by step."
    elif job.is_active:
        empty = "The curves begin with the first optimiser step."
    else:
        empty = "This run made no step, so there are no curves."
    return {"series": series, "steps": job_steps(job) if job else 0, "empty": empty}


def thinned(points: Sequence[list[Any]], most: int) -> list[list[Any]]:
    """At most about `most` points that keep the shape: of every stretch its lowest and its highest, and both ends."""
    if len(points) <= most:
        return [_rounded(point) for point in points]
    stretch = -(-2 * len(points) // most)
    kept: dict[int, list[Any]] = {points[0][0]: points[0], points[-1][0]: points[-1]}
    for start in range(0, len(points), stretch):
        part = [point for point in points[start : start + stretch] if point[1] is not None]
        for point in (
            (min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])) if part else points[start : start + 1]
        ):
            kept[point[0]] = point
    return [_rounded(kept[step]) for step in sorted(kept)]


def _rounded(point: list[Any]) -> list[Any]:
    return [point[0], None if point[1] is None else float(f"{point[1]:.5g}")]
