"""Drafts: a trace while a person changes it, with every state that it went through.

The idea: a draft is the list of its states and a position in it. Undo and redo move the position, so they are exact by
construction, need no pixels and survive a reload. Stored states share their steps and views, so a state costs a few
numbers beside what the edit really changed.

Invariants:
- a state's views are the opening views, then what each step's observation brought, in order and without gaps;
- staleness belongs to the draft: Trace JSON knows nothing of it;
- `redo(undo(draft)) == draft` wherever there is something to undo;
- `draft_from_json(draft_to_json(draft)) == draft`.

Not covered: what an edit does (`engine.editing.applying`), where drafts are kept (`engine.store.drafts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.editing.edits import Edit, edit_from_json, edit_to_json
from engine.errors import InvalidInput
from engine.trace import Box, Step, StopReason, Trace, View, ZoomIn
from engine.trace_json import (
    media_from_json,
    media_to_json,
    step_from_json,
    step_to_json,
    view_from_json,
    view_to_json,
)

__all__ = [
    "MAX_MOMENTS",
    "Draft",
    "Moment",
    "State",
    "committed",
    "draft_from_json",
    "draft_of",
    "draft_to_json",
    "operation_boxes",
    "redo",
    "undo",
]

MAX_MOMENTS = 1000
"""How many states a draft keeps; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True)
class State:
    """What a draft says at one moment. `stale[k]` is None, or one sentence saying why step k must be looked at again."""

    views: tuple[View, ...]
    steps: tuple[Step, ...]
    stop_reason: StopReason
    stale: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A state and the edit that led to it (None for the first). `key` is the sender's own name of the edit, so that
    one that is sent twice is applied once."""

    state: State
    edit: Edit | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """`base` is the trace of the revision `base_revision_id`, which the draft was begun from or last saved as."""

    base_revision_id: str
    base: Trace
    moments: tuple[Moment, ...]
    position: int

    @property
    def state(self) -> State:
        return self.moments[self.position].state

    @property
    def stale(self) -> tuple[str | None, ...]:
        return self.state.stale

    @property
    def trace(self) -> Trace:
        state = self.state
        return replace(self.base, views=state.views, steps=state.steps, stop_reason=state.stop_reason)

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to save."""
        return self.trace != self.base

    @property
    def can_undo(self) -> bool:
        return self.position > 0

    @property
    def can_redo(self) -> bool:
        return self.position + 1 < len(self.moments)

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits that led to the present state, in order."""
        return tuple(m.edit for m in self.moments[: self.position + 1] if m.edit is not None)


def draft_of(revision_id: str, trace: Trace) -> Draft:
    """A fresh draft of a revision. Raises InvalidInput where the trace's views are not what its steps brought, in
    order: such a trace cannot be edited consistently."""
    observed = [n for s in trace.steps if s.observation is not None for n in s.observation.views]
    opening = len(trace.views) - len(observed)
    if opening < 0 or observed != list(range(opening + 1, len(trace.views) + 1)):
        raise InvalidInput(
            "the pictures of this trace are not numbered in the order in which its steps brought them, so it cannot be "
            "edited here"
        )
    state = State(trace.views, trace.steps, trace.stop_reason, (None,) * len(trace.steps))
    return Draft(revision_id, trace, (Moment(state),), 0)


def advanced(draft: Draft, state: State, edit: Edit, key: str = "") -> Draft:
    """The draft with a new state after the present one; what could have been redone is gone."""
    moments = (*draft.moments[: draft.position + 1], Moment(state, edit, key))[-MAX_MOMENTS:]
    return replace(draft, moments=moments, position=len(moments) - 1)


def undo(draft: Draft) -> Draft:
    """One state back. Raises InvalidInput where there is none."""
    if not draft.can_undo:
        raise InvalidInput("there is nothing to undo")
    return replace(draft, position=draft.position - 1)


def redo(draft: Draft) -> Draft:
    """One state forward again. Raises InvalidInput where there is none."""
    if not draft.can_redo:
        raise InvalidInput("there is nothing to redo")
    return replace(draft, position=draft.position + 1)


def committed(draft: Draft, revision_id: str) -> Draft:
    """The draft after its trace was saved as `revision_id`: undo still reaches back to before."""
    return replace(draft, base_revision_id=revision_id, base=draft.trace)


def operation_boxes(trace: Trace | State) -> tuple[Box | None, ...]:
    """For each step the box that it asked for, in the ORIGINAL's coordinates and without a protocol's padding; None
    where it does not zoom, or zooms into a picture that was never shown."""
    boxes: list[Box | None] = []
    shown = len(trace.views) - sum(len(s.observation.views) for s in trace.steps if s.observation)
    for step in trace.steps:
        is_zoom = isinstance(step.operation, ZoomIn) and 1 <= step.operation.view <= shown
        boxes.append(step.operation.box.within(trace.views[step.operation.view - 1].box) if is_zoom else None)  # type: ignore[union-attr]
        shown += len(step.observation.views) if step.observation else 0
    return tuple(boxes)


# --- the stored form ------------------------------------------------------------------------------------------------


def draft_to_json(draft: Draft) -> dict[str, Any]:
    """Plain JSON in which states share steps and views: `views` and `steps` hold each one once, and a state names them
    by their place."""
    views: dict[View, int] = {}
    steps: dict[Step, int] = {}

    def place(of: dict[Any, int], value: Any) -> int:
        return of.setdefault(value, len(of))

    def state_to_json(of: Trace | State) -> dict[str, Any]:
        return {
            "views": [place(views, view) for view in of.views],
            "steps": [place(steps, step) for step in of.steps],
            "stop_reason": of.stop_reason,
        }

    base = state_to_json(draft.base)
    moments = []
    for moment in draft.moments:
        data = state_to_json(moment.state)
        if any(why is not None for why in moment.state.stale):
            data["stale"] = list(moment.state.stale)
        if moment.edit is not None:
            data["edit"] = edit_to_json(moment.edit)
        moments.append(data | ({"key": moment.key} if moment.key else {}))
    return {
        "version": 1,
        "base_revision_id": draft.base_revision_id,
        "question": draft.base.question,
        "media": [media_to_json(medium) for medium in draft.base.media],
        "policy": draft.base.policy,
        "protocol": draft.base.protocol,
        "is_operating": draft.base.is_operating,
        "views": [view_to_json(view) for view in views],
        "steps": [step_to_json(step) for step in steps],
        "base": base,
        "moments": moments,
        "position": draft.position,
    }


def draft_from_json(data: Mapping[str, Any]) -> Draft:
    """The inverse of `draft_to_json`. Raises InvalidInput for another version."""
    if data.get("version") != 1:
        raise InvalidInput(f"a draft in JSON version 1 is needed, not version {data.get('version')!r}")
    views = [view_from_json(view) for view in data["views"]]
    steps = [step_from_json(step) for step in data["steps"]]

    def state(of: Mapping[str, Any]) -> State:
        mine = tuple(steps[k] for k in of["steps"])
        stale: Sequence[str | None] = of.get("stale") or [None] * len(mine)
        return State(tuple(views[k] for k in of["views"]), mine, of["stop_reason"], tuple(stale))

    base = state(data["base"])
    trace = Trace(
        question=data["question"],
        media=tuple(map(media_from_json, data["media"])),
        views=base.views,
        steps=base.steps,
        stop_reason=base.stop_reason,
        policy=data["policy"],
        protocol=data["protocol"],
        is_operating=data.get("is_operating", True),
    )
    moments = tuple(
        Moment(state(m), edit_from_json(m["edit"]) if "edit" in m else None, m.get("key", "")) for m in data["moments"]
    )
    return Draft(data["base_revision_id"], trace, moments, data["position"])
