from __future__ import annotations

import pytest

from engine.editing import DeleteStep, SetBox, SetThought, TakeSteps, apply, continuation, continue_from, draft_of, undo
from engine.errors import InvalidInput
from engine.protocols import studio
from engine.reasoning import Finished, Limits, Opened, Stepped
from engine.trace import Box, Step, ZoomIn

from .samples import photo, pictures_of, policy_saying, zoomed

PICTURES = pictures_of(photo())


def corrected():
    return apply(draft_of("r", zoomed()), SetBox(0, Box(0.5, 0.5, 1, 1)), PICTURES, studio)


def scripted():
    # The scripted conversation counts recalled turns, so its script starts with the step that is kept.
    return policy_saying(
        Step("kept"), Step("Now here.", ZoomIn(2, Box(0, 0, 0.5, 0.5))), Step("I read XK.", answer="XK")
    )


def test_the_policy_goes_on_from_the_edited_step() -> None:
    draft = corrected()
    events = list(continue_from(draft, 0, scripted(), PICTURES))
    assert isinstance(events[0], Opened)
    assert [e.index for e in events if isinstance(e, Stepped)] == [1, 2]
    assert isinstance(events[-1], Finished)
    taken = apply(draft, continuation(0, events[-1].trace), PICTURES, studio)
    assert taken.trace.steps[0] == draft.trace.steps[0] and taken.trace.answer == "XK"
    assert taken.trace.view(3).box == Box(0.5, 0.5, 0.75, 0.75)
    assert taken.stale == (None, None, None)
    assert undo(taken).state == draft.state  # thrown away again


def test_from_the_question_itself() -> None:
    draft = draft_of("r", zoomed())
    events = list(continue_from(draft, -1, policy_saying(Step("At once.", answer="q")), PICTURES))
    taken = apply(draft, continuation(-1, events[-1].trace), PICTURES, studio)
    assert taken.trace.answer == "q" and len(taken.trace.views) == 1


def test_a_limit_counts_new_steps_only() -> None:
    events = list(continue_from(corrected(), 1, scripted(), PICTURES, limits=Limits(max_steps=1)))
    assert len([e for e in events if isinstance(e, Stepped)]) == 1


def test_a_stopped_continuation_keeps_what_was_done() -> None:
    events = list(continue_from(corrected(), 0, scripted(), PICTURES, is_cancelled=lambda: True))
    taken = apply(corrected(), continuation(0, events[-1].trace), PICTURES, studio)
    assert taken.trace.stop_reason == "cancelled" and len(taken.trace.steps) == 1


def test_nothing_can_follow_an_answer_or_a_bare_thought() -> None:
    draft = draft_of("r", zoomed())
    with pytest.raises(InvalidInput, match="answers"):
        list(continue_from(draft, 2, scripted(), PICTURES))
    with pytest.raises(InvalidInput, match="no step 10"):
        list(continue_from(draft, 9, scripted(), PICTURES))


def test_a_continuation_of_something_else_is_refused() -> None:
    draft = corrected()
    trace = list(continue_from(draft, 0, scripted(), PICTURES))[-1].trace
    edit = continuation(0, trace)
    moved = apply(draft, SetBox(0, Box(0, 0, 0.3, 0.3)), PICTURES, studio)
    with pytest.raises(InvalidInput, match="changed since"):
        apply(moved, edit, PICTURES, studio)
    worded = apply(draft, SetThought(0, "other words"), PICTURES, studio)
    assert apply(worded, edit, PICTURES, studio).trace.answer == "XK"
    forged = TakeSteps(0, edit.steps, (*edit.views[:-1], trace.view(1)), "answered")
    with pytest.raises((InvalidInput, ValueError)):
        apply(draft, forged, PICTURES, studio)
    shorter = apply(draft, DeleteStep(0), PICTURES, studio)
    with pytest.raises(InvalidInput):
        apply(shorter, edit, PICTURES, studio)
