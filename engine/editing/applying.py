"""Applying an edit: from one state of a draft to the next.

The idea: the steps are taken apart into slots that know which picture they zoom into (by its number before the edit),
the edit works on the list of slots, and `_settle` puts them together again in order: pictures are renumbered, operations
whose picture changed are executed again by `engine.operations`, and whoever could have seen something else than it now
would becomes stale.

Invariants:
- an operation keeps naming the picture that it named, under its new number; where that picture is gone, the same
  region is cut from the whole picture or frame instead, and the step is stale;
- every observation that changed is what `engine.operations.execute` gives for the operation; observations that no edit
  touched stay as they were recorded, whatever rule cut them;
- a step is stale when the observations before it are not those that it was written, run or confirmed after;
- a box is one that the protocol can write: it is rounded to the wire's grid before it is executed, so that the text
  that is trained on says exactly what was cut.

Not covered: policies that go on from an edit (`engine.editing.continuing`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.editing.draft import Draft, State, advanced
from engine.editing.edits import (
    Confirm,
    DeleteStep,
    Edit,
    InsertStep,
    MarkErroneous,
    MoveStep,
    RemoveOperation,
    Rerun,
    SetAnswer,
    SetBox,
    SetFrames,
    SetThought,
    TakeSteps,
)
from engine.errors import InvalidBox, InvalidInput, ModelMistake
from engine.media import Pictures
from engine.operations import execute
from engine.protocols import WireProtocol
from engine.protocols.calls import before_call, holds_call
from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn, media_positions

__all__ = ["apply"]

_GROWTHS = (0.0, 0.0025, 0.005, 0.01)
_CHANGED = "what was seen before it has changed"


@dataclass(slots=True)
class _Slot:
    """A step while it is edited. `shown` are the views that it brought, `target` is the number (before the edit) of the
    picture that it zooms into, `seen` what was observed before it; None for a step that is new."""

    step: Step
    shown: tuple[View, ...] = ()
    target: int | None = None
    stale: str | None = None
    seen: tuple[object, ...] | None = None
    is_to_run: bool = False
    is_asked_for: bool = False


def apply(draft: Draft, edit: Edit, pictures: Pictures, protocol: WireProtocol, *, key: str = "") -> Draft:
    """The draft after `edit`. `pictures` are the loaded media of the trace, `protocol` says how crops are cut and which
    boxes can be written. An edit that changes nothing, or whose `key` was applied before, gives the draft as it was.

    Raises InvalidInput, one sentence, for an edit that makes no sense here; then nothing has changed.
    """
    if key and any(moment.key == key for moment in draft.moments):
        return draft
    state = draft.state
    slots = _slots(state)
    stop_reason = state.stop_reason
    if isinstance(edit, TakeSteps):
        slots, stop_reason = _taken(edit, slots, state, pictures, protocol), edit.stop_reason
    else:
        _change(edit, slots, state, draft.base.media, protocol)
    settled = _settle(slots, state, draft.base.media, pictures, protocol)
    if settled.steps and settled.steps[-1].answer is not None:
        stop_reason = "answered"
    elif stop_reason == "answered":
        stop_reason = "cancelled"
    settled = replace(settled, stop_reason=stop_reason)
    return draft if settled == state else advanced(draft, settled, edit, key)


def _writable_zoom(zoom: ZoomIn, views: Sequence[View], media: Sequence[Media], protocol: WireProtocol) -> ZoomIn:
    """The zoom as the protocol's text would say it, on the grid of its coordinates, and into the original where nothing
    else can be named; a box that rounds to nothing is grown by up to 0.01 on each side.
    Raises InvalidInput where even that is too small."""
    box = zoom.box
    for by in _GROWTHS:
        grown = Box(max(box.x1 - by, 0.0), max(box.y1 - by, 0.0), min(box.x2 + by, 1.0), min(box.y2 + by, 1.0))
        try:
            text = protocol.render(Step("", ZoomIn(zoom.view, grown)), views, media)
            written = protocol.parse(text, views, media).operation
        except (InvalidBox, InvalidInput):  # empty when read, or already refused when written
            continue
        assert isinstance(written, ZoomIn)
        return written
    raise InvalidInput(f"the box {box.as_list()} is too small to be written in the protocol {protocol.NAME}")


# --- taking apart ---------------------------------------------------------------------------------------------------


def _slots(state: State) -> list[_Slot]:
    slots: list[_Slot] = []
    seen: list[object] = []
    shown = _opening_count(state)
    for step, stale in zip(state.steps, state.stale, strict=True):
        operation, observation = step.operation, step.observation
        target = operation.view if isinstance(operation, ZoomIn) and 1 <= operation.view <= shown else None
        mine = tuple(state.views[n - 1] for n in observation.views) if observation else ()
        slots.append(_Slot(step, mine, target, stale, tuple(seen)))
        shown += len(mine)
        seen += _observed(observation, mine)
    return slots


def _opening_count(state: State) -> int:
    return len(state.views) - sum(len(s.observation.views) for s in state.steps if s.observation)


def _observed(observation: Observation | None, shown: Sequence[View]) -> list[object]:
    """What a step let its successors see, without numbers: at most one entry."""
    if observation is None:
        return []
    return [observation.error or tuple((v.sha256, v.frame, v.box) for v in shown)]


# --- the edits ------------------------------------------------------------------------------------------------------


def _change(edit: Edit, slots: list[_Slot], state: State, media: Sequence[Media], protocol: WireProtocol) -> None:
    match edit:
        case SetBox(step, box, view):
            _draw(_slot(slots, step), _shown_before(slots, step, state), box, view, media, protocol)
        case SetFrames(step, frames):
            _select(_slot(slots, step), frames)
        case RemoveOperation(step):
            slot = _slot(slots, step)
            slot.step = replace(slot.step, operation=None, observation=None)
            slot.shown, slot.target, slot.stale = (), None, None
        case SetThought(step, thought):
            slot = _slot(slots, step)
            slot.step = replace(slot.step, thought=thought)
        case SetAnswer(step, answer):
            slot = _slot(slots, step)
            if slot.step.operation is not None or slot.step.observation is not None:
                raise InvalidInput(f"step {step + 1} looks closer; an answer needs a step of its own")
            slot.step = replace(slot.step, answer=_answer(answer))
        case InsertStep(at, thought, box, view, frames, answer):
            if not 0 <= at <= len(slots):
                raise InvalidInput(f"a step can be inserted at places 0 to {len(slots)}, not {at}")
            if (box is not None) + bool(frames) + (answer is not None) > 1:
                raise InvalidInput("a step has a box, or frames, or an answer, not several of them")
            slot = _Slot(Step(thought, answer=_answer(answer)))
            if box is not None:
                _draw(slot, _shown_before(slots, at, state), box, view, media, protocol)
            elif frames:
                _select(slot, frames)
            slots.insert(at, slot)
        case DeleteStep(step):
            _slot(slots, step)
            del slots[step]
        case MoveStep(step, to):
            _slot(slots, to)
            moved = _slot(slots, step)
            del slots[step]
            slots.insert(to, moved)
        case MarkErroneous(step, is_erroneous):
            slot = _slot(slots, step)
            slot.step = replace(slot.step, is_erroneous=is_erroneous)
        case Confirm(step):
            for slot in slots if step is None else [_slot(slots, step)]:
                slot.stale = None
        case Rerun(step):
            slot = _slot(slots, step)
            if slot.step.operation is None:
                raise InvalidInput(f"step {step + 1} has no operation to run again; continue from the step before it")
            slot.is_to_run, slot.stale = True, None


def _answer(text: str | None) -> str | None:
    # The wire has no blanks around an answer.
    return None if text is None else text.strip()


def _slot(slots: Sequence[_Slot], index: int) -> _Slot:
    if not 0 <= index < len(slots):
        raise InvalidInput(f"there is no step {index + 1}: the trace has {len(slots)}")
    return slots[index]


def _shown_before(slots: Sequence[_Slot], index: int, state: State) -> tuple[View, ...]:
    return state.views[: _opening_count(state) + sum(len(slot.shown) for slot in slots[:index])]


def _draw(
    slot: _Slot, views: Sequence[View], box: Box, view: int | None, media: Sequence[Media], protocol: WireProtocol
) -> None:
    _require_no_answer(slot)
    number = view if view is not None else slot.target if slot.target is not None else 1
    if not 1 <= number <= len(views):
        raise InvalidInput(f"there is no picture {number} before this step: pictures 1 to {len(views)} have been shown")
    zoom = _writable_zoom(ZoomIn(number, _drawn_in(views[number - 1], box)), views, media, protocol)
    _operate(slot, zoom, zoom.view)


def _drawn_in(view: View, box: Box) -> Box:
    try:
        return box.relative_to(view.box)
    except InvalidBox:
        raise InvalidInput(
            "the box lies outside of the picture that the step zooms into; draw it inside, or let the step zoom into "
            "the whole picture"
        ) from None


def _select(slot: _Slot, frames: tuple[int, ...]) -> None:
    _require_no_answer(slot)
    _operate(slot, SelectFrames(frames), None)


def _require_no_answer(slot: _Slot) -> None:
    if slot.step.answer is not None:
        raise InvalidInput("this step answers; insert a step before it to look closer")


def _operate(slot: _Slot, operation: ZoomIn | SelectFrames, target: int | None) -> None:
    # A call that could not be read stands in the thought word for word: a person's operation replaces it.
    thought = slot.step.thought
    if slot.step.operation is None and holds_call(thought):
        thought = before_call(thought)
    slot.step = replace(slot.step, thought=thought, operation=operation)
    slot.target, slot.stale, slot.is_to_run, slot.is_asked_for = target, None, True, True


def _taken(
    edit: TakeSteps, slots: Sequence[_Slot], state: State, pictures: Pictures, protocol: WireProtocol
) -> list[_Slot]:
    if not -1 <= edit.after < len(slots):
        raise InvalidInput(f"there is no step {edit.after + 1} to go on from: the trace has {len(slots)}")
    kept = list(slots[: edit.after + 1])
    views = list(_shown_before(slots, edit.after + 1, state))
    if list(edit.views[: len(views)]) != views:
        raise InvalidInput("the steps before have changed since this continuation was drawn; draw it again")
    for step in edit.steps:
        operation, observation = step.operation, step.observation
        shown: tuple[View, ...] = ()
        if observation is not None and observation.views:
            if operation is None:
                raise InvalidInput("a step of this continuation has pictures but no operation that brought them")
            try:
                shown = execute(operation, views, pictures, protocol.CROP_RULE)
            except ModelMistake as mistake:
                raise InvalidInput(f"an operation of this continuation cannot be executed: {mistake}") from mistake
            start = len(views)
            if edit.views[start : start + len(shown)] != shown or observation.views != tuple(v.number for v in shown):
                raise InvalidInput("the pictures of this continuation are not what its operations give; draw it again")
        known = isinstance(operation, ZoomIn) and 1 <= operation.view <= len(views)
        kept.append(_Slot(step, shown, operation.view if known else None))  # type: ignore[union-attr]
        views += shown
    return kept


# --- putting together -----------------------------------------------------------------------------------------------


def _settle(
    slots: Sequence[_Slot], before: State, media: Sequence[Media], pictures: Pictures, protocol: WireProtocol
) -> State:
    opening = before.views[: _opening_count(before)]
    positions = media_positions(media, before.views, before.steps)
    views = list(opening)
    numbers = {view.number: view.number for view in opening}
    moved: set[int] = set()
    steps: list[Step] = []
    stale: list[str | None] = []
    seen: list[object] = []
    for slot in slots:
        step, why, is_to_run = slot.step, slot.stale, slot.is_to_run
        operation = step.operation
        if isinstance(operation, ZoomIn) and slot.target is not None:
            if slot.target in numbers:
                step = replace(step, operation=replace(operation, view=numbers[slot.target]))
                is_to_run = is_to_run or slot.target in moved
            else:
                lost = before.views[slot.target - 1]
                root = _root(lost, opening, positions)
                zoom = _from_whole(operation, lost, root, views, media, protocol)
                step, is_to_run = replace(step, operation=zoom), True
                why = f"the picture it zoomed into is gone; the same region is now cut from picture {zoom.view}"
        if is_to_run:
            shown, observation = _run(step, views, pictures, protocol, slot.is_asked_for)
            step = replace(step, observation=observation)
            for old in slot.shown:
                if (twin := _twin(old, shown, step)) is not None:
                    numbers[old.number] = twin.number
                    if twin != replace(old, number=twin.number):
                        moved.add(old.number)
        else:
            shown = tuple(replace(view, number=len(views) + k) for k, view in enumerate(slot.shown, 1))
            numbers |= {old.number: new.number for old, new in zip(slot.shown, shown, strict=True)}
            if shown:
                step = replace(step, observation=Observation(views=tuple(view.number for view in shown)))
        if slot.seen is not None and slot.seen != tuple(seen):
            why = why or _CHANGED
        views += shown
        seen += _observed(step.observation, shown)
        steps.append(step)
        stale.append(why)
    return State(tuple(views), tuple(steps), before.stop_reason, tuple(stale))


def _run(
    step: Step, views: Sequence[View], pictures: Pictures, protocol: WireProtocol, is_asked_for: bool
) -> tuple[tuple[View, ...], Observation]:
    assert step.operation is not None
    try:
        shown = execute(step.operation, views, pictures, protocol.CROP_RULE)
    except ModelMistake as mistake:
        if is_asked_for:
            raise InvalidInput(f"this cannot be done: {mistake}") from mistake
        return (), Observation(error=str(mistake))
    return shown, Observation(views=tuple(view.number for view in shown))


def _twin(old: View, shown: Sequence[View], step: Step) -> View | None:
    """The new view that stands where `old` stood: a zoom's crop for its crop, a frame for the same frame."""
    if isinstance(step.operation, ZoomIn):
        return shown[0] if shown else None
    return next(
        (view for view in shown if (view.sha256, view.frame, view.box) == (old.sha256, old.frame, old.box)), None
    )


def _root(lost: View, opening: Sequence[View], positions: Sequence[int]) -> View:
    """The whole picture or frame that a view was cut from."""
    here = positions[lost.number - 1]
    return next(view for view in opening if (positions[view.number - 1], view.frame) == (here, lost.frame))


def _from_whole(
    zoom: ZoomIn,
    lost: View,
    root: View,
    views: Sequence[View],
    media: Sequence[Media],
    protocol: WireProtocol,
) -> ZoomIn:
    moved = ZoomIn(root.number, zoom.box.within(lost.box).relative_to(root.box))
    try:
        return _writable_zoom(moved, views, media, protocol)
    except InvalidInput:
        return moved
