from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.editing import (
    DeleteStep,
    InsertStep,
    MarkErroneous,
    SetBox,
    SetFrames,
    SetThought,
    apply,
    diff,
    draft_of,
    step_diff_to_json,
)
from engine.editing.diff import word_diff
from engine.errors import InvalidInput
from engine.protocols import studio
from engine.trace import Box, Step, Trace, ZoomIn

from .samples import clip, edits, photo, pictures_of, play, selected, zoomed

BOTH = {**pictures_of(photo()), **pictures_of(clip())}


@given(st.text("ab \n", max_size=20), st.text("ab \n", max_size=20))
@settings(deadline=None)
def test_a_word_diff_holds_both_texts(old: str, new: str) -> None:
    runs = word_diff(old, new)
    assert "".join(r.text for r in runs if r.kind != "insert") == old
    assert "".join(r.text for r in runs if r.kind != "delete") == new
    if old == new:
        assert all(r.kind == "equal" for r in runs)


def test_words_boxes_and_marks() -> None:
    old = zoomed()
    draft = apply(draft_of("r", old), SetThought(0, "I look at the right."), BOTH, studio)
    draft = apply(draft, SetBox(0, Box(0.25, 0, 0.75, 0.5)), BOTH, studio)
    draft = apply(draft, MarkErroneous(2), BOTH, studio)
    first, second, third = diff(old, draft.trace)
    assert [(r.kind, r.text) for r in first.thought] == [
        ("equal", "I look at the"),
        ("delete", " left."),
        ("insert", " right."),
    ]
    assert first.kind == "changed" and first.box.new == Box(0.25, 0, 0.75, 0.5)
    assert abs(first.box.iou - 1 / 3) < 1e-9
    assert second.kind == "changed"  # its crop moved with the crop that it cuts from
    assert third.kind == "changed" and third.is_mark_changed and third.box is None
    assert step_diff_to_json(first)["box"]["old"] == [0, 0, 0.5, 0.5]
    assert all(step.kind == "same" for step in diff(old, old))


def test_inserted_removed_and_other_frames() -> None:
    old = zoomed()
    inserted = apply(draft_of("r", old), InsertStep(0, "new", box=Box(0, 0, 0.2, 0.2)), BOTH, studio).trace
    assert [s.kind for s in diff(old, inserted)] == ["added", "same", "same", "same"]
    assert [s.kind for s in diff(inserted, old)] == ["removed", "same", "same", "same"]
    removed = apply(draft_of("r", old), DeleteStep(1), BOTH, studio).trace
    assert [(s.kind, s.old_index, s.new_index) for s in diff(old, removed)] == [
        ("same", 0, 0),
        ("removed", 1, None),
        ("same", 2, 1),
    ]
    film = selected()
    other = apply(draft_of("r", film), SetFrames(0, (4, 5)), BOTH, studio).trace
    assert diff(film, other)[0].frames.old == (3, 4) and diff(film, other)[0].frames.new == (4, 5)


def _zooms(*xs: float) -> Trace:
    """A zoom at each x, all with the same thought, and an answer."""
    zooms = (Step("I look closer.", ZoomIn(1, Box(x, 0, x + 0.2, 0.2))) for x in xs)
    return play(photo(), *zooms, Step("I read KX.", answer="KX"))


def test_a_deleted_step_is_one_removed_step_though_all_say_the_same() -> None:
    old = _zooms(0.0, 0.4, 0.8)
    new = apply(draft_of("r", old), DeleteStep(1), BOTH, studio).trace
    assert [(s.kind, s.old_index) for s in diff(old, new)] == [("same", 0), ("removed", 1), ("same", 2), ("same", 3)]
    assert [(s.kind, s.new_index) for s in diff(new, old)] == [("same", 0), ("added", 1), ("same", 2), ("same", 3)]


def test_a_step_behind_a_deleted_one_keeps_its_own_change() -> None:
    draft = apply(draft_of("r", zoomed()), DeleteStep(0), BOTH, studio)
    trace = apply(draft, SetThought(0, "Closer, at the mark."), BOTH, studio).trace
    assert [(s.kind, s.old_index, s.new_index) for s in diff(draft.base, trace)] == [
        ("removed", 0, None),
        ("changed", 1, 0),
        ("same", 2, 1),
    ]


def test_a_step_that_was_rewritten_is_one_change() -> None:
    old, new = _zooms(0.0), play(photo(), Step("Else.", ZoomIn(1, Box(0.7, 0.7, 1, 1))), Step("None.", answer="?"))
    assert [(s.kind, s.old_index, s.new_index) for s in diff(old, new)] == [("changed", 0, 0), ("changed", 1, 1)]


@given(st.lists(edits, max_size=5))
@settings(max_examples=100, deadline=None)
def test_every_step_stands_in_exactly_one_difference(changes) -> None:
    draft = draft_of("r", zoomed())
    for change in changes:
        try:
            draft = apply(draft, change, BOTH, studio)
        except InvalidInput:
            continue
    found = diff(draft.base, draft.trace)
    assert [s.old_index for s in found if s.old_index is not None] == list(range(len(draft.base.steps)))
    assert [s.new_index for s in found if s.new_index is not None] == list(range(len(draft.trace.steps)))
