"""Values: boxes and their identities, the first views, what a trace says of itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import InvalidBox
from engine.trace import (
    CLIP_FRAMES,
    Box,
    Media,
    Observation,
    SelectFrames,
    Step,
    Trace,
    View,
    ZoomIn,
    first_views,
    media_positions,
    view_size,
)
from tests.strategies import boxes, media, traces

IMAGE = Media("a" * 64, "image", 1024, 768)
CLIP = Media("b" * 64, "video", 448, 336)
sizes = st.tuples(st.integers(1, 5000), st.integers(1, 5000))


# --- boxes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        (0.5, 0, 0.5, 1),
        (0.6, 0, 0.5, 1),
        (0, 0.2, 1, 0.1),
        (-0.01, 0, 1, 1),
        (0, 0, 1.01, 1),
        (0, 0, math.nan, 1),
        (0, 0, math.inf, 1),
        (0, 0, 10**400, 1),
        (0, 0, "1", 1),
        (0, 0, None, 1),
    ],
)
def test_an_impossible_box_is_refused(values):
    with pytest.raises(InvalidBox):
        Box(*values)


@given(boxes(), sizes)
def test_pixels_hold_the_box_and_are_never_empty(box, size):
    left, top, right, bottom = box.to_pixels(size)
    width, height = size
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    slack = 1e-5
    assert left <= box.x1 * width + slack
    assert right >= box.x2 * width - slack
    assert top <= box.y1 * height + slack
    assert bottom >= box.y2 * height - slack


@given(sizes, st.data())
def test_whole_pixels_survive_the_way_there_and_back(size, data):
    width, height = size
    left = data.draw(st.integers(0, width - 1))
    top = data.draw(st.integers(0, height - 1))
    right = data.draw(st.integers(left + 1, width))
    bottom = data.draw(st.integers(top + 1, height))
    box = Box(left / width, top / height, right / width, bottom / height)
    assert box.to_pixels(size) == (left, top, right, bottom)


def within(inner: Box, outer: Box) -> Box:
    """`inner.within(outer)`, where floats can still tell its edges apart."""
    try:
        return inner.within(outer)
    except InvalidBox:
        assume(False)
        raise


@given(boxes())
def test_the_whole_picture_changes_nothing(box):
    assert Box.full().within(box).as_list() == pytest.approx(box.as_list(), abs=1e-12)
    assert box.within(Box.full()) == box


@given(boxes(), boxes())
def test_a_nested_box_stays_inside(inner, outer):
    nested = within(inner, outer)
    assert outer.x1 <= nested.x1 < nested.x2 <= outer.x2
    assert outer.y1 <= nested.y1 < nested.y2 <= outer.y2
    assert nested.area == pytest.approx(inner.area * outer.area, abs=1e-9)


@given(boxes(), boxes(), boxes())
def test_nesting_is_associative(a, b, c):
    one, two = within(within(a, b), c), within(a, within(b, c))
    assert one.as_list() == pytest.approx(two.as_list(), abs=1e-9)


@given(boxes(), boxes())
def test_overlap_is_symmetric_and_bounded(a, b):
    shared = a.intersection_area(b)
    assert shared == b.intersection_area(a)
    assert 0 <= shared <= min(a.area, b.area) + 1e-12
    assert a.iou(b) == pytest.approx(b.iou(a))


@given(boxes().filter(lambda box: box.area > 1e-6))
def test_a_box_covers_itself(box):
    assert box.iou(box) == pytest.approx(1)
    assert box.coverage_of(box) == pytest.approx(1)
    assert Box.full().coverage_of(box) == pytest.approx(1)


def test_boxes_whose_area_is_too_small_for_a_float_overlap_or_do_not():
    tiny = Box(0, 0, 2.2250738585072014e-308, 2.2250738585072014e-308)
    other = Box(0.5, 0.5, 1, 1)
    assert tiny.area == 0
    assert (tiny.iou(tiny), tiny.coverage_of(tiny), Box.full().coverage_of(tiny)) == (1, 1, 1)
    assert (tiny.iou(other), other.coverage_of(tiny), tiny.coverage_of(other)) == (0, 0, 0)


def test_overlap_by_hand():
    a, b = Box(0, 0, 0.5, 0.5), Box(0.25, 0.25, 0.75, 0.75)
    assert a.intersection_area(b) == pytest.approx(0.0625)
    assert a.iou(b) == pytest.approx(0.0625 / 0.4375)
    assert a.coverage_of(b) == pytest.approx(0.25)
    assert a.intersection_area(Box(0.5, 0, 1, 1)) == 0


# --- views and traces -----------------------------------------------------------------------------------------------


@given(st.lists(media, max_size=3))
def test_first_views_are_numbered_without_gaps(sources):
    views = first_views(sources)
    assert [view.number for view in views] == list(range(1, len(views) + 1))
    assert len(views) == sum(CLIP_FRAMES if medium.kind == "video" else 1 for medium in sources)
    assert all(view.box == Box.full() for view in views)


def test_frames_of_a_clip_are_numbered_from_one():
    views = first_views([IMAGE, CLIP])
    assert [view.frame for view in views] == [None, *range(1, CLIP_FRAMES + 1)]
    assert {view.sha256 for view in views[1:]} == {CLIP.sha256}


def test_the_size_of_a_view_is_that_of_its_pixels():
    assert view_size(View(1, IMAGE.sha256, None, Box(0.25, 0.5, 0.5, 1)), [CLIP, IMAGE]) == (256, 384)


def test_values_that_contradict_themselves_are_refused():
    with pytest.raises(ValueError, match="views or an error"):
        Observation((1,), "an error")
    with pytest.raises(ValueError, match="views or an error"):
        Observation()
    with pytest.raises(ValueError, match="never both"):
        Step("", SelectFrames((1,)), answer="7")
    with pytest.raises(ValueError, match="without gaps"):
        Trace("?", (IMAGE,), (View(2, IMAGE.sha256, None, Box.full()),), (), "answered", "p", "studio")
    with pytest.raises(ValueError, match="stop_reason"):
        Trace("?", (IMAGE,), first_views([IMAGE]), (), "bored", "p", "studio")


def test_what_counts_as_an_operation():
    views = (*first_views([IMAGE]), View(2, IMAGE.sha256, None, Box(0, 0, 0.5, 0.5)))
    zoomed = Step("", ZoomIn(1, Box(0, 0, 0.5, 0.5)), Observation((2,)))
    failed = Step("", ZoomIn(9, Box(0, 0, 0.5, 0.5)), Observation(error="there is no picture 9"))
    malformed = Step("<tool_call>{", observation=Observation(error="the call is not valid JSON"))
    answered = Step("", answer="7")

    def trace(*steps: Step) -> Trace:
        return Trace("?", (IMAGE,), views, steps, "answered", "p", "studio")

    assert trace(zoomed, answered).has_operation
    assert not trace(failed, malformed, answered).has_operation
    assert trace(failed, malformed, zoomed).operation_errors == 2
    assert trace(zoomed, answered).answer == "7"
    assert trace(answered, zoomed).answer is None
    assert trace().answer is None


@given(traces())
def test_a_view_is_of_the_medium_that_its_hash_names(trace):
    found = media_positions(trace.media, trace.views, trace.steps)
    assert [trace.media[position].sha256 for position in found] == [view.sha256 for view in trace.views]


def test_equal_media_are_told_apart_by_the_order_in_which_they_were_shown():
    media = [IMAGE, CLIP, IMAGE, CLIP]
    first, quarter = first_views(media), Box(0, 0, 0.5, 0.5)
    crop = View(35, IMAGE.sha256, None, quarter)
    views = (*first, crop, View(36, IMAGE.sha256, None, quarter), View(37, CLIP.sha256, 3, Box.full()))
    steps = (
        Step("", ZoomIn(18, quarter), Observation((35,))),
        Step("", ZoomIn(35, Box.full()), Observation((36,))),
        Step("", SelectFrames((3,)), Observation((37,))),
    )
    assert media_positions(media, views, steps) == (0, *[1] * 16, 2, *[3] * 16, 2, 2, 1)
