"""Wire formats: what is written is read back as it was, and whatever a model writes is a step or a mistake it can mend."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import (
    InvalidBox,
    InvalidFrames,
    InvalidInput,
    InvalidSetting,
    MalformedCall,
    ModelMistake,
    UnknownOperation,
)
from engine.protocols import PicturePart, TextPart, pixel_reasoner, protocol_named, studio
from engine.protocols.calls import CALL_START, GROUNDING_START, boxed, find_call, read_answer, thought_so_far
from engine.settings import PROTOCOLS as NAMES
from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn, first_views, view_size
from tests.strategies import answers, boxes, grid_boxes, selections, texts, thoughts

IMAGE = Media("a" * 64, "image", 1024, 768)
CLIP = Media("b" * 64, "video", 448, 336)
MEDIA = (IMAGE, CLIP)
VIEWS = (*first_views(MEDIA), View(18, IMAGE.sha256, None, Box(0.25, 0.25, 0.75, 0.5)))
SIZES = tuple(view_size(view, MEDIA) for view in VIEWS)
PROTOCOLS = tuple(protocol_named(name) for name in NAMES)
each = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.NAME)
both = pytest.mark.parametrize("protocol", [studio, pixel_reasoner], ids=lambda protocol: protocol.NAME)
targets = st.integers(1, len(VIEWS))


def steps(box: st.SearchStrategy[Box]) -> st.SearchStrategy[Step]:
    operations = st.one_of(selections, st.builds(ZoomIn, targets, box))
    return st.one_of(
        st.builds(Step, thoughts, operations), st.builds(lambda t, a: Step(t, answer=a), thoughts, answers)
    )


def call(name: object, arguments: object) -> str:
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


# --- there and back -------------------------------------------------------------------------------------------------


@given(steps(grid_boxes))
def test_studio_reads_what_it_wrote(step):
    assert studio.parse(studio.render(step, VIEWS, MEDIA), VIEWS, MEDIA) == step


@given(boxes())
def test_studio_moves_no_edge_by_more_than_half_a_hundredth(box):
    try:
        written = studio.render(Step("", ZoomIn(1, box)), VIEWS, MEDIA)
    except InvalidInput:
        assert min(box.x2 - box.x1, box.y2 - box.y1) < 0.01
        return
    read = studio.parse(written, VIEWS, MEDIA).operation
    assert read.box.as_list() == pytest.approx(box.as_list(), abs=0.005 + 1e-9)


@each
@given(thought=texts, answer=texts)
def test_an_answer_is_read_back_or_refused(protocol, thought, answer):
    step = Step(thought.strip(), answer=answer)
    try:
        written = protocol.render(step, VIEWS, MEDIA)
    except InvalidInput:
        assert answer != answer.strip() or any(mark in thought + answer for mark in "{}<")
        return
    assert protocol.parse(written, VIEWS, MEDIA) == step


@both
@pytest.mark.parametrize(
    "step",
    [
        Step(f"a {CALL_START} b", ZoomIn(1, Box(0, 0, 0.5, 0.5))),
        Step(f"a {CALL_START} b", SelectFrames((1,))),
        Step(f"a {CALL_START} b", answer="7"),
        Step("a", answer=f"7 {CALL_START}"),
        Step("a", answer="open {"),
        Step("a", answer=r"\boxed{7}"),
        Step("a", answer=" 7"),
    ],
)
def test_a_step_that_the_wire_cannot_carry_is_refused(protocol, step):
    with pytest.raises(InvalidInput):
        protocol.render(step, VIEWS, MEDIA)


@each
def test_a_call_that_could_not_be_read_is_kept_word_for_word(protocol):
    text = 'I look.<tool_call>{"name": "zoom_in", </tool_call>'
    assert protocol.render(Step(text, observation=Observation(error="no JSON")), VIEWS, MEDIA) == text


def test_the_published_calls_are_read():
    published = (
        'I will crop.\n\n<tool_call>\n{"name": "crop_image_normalized", "arguments": {"bbox_2d": [0.1, 0.2, 0.3, 1.0], '
        '"target_image": 1}}\n</tool_call>'
    )
    expected = Step("I will crop.", ZoomIn(1, Box(0.1, 0.2, 0.3, 1.0)))
    assert pixel_reasoner.parse(published, VIEWS, MEDIA) == expected
    assert pixel_reasoner.render(expected, VIEWS, MEDIA) == published
    own = 'Look.<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0.31, 0.40, 0.45, 0.50], "target_image": 1}}'
    assert studio.render(Step("Look.", ZoomIn(1, Box(0.31, 0.4, 0.45, 0.5))), VIEWS, MEDIA) == own + "</tool_call>"


# --- mistakes of the model ------------------------------------------------------------------------------------------


def zoom(box: object, target: object = 1) -> str:
    return call("zoom_in", {"bbox_2d": box, "target_image": target})


MISTAKES = [
    ("<tool_call>{not json}</tool_call>", MalformedCall),
    ("<tool_call></tool_call>", MalformedCall),
    ("<tool_call>[1, 2]</tool_call>", MalformedCall),
    ("<tool_call>" + "[" * 100_000, MalformedCall),
    ('<tool_call>{"name": "zoom_in", "arguments": {"target_image": ' + "9" * 5000 + "}}", MalformedCall),
    (call(None, {}), MalformedCall),
    (call("zoom_in", []), MalformedCall),
    (call("rotate", {"degrees": 90}), UnknownOperation),
    (zoom([0, 0, 0.5, 0.5], "one"), MalformedCall),
    (zoom([0, 0, 0.5, 0.5], 1.5), MalformedCall),
    (zoom([0, 0, 0.5, 0.5], True), MalformedCall),
    (zoom([0, 0, 0.5, 0.5], float("nan")), MalformedCall),
    (zoom([0, 0, 0.5, 0.5], float("inf")), MalformedCall),
    (call("zoom_in", {"bbox_2d": [0, 0, 0.5, 0.5]}), MalformedCall),
    (zoom([0.5, 0, 0.5, 1]), InvalidBox),
    (zoom([-0.5, 0, -0.1, 1]), InvalidBox),
    (zoom([0, 0, float("nan"), 1]), InvalidBox),
    (zoom([0, 0, float("-inf"), 900]), InvalidBox),
    (zoom([10**400, 0, 10**400, 1]), InvalidBox),
    (zoom([0, 0, 1]), InvalidBox),
    (zoom("everything"), InvalidBox),
    (zoom([0, 0, "a", 1]), InvalidBox),
    (zoom(None), InvalidBox),
    (call("select_frames", {"target_frames": "all"}), InvalidFrames),
    (call("select_frames", {"target_frames": [1.5]}), InvalidFrames),
    (call("select_frames", {}), InvalidFrames),
]


@both
@pytest.mark.parametrize(("text", "mistake"), MISTAKES, ids=[text[:60] for text, _ in MISTAKES])
def test_a_mistake_is_named(protocol, text, mistake):
    with pytest.raises(mistake) as error:
        protocol.parse(text, VIEWS, MEDIA, SIZES)
    assert str(error.value).strip()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
arguments = st.fixed_dictionaries(
    {},
    optional={
        "bbox_2d": json_values | st.lists(st.floats() | st.integers(), min_size=4, max_size=4),
        "target_image": json_values,
        "img_idx": json_values,
        "source": json_values | st.sampled_from(["original_image", "observation_1", "frame_3"]),
        "target_frames": json_values | st.lists(st.integers(), max_size=10),
    },
)
names = st.sampled_from(["zoom_in", "crop_image", "image_zoom_in_tool", "select_frames", "rotate"])


@each
@given(name=names, arguments=arguments)
def test_whatever_is_called_is_a_step_or_a_mistake(protocol, name, arguments):
    written = call(name, arguments)
    if protocol.NAME == "mini-o3":
        written = f"{GROUNDING_START}{json.dumps(arguments)}</grounding>"
    try:
        step = protocol.parse(written, VIEWS, MEDIA, SIZES)
    except ModelMistake:
        return
    assert step.operation is not None


marks = ["<tool_call>", "</tool_call>", "<grounding>", "</grounding>", "<think>", "</think>", "<answer>", "</answer>"]


@each
@given(pieces=st.lists(st.sampled_from([*marks, "\\boxed{", "}", "{", '"name"', " "]) | texts))
def test_whatever_is_written_is_a_step_or_a_mistake(protocol, pieces):
    text = "".join(pieces)
    try:
        step = protocol.parse(text, VIEWS, MEDIA, SIZES)
    except ModelMistake:
        assert CALL_START in text or GROUNDING_START in text
        return
    assert step.answer is not None or step.operation is not None


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"It says \boxed{KX7421}", ("It says", "KX7421")),
        (r"\boxed{\frac{1}{2}}", ("", r"\frac{1}{2}")),
        (r"First \boxed{A}, no, \boxed{B}.", (r"First \boxed{A}, no,", "B")),
        (r"cut \boxed{KX74", ("cut", "KX74")),
        (" KX7421 ", ("", "KX7421")),
        ("", ("", "")),
        (r"\boxed{}", ("", "")),
        (r"It is \boxed{B}, as asked within \boxed{}.", ("It is", "B")),
        (r"It is \boxed{B}. \boxed{ } \boxed{}", ("It is", "B")),
        (r"none \boxed{} here", ("none", "")),
    ],
)
def test_answers_are_found(text, expected):
    assert read_answer(text) == expected


@given(st.text(string.ascii_letters + "{} ", max_size=12))
def test_a_box_holds_what_was_put_in(answer):
    try:
        written = boxed(answer)
    except InvalidInput:
        return
    assert read_answer(written) == ("", answer)


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        ("I look.<tool_call>{", "I look."),
        ("<think>I look", "I look"),
        ("<think>I look.</think>\n<grounding>{", "I look."),
        ("<think>It says</think> <answer>KX", "It says"),
        ("It says \\boxed{KX", "It says"),
    ],
)
def test_a_thought_that_is_still_being_said_shows_no_marks(text, thought):
    assert thought_so_far(text) == thought


def test_text_after_a_call_is_dropped():
    found = find_call('think <tool_call>{"name": "n", "arguments": {}}</tool_call> and more \\boxed{7}')
    assert (found.thought, found.name, found.arguments) == ("think", "n", {})


# --- messages -------------------------------------------------------------------------------------------------------


@each
def test_the_opening_shows_every_picture_and_asks(protocol):
    parts = protocol.opening("What?", ("red", "blue"), VIEWS[:17], True)
    assert [part.view.number for part in parts if isinstance(part, PicturePart)] == list(range(1, 18))
    roles = [part.role for part in parts if isinstance(part, PicturePart)]
    assert roles == ["image", *["frame"] * 16]
    assert isinstance(parts[-1], TextPart)
    assert parts[-1].text.startswith("What?\n(A) red\n(B) blue")


@each
def test_without_operations_the_model_is_told_so(protocol):
    asked = [
        (protocol.system(VIEWS[:1], is_operating) or "")
        + protocol.opening("What?", (), VIEWS[:1], is_operating)[-1].text
        for is_operating in (True, False)
    ]
    assert asked[0] != asked[1]
    assert not any(word in asked[1].lower() for word in ("zoom", "crop", "look closer", "larger", "tool"))


@both
def test_what_came_back_is_shown_in_the_words_of_the_paper(protocol):
    crop = protocol.observation(Observation((18,)), VIEWS, MEDIA, [(512, 192)])
    assert crop[0].text.strip() == "Here is the cropped image (Image Size: 512x192):"
    assert crop[1] == PicturePart(VIEWS[17], "crop")
    views = (*VIEWS, View(19, CLIP.sha256, 3, Box.full()), View(20, CLIP.sha256, 4, Box.full()))
    frames = protocol.observation(Observation((19, 20)), views, MEDIA, [(448, 336), (448, 336)])
    # pixel-reasoner counts the clip as one picture, and from 0 here: an image, a clip and a crop stand before.
    first = 19 if protocol is studio else 3
    numbered = f"Numbered {first} to {first + 1}"
    assert frames[0].text.strip() == f"Here are the selected frames (Frame Size: 448x336, {numbered}):"
    assert [part.role for part in frames[1:]] == ["selected_frame"] * 2
    (error,) = protocol.observation(Observation(error="there is no picture 9"), VIEWS, MEDIA, [])
    assert error.text.strip().startswith("Execution error:")
    assert error.text.strip().endswith("there is no picture 9")


@each
def test_a_zoom_into_a_frame_comes_back_as_a_crop(protocol):
    views = (*VIEWS, View(19, CLIP.sha256, 3, Box(0, 0, 0.5, 0.5)))
    parts = protocol.observation(Observation((19,)), views, MEDIA, [(224, 168)])
    assert [part.role for part in parts if isinstance(part, PicturePart)] == ["crop"]


def test_protocols_are_found_by_name():
    for protocol in PROTOCOLS:
        assert protocol_named(protocol.NAME) is protocol
    with pytest.raises(InvalidSetting, match="studio, pixel-reasoner"):
        protocol_named("qwen9")
