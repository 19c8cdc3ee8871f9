"""Before and after on held-out examples, as the value of `ui.components.comparison.Comparison`. Pure.

It is made from a job's events of kind "evaluation" (`engine.jobs.adapter_work`, `engine.evaluation.held_out`). The two are
told apart example by example, and a difference is only called one where it could hardly be chance: with b newly right
and c newly wrong, |b - c| of at least 2 sqrt(b + c) (McNemar's test at about 5%).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from engine.store import Job, JobEvent
from ui.words import counted

__all__ = ["comparison_value", "measurement_text"]

_EMPTY = {
    None: "A run measures the same held-out examples before and after, so that you see what it changed.",
    "queued": "It is measured before the first step, and again at the end.",
    "running": "Being measured before the first step; the same examples again at the end.",
}
_UNMEASURED = "This run measured nothing: no held-out examples were asked for, or it ended before."


def comparison_value(job: Job | None, events: Sequence[JobEvent]) -> dict[str, Any]:
    measured = {event.data.get("when"): event.data for event in events if event.kind == "evaluation"}
    before, after = measured.get("before"), measured.get("after")
    has_measure = bool(job and (job.config.get("evaluation") or {}).get("count"))
    empty = _EMPTY.get(job.state if job else None, _UNMEASURED) if has_measure or job is None else _UNMEASURED
    if before is not None and before.get("note"):
        empty, before = f"This run was {before['note']}.", None
    if before is None:
        return {"bars": [], "verdict": "", "tone": "plain", "note": "", "examples": [], "empty": empty}
    bars = [_bar("Before", before)] + ([_bar("After", after)] if after else [])
    verdict, tone = _verdict(before, after) if after else ("", "plain")
    return {
        "bars": bars,
        "verdict": verdict,
        "tone": tone,
        "note": _which(before),
        "examples": _examples(before, after),
        "empty": "",
    }


def measurement_text(data: Mapping[str, Any]) -> str:
    """One line of a run's log."""
    if note := data.get("note"):
        return f"{data.get('when')} training {note}"
    return f"measured {data.get('when')} training: {_right(data)} of {data.get('n')} right"


def _right(data: Mapping[str, Any]) -> int:
    return sum((example.get("score") or 0) >= 0.5 for example in data.get("examples", ()))


def _bar(label: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": label, "right": _right(data), "total": data.get("n") or 0}


def _which(data: Mapping[str, Any]) -> str:
    count, name, seed = data.get("n") or 0, data.get("benchmark"), data.get("seed")
    return f"{counted(count, 'example')} of {name}, drawn from seed {seed}, which no training sees."


def _verdict(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str]:
    pairs = list(zip(before.get("examples", ()), after.get("examples", ()), strict=False))
    gained = sum((b.get("score") or 0) < 0.5 <= (a.get("score") or 0) for b, a in pairs)
    lost = sum((a.get("score") or 0) < 0.5 <= (b.get("score") or 0) for b, a in pairs)
    if not gained and not lost:
        return "No example went from wrong to right, or from right to wrong.", "plain"
    changes = ", ".join(
        text for text in (f"{gained} newly right" * bool(gained), f"{lost} newly wrong" * bool(lost)) if text
    )
    if abs(gained - lost) < 2 * math.sqrt(gained + lost):
        return f"{changes[0].upper()}{changes[1:]}: on {len(pairs)} examples that may be chance.", "plain"
    return f"{changes[0].upper()}{changes[1:]}.", "good" if gained > lost else "bad"


def _examples(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    later = list((after or {}).get("examples", ()))
    return [
        {
            "question": one.get("question", ""),
            "gold": one.get("gold") or "",
            "answers": [_answer("before", one)] + ([_answer("after", later[k])] if k < len(later) else []),
        }
        for k, one in enumerate(before.get("examples", ()))
    ]


def _answer(label: str, example: Mapping[str, Any]) -> dict[str, Any]:
    score = example.get("score")
    return {
        "label": label,
        "text": example.get("answer") or "no answer",
        "is_right": None if score is None else score >= 0.5,
    }
