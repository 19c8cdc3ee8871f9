"""Edits: what a person can do to a trace, as plain values that a browser can send.

    {"edit": "set_box", "step": 0, "box": [0.1, 0.2, 0.3, 0.4], "view": null}

Invariants: steps are counted from 0, views by their number; a box is in the ORIGINAL's coordinates, whatever picture
the step zooms into; `edit_from_json(edit_to_json(edit)) == edit`. A box that arrives as JSON may have its corners in any
order and stand over the picture's edge: it is put in order and clamped.

Not covered: what an edit does to a trace (`engine.editing.applying`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_args

from engine.errors import InvalidBox, InvalidInput
from engine.json_fields import Misread, expected, list_of, one_of, text, truth, whole
from engine.trace import STOP_REASONS, Box, Step, StopReason, View
from engine.trace_json import step_from_json, step_to_json, view_from_json, view_to_json

__all__ = [
    "Confirm",
    "DeleteStep",
    "Edit",
    "InsertStep",
    "MarkErroneous",
    "MoveStep",
    "RemoveOperation",
    "Rerun",
    "SetAnswer",
    "SetBox",
    "SetFrames",
    "SetThought",
    "TakeSteps",
    "edit_from_json",
    "edit_to_json",
]


@dataclass(frozen=True, slots=True)
class SetBox:
    """Draws, moves or resizes the box of a step, which becomes a zoom if it was none. `view` is the picture that it
    zooms into; None keeps the one that it names (picture 1 for a step that named none)."""

    step: int
    box: Box
    view: int | None = None


@dataclass(frozen=True, slots=True)
class SetFrames:
    """Chooses the frames (from 1) of a step, which becomes a selection of frames if it was none."""

    step: int
    frames: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RemoveOperation:
    """Deletes the box or the frames of a step; its thought stays."""

    step: int


@dataclass(frozen=True, slots=True)
class SetThought:
    step: int
    thought: str


@dataclass(frozen=True, slots=True)
class SetAnswer:
    """Sets the answer of a step that does not operate; None takes it away."""

    step: int
    answer: str | None


@dataclass(frozen=True, slots=True)
class InsertStep:
    """A new step before step `at` (`at` = the number of steps appends): a zoom (`box`, and `view` as in SetBox), or
    frames, or an answer, or a thought alone."""

    at: int
    thought: str = ""
    box: Box | None = None
    view: int | None = None
    frames: tuple[int, ...] = ()
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteStep:
    step: int


@dataclass(frozen=True, slots=True)
class MoveStep:
    """Takes step `step` out and puts it back so that it is step `to`."""

    step: int
    to: int


@dataclass(frozen=True, slots=True)
class MarkErroneous:
    """Keeps the step for correction training, masked in the loss; or no longer."""

    step: int
    is_erroneous: bool = True


@dataclass(frozen=True, slots=True)
class Confirm:
    """A stale step is still right; None says so of all."""

    step: int | None = None


@dataclass(frozen=True, slots=True)
class Rerun:
    """Executes the step's operation again, as it stands."""

    step: int


@dataclass(frozen=True, slots=True)
class TakeSteps:
    """Drops every step after `after` (-1 drops all) and goes on with `steps`, which a policy took or another revision
    holds. `views` are all views of the whole: those that stay, then the new ones."""

    after: int
    steps: tuple[Step, ...]
    views: tuple[View, ...]
    stop_reason: StopReason = "answered"
    policy: str = ""


Edit = (
    SetBox
    | SetFrames
    | RemoveOperation
    | SetThought
    | SetAnswer
    | InsertStep
    | DeleteStep
    | MoveStep
    | MarkErroneous
    | Confirm
    | Rerun
    | TakeSteps
)


def edit_to_json(edit: Edit) -> dict[str, Any]:
    """`{"edit": its name, ...its fields}`, as plain JSON."""
    return {"edit": _name(type(edit))} | {f.name: _to_json(getattr(edit, f.name)) for f in fields(edit)}


def edit_from_json(data: Any) -> Edit:
    """The inverse of `edit_to_json`; fields with a default may be left out. Raises InvalidInput in one sentence."""
    kinds = {_name(kind): kind for kind in get_args(Edit)}
    name = data.get("edit") if isinstance(data, Mapping) else None
    if name not in kinds:
        raise InvalidInput(f"an edit is one of {', '.join(kinds)}, not {name!r}")
    kind = kinds[name]
    known = {f.name for f in fields(kind)}
    if strangers := sorted(map(str, set(data) - known - {"edit"})):
        raise InvalidInput(f"the edit {name} has no field {strangers[0]!r}; it has {', '.join(sorted(known))}")
    try:
        edit: Edit = kind(**{key: _field(key, value) for key, value in data.items() if key != "edit"})
    except (TypeError, InvalidBox, InvalidInput) as error:
        raise InvalidInput(f"the edit {name} cannot be read: {error}") from error
    return edit


def _name(kind: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def _to_json(value: Any) -> Any:
    if isinstance(value, Box):
        return value.as_list()
    if isinstance(value, Step):
        return step_to_json(value)
    if isinstance(value, View):
        return view_to_json(value)
    return [_to_json(item) for item in value] if isinstance(value, tuple) else value


def _field(name: str, value: Any) -> Any:
    try:
        return None if value is None and name in _OPTIONAL else _READERS.get(name, text)(value)
    except Misread as error:
        raise error.within(name) from None


def _drawn_box(value: Any) -> Box:
    if not isinstance(value, list | tuple) or len(value) != 4 or not all(map(_is_finite, value)):
        raise expected("a box of four finite numbers", value)
    x1, y1, x2, y2 = (min(max(v, 0.0), 1.0) for v in value)
    return Box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))


def _is_finite(value: Any) -> bool:
    # Compared, not math.isfinite: that raises on an integer of hundreds of digits, which JSON may hold.
    return isinstance(value, int | float) and not isinstance(value, bool) and -math.inf < value < math.inf


_OPTIONAL = {"step", "view", "box", "answer"}
_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("step", "at", "to", "after", "view"), whole),
    "box": _drawn_box,
    "frames": list_of(whole),
    "is_erroneous": truth,
    "steps": list_of(step_from_json),
    "views": list_of(view_from_json),
    "stop_reason": one_of(STOP_REASONS),
}
