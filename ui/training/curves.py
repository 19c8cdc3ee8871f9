"""A run's metrics as the value of `ui.components.curves.Curves`. Pure.

The idea: a page gets at most `MAX_POINTS` points of each curve, however long the run, chosen so that no peak is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.store import Job, JobEvent
from ui.training.run_values import job_steps

__all__ = ["MAX_POINTS", "curves_value", "differences", "thinned"]

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


Run = tuple[Job, Sequence[JobEvent]]


def curves_value(job: Job | None, events: Sequence[JobEvent], others: Sequence[Run] = ()) -> dict[str, Any]:
    """The curves of a run, with the same of `others` beside them."""
    series = []
    kind = job.kind if job else "sft"
    for name, label, unit in _SERIES.get(kind, ()):
        beside = [
            {"tone": number, "points": points}
            for number, (_, told) in enumerate(others, 1)
            if (points := _points(told, name))
        ]
        series.append(
            {
                "name": name,
                "label": label,
                "unit": unit,
                "points": _points(events, name),
                "threshold": None,
                "others": beside,
            }
        )
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
    runs = [] if job is None or not others else [job, *(other for other, _ in others)]
    return {
        "series": series,
        "steps": job_steps(job) if job else 0,
        "empty": empty,
        "names": [str(one.config.get("name") or one.kind) for one in runs],
        "differences": differences(runs),
    }


def differences(runs: Sequence[Job]) -> list[dict[str, Any]]:
    """The settings that are not the same in all of these runs, by name, with what each has."""
    told = [_settings(one) for one in runs]
    names = sorted({name for one in told for name in one})
    return [
        {"name": name.replace("_", " "), "values": values}
        for name in names
        if len(set(values := [one.get(name, "–") for one in told])) > 1
    ]


def _settings(job: Job) -> dict[str, str]:
    found = {name: str(value) for name, value in (job.config.get(job.kind) or {}).items()}
    source = (job.config.get("evaluation") or {}).get("source") or {}
    measured = {"measured_on": str(source["name"])} if source else {}
    return found | {"learned_from": str(job.revision_count)} | measured


def _points(events: Sequence[JobEvent], name: str) -> list[list[Any]]:
    # A resumed run says some steps again; the later word counts.
    by_step = {
        event.step: event.data.get(name)
        for event in events
        if event.kind == "metric" and event.step is not None and name in event.data
    }
    return thinned([[step, value] for step, value in sorted(by_step.items())], MAX_POINTS)


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
