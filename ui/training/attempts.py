"""Sample rollouts of an RL run, as the value of `ui.components.rollouts.Rollouts`. Pure.

They are a job's events of kind "rollouts" (`engine.training.looked_at`): the best and the worst attempt at the question
that taught most in a step. The newest comes first; a page gets at most MOST of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.store import Job, JobEvent

__all__ = ["MOST", "attempts_value"]

MOST = 12
_EMPTY = "Attempts of this run will be shown here: what was thought, where it looked, and what it was rewarded for."
_NONE = "This run kept no attempts."


def attempts_value(job: Job | None, events: Sequence[JobEvent]) -> dict[str, Any]:
    if job is None or job.kind != "grpo":
        return {"items": [], "empty": ""}
    # A resumed run says some steps again; the later word counts.
    by_step = {event.step: event.data for event in events if event.kind == "rollouts" and event.step is not None}
    newest = sorted(by_step, reverse=True)[:MOST]
    return {
        "items": [_item(step, by_step[step]) for step in newest],
        "empty": "" if newest else _EMPTY if job.is_active else _NONE,
    }


def _item(step: int, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "step": step,
        "question": data["question"],
        "gold": data["gold"] or "",
        "sha256": data["media"]["sha256"],
        "is_clip": data["media"]["kind"] == "video",
        "share": f"{data['rapr']:.0%} of its attempts looked closer",
        "attempts": [_attempt(one) for one in data["attempts"]],
    }


def _attempt(one: Mapping[str, Any]) -> dict[str, Any]:
    parts = [f"right {one['correctness']:.2f}"]
    parts += [f"{name} {one[name]:+.3f}" for name in ("bonus", "penalty") if one[name]]
    answer = one["steps"][-1].get("answer") if one["steps"] else None
    return {
        "total": f"{one['total']:.2f}",
        "parts": ", ".join(parts),
        "tone": "good" if one["advantage"] > 0 else "bad" if one["advantage"] < 0 else "plain",
        "lines": [line for step in one["steps"] for line in _lines(step)],
        "answer": answer if answer is not None else f"no answer ({one['stop_reason'].replace('_', ' ')})",
        "has_answer": answer is not None,
    }


def _lines(step: Mapping[str, Any]) -> list[dict[str, str]]:
    lines = [{"kind": "thought", "text": step["thought"]}] if step.get("thought") else []
    operation, observation = step.get("operation"), step.get("observation") or {}
    if operation is not None:
        if operation["name"] == "zoom_in":
            box = ", ".join(f"{edge:.2f}" for edge in operation["box"])
            text = f"zoom_in on [{box}] of view {operation['view']}"
        else:
            text = f"select_frames {', '.join(map(str, operation['frames']))}"
        lines.append({"kind": "operation", "text": text})
    if observation.get("error"):
        lines.append({"kind": "error", "text": observation["error"]})
    return lines
