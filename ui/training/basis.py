"""What would be learned from: the accepted traces, counted, and those that cannot be learned from with the reason.

The idea: the counts come from the store's index (`engine.store.lessons`); only accepted traces that are not plainly
lessons are read and judged by the model's protocol, once each (`ui.training.desk.TrainingDesk.objections`). So what a look
costs does not grow with the traces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.store import DoubtfulLesson, LessonCounts
from ui.studio import Studio

__all__ = ["basis_value", "read_basis"]

_SHOWN_TRACES = 12
_LINK = {"href": "curate?status=accepted", "text": "Look at them in Curate"}


def read_basis(studio: Studio) -> tuple[dict[str, Any], int]:
    """The value of `ui.components.basis.Basis`, and how many traces can be learned from. A model that cannot be trained has
    no objections."""
    plain, doubtful = studio.store.lessons.plain(), studio.store.lessons.doubtful()
    objections = {} if studio.jobs is None else studio.jobs.objections([one.head_id for one in doubtful])
    usable = sum((one.counts for one in doubtful if one.head_id not in objections), plain)
    refused = [one for one in doubtful if one.head_id in objections]
    equal = studio.store.traces.counts()["accepted"] - plain.total - len(doubtful)
    without_gold = studio.store.lessons.without_gold()
    return basis_value(usable, refused, objections, equal, without_gold), usable.total


def basis_value(
    usable: LessonCounts,
    refused: Sequence[DoubtfulLesson],
    objections: Mapping[str, str],
    equal: int = 0,
    without_gold: int = 0,
) -> dict[str, Any]:
    """`objections` say why a head of `refused` cannot be learned from, by its id; `equal` is how many others say the same
    as one of those, and `without_gold` how many have no gold answer. Pure."""
    accepted = usable.total + len(refused)
    if not accepted:
        note = "Nothing is accepted yet. Approve traces in Curate; what you approve is what the adapter learns."
        return {"count": 0, "unit": "accepted traces", "note": note, "facts": [], "objections": [], "link": None}
    facts = [
        ("Pictures", f"{usable.total - usable.clips:,}"),
        ("Clips", f"{usable.clips:,}"),
        ("With an operation", f"{usable.operating:,} of {usable.total:,}"),
        ("Corrected by a person", f"{usable.corrected:,}"),
    ]
    if equal:
        facts.append(("Equal attempts, counted once", f"{equal:,}"))
    if without_gold:
        facts.append(("Without a gold answer: RL takes the accepted one", f"{without_gold:,}"))
    return {
        "count": usable.total,
        "unit": _unit(usable.total, accepted),
        "note": "" if usable.total else "None of what was accepted can be learned from.",
        "facts": [{"name": name, "value": value} for name, value in facts] if usable.total else [],
        "objections": _grouped(refused, objections),
        "link": _LINK,
    }


def _unit(usable: int, accepted: int) -> str:
    if usable < accepted:
        return f"of {accepted:,} accepted traces"
    return "accepted trace" if accepted == 1 else "accepted traces"


def _grouped(refused: Sequence[DoubtfulLesson], objections: Mapping[str, str]) -> list[dict[str, Any]]:
    by_reason: dict[str, list[DoubtfulLesson]] = {}
    for one in refused:
        by_reason.setdefault(objections[one.head_id], []).append(one)
    return [
        {
            "reason": reason,
            "traces": [
                {"href": f"curate?trace={one.trace_id}", "text": f"#{one.number}"} for one in traces[:_SHOWN_TRACES]
            ],
            "more": max(0, len(traces) - _SHOWN_TRACES),
        }
        for reason, traces in by_reason.items()
    ]
