"""`pixel-reasoner`: what the published model was trained on, and each decision of docs/protocols.md."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.drivers.streaming import stream
from engine.errors import InvalidBox, InvalidFrames, MalformedCall, UnknownView
from engine.media import LoadedMedia
from engine.policies.scripted import ScriptedPolicy
from engine.protocols import pixel_reasoner
from engine.protocols.pixel_reasoner import observation, parse, render
from engine.trace import Box, Example, Media, Observation, SelectFrames, Step, View, ZoomIn, first_views
from tests.strategies import answers, boxes, selections, thoughts

IMAGE = Media("a" * 64, "image", 1024, 768)
CLIP = Media("b" * 64, "video", 448, 336)
OTHER = Media("c" * 64, "image", 300, 200)
CROP = View(2, IMAGE.sha256, None, Box(0.2, 0.1, 0.2 + 200 / 1024, 0.1 + 75 / 768))


def call(arguments: object, name: str = "crop_image_normalized") -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def zoom(box: object, target: object = 1) -> str:
    return call({"bbox_2d": box, "target_image": target})


def after_selection(*frames: int) -> tuple[View, ...]:
    opening = first_views([CLIP])
    return (*opening, *(View(16 + k, CLIP.sha256, frame, Box.full()) for k, frame in enumerate(frames, 1)))


@st.composite
def shown_views(draw: st.DrawFn) -> tuple[tuple[View, ...], tuple[Media, ...]]:
    """Any question's views, with crops and selected frames after them."""
    media = tuple(draw(st.lists(st.sampled_from([IMAGE, OTHER, CLIP]), min_size=1, max_size=3, unique=True)))
    views = list(first_views(media))
    for _ in range(draw(st.integers(0, 5))):
        outer = draw(st.sampled_from(views))
        views.append(View(len(views) + 1, outer.sha256, outer.frame, draw(st.just(Box.full()) | boxes())))
    return tuple(views), media


@given(shown_views(), st.data())
def test_it_reads_what_it_wrote(shown, data):
    views, media = shown
    operation = data.draw(selections | st.builds(ZoomIn, st.integers(1, len(views)), boxes()))
    step = data.draw(
        st.builds(Step, thoughts, st.just(operation)) | st.builds(lambda t, a: Step(t, answer=a), thoughts, answers)
    )
    assert parse(render(step, views, media), views, media) == step


@given(shown_views(), st.integers(-3, 40), boxes())
def test_a_picture_that_was_never_shown_is_none_on_the_wire_either(shown, number, box):
    views, media = shown
    written = render(Step("", ZoomIn(number, box)), views, media)
    if 1 <= number <= len(views):
        assert parse(written, views, media).operation.view == number
        return
    with pytest.raises(UnknownView):
        parse(written, views, media)


# --- pixels are of the picture as shown -----------------------------------------------------------------------------


def test_pixels_of_a_crop_are_of_the_crop_as_it_was_shown():
    """A crop of 200x75 is told as 756x280; its right half is [378, 0, 756, 280]."""
    views, sizes = (*first_views([IMAGE]), CROP), [(1036, 756), (756, 280)]
    step = parse(zoom([378, 0, 756, 280], 2), views, [IMAGE], sizes)
    assert step.operation == ZoomIn(2, Box(0.5, 0, 1, 1))


def test_pixels_of_an_original_that_was_shown_smaller():
    """8000x6000 is shown at 2310x1732: the middle is [577.5, 433, 1732.5, 1299]."""
    large = Media("d" * 64, "image", 8000, 6000)
    step = parse(zoom([577.5, 433, 1732.5, 1299]), first_views([large]), [large], [(2310, 1732)])
    assert step.operation == ZoomIn(1, Box(0.25, 0.25, 0.75, 0.75))


def test_the_loop_tells_the_sizes_of_all_that_was_shown():
    class Budgeted(ScriptedPolicy):
        def shown_sizes(self, shown, pictures):
            return tuple({"image": (1036, 756), "crop": (756, 280)}[part.role] for part in shown)

    turns = (zoom([0.3, 0.3, 0.4, 0.35]), zoom([378, 0, 756, 280], 2), r"\boxed{7}")
    pictures = {IMAGE.sha256: LoadedMedia(IMAGE, (Image.new("RGB", (1024, 768)),))}
    policy = Budgeted(turns, protocol=pixel_reasoner)
    *_, last = stream(policy, Example("What?", (IMAGE,)), pictures)
    assert last.trace.steps[1].operation == ZoomIn(2, Box(0.5, 0, 1, 1))


@pytest.mark.parametrize(
    ("written", "box"),
    [
        ([0.5, 0.5, 1.0, 1.0], Box(0.5, 0.5, 1, 1)),  # the released code reads these as pixels
        ([0.9, 0.2, 1, 0.4], Box(0.9, 0.2, 1, 0.4)),
        ([0, 0, 1, 1], Box.full()),
        ([518, 189, 1036, 756], Box(0.5, 0.25, 1, 1)),
        ([0, 0, 259.0, 378.0], Box(0, 0, 0.25, 0.5)),
        ([518, 378, 1100, 800], Box(0.5, 0.5, 1, 1)),  # past the edge is the edge
        ([-5, -9, 518, 378], Box(0, 0, 0.5, 0.5)),
        ([-0.02, 0.5, 0.5, 1.02], Box(0, 0.5, 0.5, 1)),
        ([-0.5, 0, 0.5, 1.9], Box(0, 0, 0.5, 1)),
        (["0.1", "0.2", "0.5", "1"], Box(0.1, 0.2, 0.5, 1)),
        ("[0.1, 0.2, 0.5, 1]", Box(0.1, 0.2, 0.5, 1)),
    ],
)
def test_boxes(written, box):
    assert parse(zoom(written), first_views([IMAGE]), [IMAGE], [(1036, 756)]).operation == ZoomIn(1, box)


@pytest.mark.parametrize(
    "written",
    [[0.5, 0, 0.5, 1], [1.2, 0, 1.4, 1], [-0.4, 0, -0.1, 1], [0.6, 0, 0.2, 1], [2000, 0, 3000, 700], ["a", 0, 1, 1]],
)
def test_a_box_of_which_nothing_is_left_is_a_mistake(written):
    with pytest.raises(InvalidBox):
        parse(zoom(written), first_views([IMAGE]), [IMAGE], [(1036, 756)])


# --- what pictures are called ---------------------------------------------------------------------------------------


def test_a_selection_is_numbered_as_the_model_was_trained():
    views = after_selection(3, 7, 11, 15)
    told = observation(Observation((17, 18, 19, 20)), views, [CLIP], [(448, 336)] * 4)
    assert told[0].text == "\nHere are the selected frames (Frame Size: 448x336, Numbered 1 to 4):"
    assert parse(zoom([0, 0, 0.5, 0.5], 2), views, [CLIP]).operation == ZoomIn(17, Box(0, 0, 0.5, 0.5))
    assert parse(zoom([0, 0, 0.5, 0.5], 5), views, [CLIP]).operation == ZoomIn(20, Box(0, 0, 0.5, 0.5))


def test_a_second_selection_goes_on_counting():
    views = (*after_selection(3, 7), View(19, CLIP.sha256, 1, Box.full()), View(20, CLIP.sha256, 2, Box.full()))
    told = observation(Observation((19, 20)), views, [CLIP], [(448, 336)] * 2)
    assert "Numbered 3 to 4" in told[0].text


def test_a_clip_alone_is_called_by_its_frames():
    views = first_views([CLIP])
    assert parse(zoom([0, 0, 0.5, 0.5], 9), views, [CLIP]).operation == ZoomIn(9, Box(0, 0, 0.5, 0.5))
    with pytest.raises(UnknownView, match="1 to 16"):
        parse(zoom([0, 0, 0.5, 0.5], 17), views, [CLIP])


@pytest.mark.parametrize(("target", "sentence"), [(1, "is the video"), (4, "numbered 1 to 3"), (0, "no picture 0")])
def test_after_a_selection_neither_the_clip_nor_what_is_not_there_can_be_called(target, sentence):
    with pytest.raises(UnknownView, match=sentence):
        parse(zoom([0, 0, 0.5, 0.5], target), after_selection(3, 7), [CLIP])


def test_a_frame_that_was_not_selected_can_still_be_said():
    views, step = after_selection(3, 7), Step("Back.", ZoomIn(12, Box(0, 0, 0.5, 0.5)))
    written = render(step, views, [CLIP])
    assert '"target_image": 1, "target_frame": 12}' in written
    assert parse(written, views, [CLIP]) == step
    with pytest.raises(UnknownView, match="no frame 17"):
        parse(written.replace("12}", "17}"), views, [CLIP])


def test_an_image_before_a_clip_is_picture_one():
    media = [IMAGE, CLIP]
    views: Sequence[View] = (*first_views(media), View(18, IMAGE.sha256, None, Box(0, 0, 0.5, 0.5)))
    assert [parse(zoom([0, 0, 1, 1], n), views, media).operation.view for n in (1, 3)] == [1, 18]


# --- how a call may be written --------------------------------------------------------------------------------------

BODY = '{"name": "crop_image_normalized", "arguments": {"bbox_2d": [0.1, 0.2, 0.3, 1.0], "target_image": 1}}'
FOUND = Step("I look.", ZoomIn(1, Box(0.1, 0.2, 0.3, 1.0)))


@pytest.mark.parametrize(
    "text",
    [
        f"I look.\n\n<tool_call>\n{BODY}\n</tool_call>",
        f"I look.<tool_call>{BODY}",
        f"I look.<tool_call>{BODY}\nThen I will know more.",
        f"I look.<tool_call>{BODY}</tool_call> and then",
        "I look." + call({"bbox_2d": [0, 0, 0.5, 0.5], "target_image": 9}) + f" or <tool_call>{BODY}</tool_call>",
        f"I look.<tool_call>{BODY.replace('[0.1', '[0.9')} no, <tool_call>{BODY}</tool_call>",
        "I look." + call(json.dumps(json.loads(BODY)["arguments"])),
        "I look." + call({"bbox_2d": ["0.1", "0.2", "0.3", "1.0"], "target_image": "1"}),
        "I look." + call({"bbox_2d": [0.1, 0.2, 0.3, 1.0], "target_image": 1.0}, "crop_image"),
        "I look." + call({"bbox_2d": [0.1, 0.2, 0.3, 1.0], "target_image": 1}, "zoom_in"),
    ],
)
def test_a_call_is_read(text):
    assert parse(text, first_views([IMAGE]), [IMAGE]) == FOUND


def test_the_published_form_is_written():
    assert render(FOUND, first_views([IMAGE]), [IMAGE]) == f"I look.\n\n<tool_call>\n{BODY}\n</tool_call>"


def test_frames_may_be_texts():
    found = parse(call({"target_frames": ["3", 4]}, "select_frames"), first_views([CLIP]), [CLIP])
    assert found.operation == SelectFrames((3, 4))
    with pytest.raises(InvalidFrames):
        parse(call({"target_frames": ["three"]}, "select_frames"), first_views([CLIP]), [CLIP])


@pytest.mark.parametrize("text", [f"<tool_call>{BODY}}}</tool_call>", "<tool_call>look closer", call("[1, 2]")])
def test_what_is_no_call_is_a_mistake(text):
    with pytest.raises(MalformedCall):
        parse(text, first_views([IMAGE]), [IMAGE])
