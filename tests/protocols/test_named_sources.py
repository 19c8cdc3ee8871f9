"""`qwen3-vl`, `deepeyes` and `mini-o3`: coordinates, where counting starts, and whose pictures are counted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidBox, InvalidInput, MalformedCall, UnknownView
from engine.protocols import PicturePart, TextPart, deepeyes, mini_o3, qwen3_vl
from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn, first_views
from tests.protocols.test_pixel_reasoner import CLIP, IMAGE, OTHER, shown_views
from tests.strategies import answers, boxes, grid_boxes, selections, thoughts

TO_ORIGINALS = (qwen3_vl, deepeyes)
ALL = (*TO_ORIGINALS, mini_o3)
CROP = View(2, IMAGE.sha256, None, Box(0.25, 0.25, 0.75, 0.5))
PAIR = (*first_views([IMAGE]), CROP)
named = {"ids": lambda protocol: protocol.NAME}


def call(**arguments: object) -> str:
    return f"<tool_call>{json.dumps({'name': 'image_zoom_in_tool', 'arguments': arguments})}</tool_call>"


def look(**arguments: object) -> str:
    return f"<grounding>{json.dumps(arguments)}</grounding>"


# --- there and back -------------------------------------------------------------------------------------------------

untagged = thoughts.filter(lambda text: "<" not in text)


@pytest.mark.parametrize("protocol", ALL, **named)
@given(shown_views(), untagged, st.data())
def test_selections_and_answers_are_read_back(protocol, shown, thought, data):
    views, media = shown
    step = (
        Step(thought, data.draw(selections)) if data.draw(st.booleans()) else Step(thought, answer=data.draw(answers))
    )
    if "<" in (step.answer or ""):
        return
    assert protocol.parse(protocol.render(step, views, media), views, media) == step


@given(shown_views(), untagged, st.data())
def test_mini_o3_reads_every_zoom_back(shown, thought, data):
    views, media = shown
    step = Step(thought, ZoomIn(data.draw(st.integers(1, len(views))), data.draw(boxes())))
    assert mini_o3.parse(mini_o3.render(step, views, media), views, media) == step


@pytest.mark.parametrize(("protocol", "grid"), [(qwen3_vl, 1000), (deepeyes, None)], ids=["qwen3-vl", "deepeyes"])
@given(shown_views(), st.data())
def test_a_zoom_comes_back_as_the_same_region_of_its_original(protocol, grid, shown, data):
    views, media = shown
    number = data.draw(st.integers(1, len(views)))
    zoom, outer = ZoomIn(number, data.draw(grid_boxes)), views[number - 1]
    read = protocol.parse(protocol.render(Step("", zoom), views, media), views, media).operation
    root = views[read.view - 1]
    assert (root.sha256, root.frame, root.box) == (outer.sha256, outer.frame, Box.full())
    medium = next(one for one in media if one.sha256 == outer.sha256)
    if min(outer.box.x2 - outer.box.x1, outer.box.y2 - outer.box.y1) < 1e-9:
        return  # a zoom into it is thinner than a float
    asked = zoom.box if outer.box == Box.full() else zoom.box.within(outer.box)
    steps = (grid, grid) if grid else (medium.width, medium.height)
    for got, wanted, step in zip(read.box.as_list(), asked.as_list(), (*steps, *steps), strict=True):
        assert got == pytest.approx(wanted, abs=1.001 / step)
    again = protocol.render(Step("", read), views, media)
    assert protocol.parse(again, views, media).operation == read


@pytest.mark.parametrize("protocol", TO_ORIGINALS, **named)
def test_a_zoom_that_is_thinner_than_a_float_is_written_as_its_crop(protocol):
    views = (*first_views([IMAGE]), View(2, IMAGE.sha256, None, Box(0.5, 0, 1, 1)))
    written = protocol.render(Step("", ZoomIn(2, Box(0, 0, 1e-114, 1))), views, [IMAGE])
    assert protocol.parse(written, views, [IMAGE]).operation == ZoomIn(1, Box(0.5, 0, 1, 1))


# --- qwen3-vl -------------------------------------------------------------------------------------------------------


def test_qwen3_vl_measures_in_thousandths_and_counts_from_zero():
    step = qwen3_vl.parse(call(bbox_2d=[250, 500, 750, 1000], label="sign", img_idx=0), PAIR, [IMAGE])
    assert step.operation == ZoomIn(1, Box(0.25, 0.5, 0.75, 1))
    two = first_views([IMAGE, OTHER])
    assert qwen3_vl.parse(call(bbox_2d=[0, 0, 1, 1], img_idx=1), two, [IMAGE, OTHER]).operation.view == 2


def test_qwen3_vl_writes_a_nested_zoom_as_one_of_the_original():
    """The right half of a crop of [0.25, 0.25, 0.75, 0.5] is [0.5, 0.25, 0.75, 0.5] of the picture."""
    written = qwen3_vl.render(Step("Closer.", ZoomIn(2, Box(0.5, 0, 1, 1))), PAIR, [IMAGE])
    assert written == (
        'Closer.\n<tool_call>\n{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [500, 250, 750, 500], '
        '"label": "", "img_idx": 0}}\n</tool_call>'
    )


@pytest.mark.parametrize(
    ("written", "box"),
    [([-20, 0, 500, 1040], Box(0, 0, 0.5, 1)), (["0", "0", "500", "500.0"], Box(0, 0, 0.5, 0.5))],
)
def test_qwen3_vl_cuts_off_what_sticks_out(written, box):
    assert qwen3_vl.parse(call(bbox_2d=written, img_idx=0), PAIR, [IMAGE]).operation.box == box


def test_qwen3_vl_counts_the_questions_pictures_only():
    with pytest.raises(UnknownView, match="0 to 0"):
        qwen3_vl.parse(call(bbox_2d=[0, 0, 500, 500], img_idx=1), PAIR, [IMAGE])


def test_a_sliver_is_at_least_one_step_of_the_grid():
    written = qwen3_vl.render(Step("", ZoomIn(1, Box(0.9999, 0, 1, 1))), PAIR, [IMAGE])
    assert "[999, 0, 1000, 1000]" in written


# --- deepeyes -------------------------------------------------------------------------------------------------------


def test_deepeyes_measures_in_pixels_of_the_original_whatever_was_shown():
    step = deepeyes.parse(
        "<think>The sign.</think>\n" + call(bbox_2d=[256, 192, 512, 768], label="sign"), PAIR, [IMAGE], [(448, 336)] * 2
    )
    assert step == Step("The sign.", ZoomIn(1, Box(0.25, 0.25, 0.5, 1)))


def test_deepeyes_writes_the_original_s_pixels():
    step = Step("Closer.", ZoomIn(2, Box(0.5, 0, 1, 1)))
    assert deepeyes.render(step, PAIR, [IMAGE]) == (
        '<think>Closer.</think>\n<tool_call>\n{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": '
        "[512, 192, 768, 384]}}\n</tool_call>"
    )


def test_deepeyes_names_another_picture_only_where_it_is_meant():
    two = first_views([IMAGE, OTHER])
    written = deepeyes.render(Step("", ZoomIn(2, Box(0, 0, 0.5, 0.5))), two, [IMAGE, OTHER])
    assert '"bbox_2d": [0, 0, 150, 100], "img_idx": 1' in written


def test_deepeyes_refuses_slivers_as_released():
    assert (deepeyes.CROP_RULE.min_side_px, deepeyes.CROP_RULE.max_aspect_ratio) == (31, 100)


def test_in_deepeyes_an_answer_goes_before_a_call():
    text = f"<think>a</think> {call(bbox_2d=[0, 0, 99, 99])} <answer>B</answer>"
    assert deepeyes.parse(text, PAIR, [IMAGE]) == Step("a", answer="B")
    assert deepeyes.parse(f"{call(bbox_2d=[0, 0, 99, 99])} <answer>", PAIR, [IMAGE]).operation is not None


# --- mini-o3 --------------------------------------------------------------------------------------------------------


def test_mini_o3_names_its_source():
    step = mini_o3.parse("<think>t</think>" + look(bbox_2d=[0.5, 0, 1, 1], source="observation_1"), PAIR, [IMAGE])
    assert step == Step("t", ZoomIn(2, Box(0.5, 0, 1, 1)))
    assert mini_o3.render(step, PAIR, [IMAGE]) == (
        '<think>t</think>\n<grounding>{"bbox_2d": [0.5, 0.0, 1.0, 1.0], "source": "observation_1"}</grounding>'
    )


@pytest.mark.parametrize(
    ("media", "number", "name"),
    [
        ([IMAGE], 1, "original_image"),
        ([IMAGE, OTHER], 2, "original_image_2"),
        ([IMAGE, CLIP], 4, "frame_3"),
        ([IMAGE, CLIP], 18, "observation_1"),
        ([CLIP, IMAGE], 17, "original_image"),
    ],
)
def test_mini_o3_calls_pictures(media: list[Media], number, name):
    views = (*first_views(media), View(len(first_views(media)) + 1, media[0].sha256, None, Box(0, 0, 0.5, 0.5)))
    assert f'"source": "{name}"' in mini_o3.render(Step("", ZoomIn(number, Box.full())), views, media)


def test_mini_o3_selects_frames_of_a_clip():
    views = first_views([CLIP])
    written = mini_o3.render(Step("", SelectFrames((3, 4))), views, [CLIP])
    assert written == '<grounding>{"target_frames": [3, 4], "source": "original_video"}</grounding>'


def test_mini_o3_counts_observations_by_pictures():
    views = (*PAIR, View(3, IMAGE.sha256, None, Box(0, 0, 0.5, 0.5)))
    parts = mini_o3.observation(Observation((3,)), views, [IMAGE], [(28, 28)])
    assert parts[0] == TextPart("Observation 2:\n") and parts[1] == PicturePart(views[2], "crop")


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (look(bbox_2d=[0, 0, 1, 1], source="observation_2"), UnknownView),
        (look(bbox_2d=[0, 0, 1, 1]), MalformedCall),
        (look(bbox_2d=[1.2, 0, 1.4, 1], source="original_image"), InvalidBox),
        ("<grounding>there</grounding>", MalformedCall),
    ],
)
def test_mini_o3_names_the_mistake(text, mistake):
    with pytest.raises(mistake):
        mini_o3.parse(text, PAIR, [IMAGE])


def test_mini_o3_takes_the_last_look_of_a_turn():
    text = look(bbox_2d=[0, 0, 1, 1], source="nothing") + look(bbox_2d=[0, 0, 0.5, 1], source="original_image")
    assert mini_o3.parse(text, PAIR, [IMAGE]).operation == ZoomIn(1, Box(0, 0, 0.5, 1))


# --- what all three share -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ALL, **named)
def test_selecting_frames_is_offered_only_where_there_is_a_clip(protocol):
    assert "target_frames" in protocol.system(first_views([CLIP]), True)
    assert "target_frames" not in protocol.system(first_views([IMAGE]), True)


@pytest.mark.parametrize("protocol", ALL, **named)
@pytest.mark.parametrize("mark", ["<think>", "</think>", "<answer>"])
def test_a_mark_cannot_stand_in_a_thought(protocol, mark):
    with pytest.raises(InvalidInput):
        protocol.render(Step(f"a {mark} b", answer="7"), PAIR, [IMAGE])


@pytest.mark.parametrize("protocol", ALL, **named)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>t</think>\n<answer>B</answer>", Step("t", answer="B")),
        ("<think>t</think> <answer>A</answer> no, <answer>B", Step("t", answer="B")),
        ("t <answer> </answer>", Step("t", answer="")),
        (r"<think>t</think> \boxed{B}", Step("t", answer="B")),
        ("<think>t</think>", Step("", answer="t")),
    ],
)
def test_answers_are_found(protocol, text, expected):
    assert protocol.parse(text, PAIR, [IMAGE]) == expected
