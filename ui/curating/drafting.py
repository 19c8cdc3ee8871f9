"""A person's draft of a trace as the Curate screen shows it: `engine.workbench.OpenTrace` -> JSON. Pure.

{"id", "status", "answer", "score" (of this answer), "stop_reason", "steps", "views" (as `ui.curating.queue_values` gives them, of
 the draft), with in each step "stale" (a sentence or None) and "badges"; "problems": what stands in the way of approving;
 "changes": the steps that differ from the model's version (as `engine.editing.diff`), with "old_view" where the look differs;
 "draft": {"counter", "can_undo", "can_redo", "is_changed", "base_id", "is_behind"}, "tags", "round", "holder"}
"""

from __future__ import annotations

import time
from typing import Any

from engine.editing import diff, is_unreadable, problems, step_diff_to_json
from engine.thresholds import HELD_SHARE
from engine.trace import Trace
from engine.workbench import OpenTrace
from ui.curating.queue_values import review_value, revision_value, steps_and_views
from ui.trace_values import view_values

__all__ = ["open_trace_value", "changes_value"]


def open_trace_value(opened: OpenTrace, person: str) -> dict[str, Any]:
    """What `person` sees of a trace that they opened."""
    draft, trace = opened.draft, opened.draft.trace
    value = steps_and_views(trace)
    for step, stale, badges in zip(value["steps"], draft.stale, _badges(opened), strict=True):
        step |= {"stale": stale, "badges": badges}
    held = opened.reservation
    is_held = held is not None and held.holder != person and held.expires_at > time.time()
    return value | {
        "id": opened.record.id,
        "status": opened.record.status,
        "head": revision_value(opened.head),
        "answer": trace.answer,
        "stop_reason": trace.stop_reason,
        "score": opened.score,
        "problems": list(problems(draft)),
        "changes": changes_value(opened.model.trace, trace),
        "draft": {
            "counter": opened.counter,
            "can_undo": draft.can_undo,
            "can_redo": draft.can_redo,
            "is_changed": draft.is_changed,
            "base_id": draft.base_revision_id,
            "is_behind": opened.is_behind and draft.is_changed,
        },
        "tags": list(opened.tags),
        "round": {"wanted": opened.round.wanted, "given": opened.round.given, "state": opened.round.state},
        "reviews": [review_value(review) for review in opened.reviews],
        "holder": {"name": held.holder} if held is not None and is_held else None,
    }


def changes_value(old: Trace, new: Trace) -> list[dict[str, Any]]:
    """The steps that differ, as JSON, with the old view of a look that differs."""
    changes = [step_diff_to_json(one) for one in diff(old, new) if one.kind != "same"]
    views = view_values(old.media, old.views, old.steps)
    for one in changes:
        step = None if one["old_index"] is None else old.steps[one["old_index"]]
        is_shown = (one["box"] or one["frames"]) and step is not None and step.observation and step.observation.views
        one["old_view"] = views[step.observation.views[0] - 1] if is_shown else None  # type: ignore[union-attr]
    return changes


def _badges(opened: OpenTrace) -> list[list[dict[str, str]]]:
    """For each step its labels of faithfulness: {"kind", "text", "title"}."""
    labels = opened.faithfulness
    # What the model was asked stands at the head's steps; in a draft they may have moved, or say something else.
    same = [one for one in diff(opened.head.trace, opened.draft.trace) if one.kind == "same"]
    places = {one.old_index: one.new_index for one in same}
    blanked = {places.get(check.step): check for check in opened.blank_checks}
    weighed = {places.get(look.step): look for look in opened.weighed_looks}
    found: list[list[dict[str, str]]] = []
    for index, share in enumerate(labels.evidence_shares):
        badges = []
        if is_unreadable(opened.draft.trace.steps[index]):
            badges.append(
                _badge("bad", "unreadable", "It holds the text of a call that was not read, so nothing was looked at.")
            )
        if share is not None:
            is_held = share >= HELD_SHARE
            text = (
                "holds the evidence"
                if is_held
                else f"holds {share:.0%} of the evidence"
                if share
                else "misses the evidence"
            )
            badges.append(
                _badge("good" if is_held else "warn", text, "Where the example says that the answer is to be seen.")
            )
        if index in labels.pretended:
            badges.append(_badge("bad", "pretends a look", "It speaks of a crop or of frames that it never looked at."))
        if index in labels.ignored:
            badges.append(_badge("bad", "error ignored", "It failed here and answered without looking again."))
        if (check := blanked.get(index)) is not None:
            text = "answer needs this crop" if check.is_changed else "answers without this crop"
            badges.append(
                _badge("good" if check.is_changed else "warn", text, f"With a blank in its place: {check.answer}")
            )
        if (look := weighed.get(index)) is not None:
            badges.append(
                _badge(
                    "good" if look.after > look.before else "warn",
                    f"this look: {_share(look.before)} → {_share(look.after)}",
                    f"How likely the answer {look.answer} was to {look.policy} before this look, and after it.",
                )
            )
        found.append(badges)
    return found


def _share(probability: float) -> str:
    """In whole percent; what is not nothing is not shown as nothing."""
    return "<1%" if 0 < probability < 0.005 else f"{probability:.0%}"


def _badge(kind: str, text: str, title: str) -> dict[str, str]:
    return {"kind": kind, "text": text, "title": title}
