"""The definitions of the paper's kinds hold for any evidence; what was made can be cut again, written and read."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.errors import InvalidInput
from engine.evaluation.scoring import score_answer
from engine.faithfulness import ignored_errors, pretended_steps, trajectory
from engine.media import load_media, write_clip
from engine.operations import execute
from engine.policies.scripted import ScriptedConversation, ScriptedPolicy
from engine.protocols import protocol_named
from engine.synthesis.kinds import is_possible
from engine.synthesis.regions import TOO_LARGE, box_on, cue_of
from engine.synthesis.trajectories import synthesize
from engine.synthesis.wording import taught_by
from engine.trace import Box, Evidence, Example, ZoomIn, first_views
from engine.trace_json import trace_from_json, trace_to_json
from tests.strategies import boxes

PROTOCOLS = st.sampled_from(["studio", "pixel-reasoner", "mini-o3"]).map(protocol_named)
EPSILON = 1e-9


def load(picture: Image.Image):
    content = io.BytesIO()
    picture.save(content, "PNG")
    return load_media(content.getvalue())


PICTURE = load(Image.linear_gradient("L").resize((800, 600)).convert("RGB"))
PICTURES = {PICTURE.media.sha256: PICTURE}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_clip([Image.new("RGB", (96, 64), (k * 15, 0, 0)) for k in range(16)], path, 4)
    return load_media(path)


def asked(*evidence: Box) -> Example:
    return Example("What is written on it?", (PICTURE.media,), "KX7421", (), Evidence(boxes=evidence))


# Cues of at least 2% a side, that the crop of pixel-reasoner can be cut of.
cues = boxes(st.integers(0, 50).map(lambda k: k / 50)).map(lambda b: (b,))


@given(
    cues | st.lists(boxes(st.integers(0, 50).map(lambda k: k / 50)), min_size=2, max_size=3).map(tuple),
    st.sampled_from(["single_pass", "recrop_once", "recrop_twice", "further_zoom"]),
    st.integers(0, 1000),
    PROTOCOLS,
)
def test_the_definitions_of_the_picture_kinds_hold(evidence, kind, seed, protocol):
    example = asked(*evidence)
    if not is_possible(kind, example.evidence, protocol.CROP_RULE):
        with pytest.raises(InvalidInput, match="does not allow it"):
            synthesize(example, PICTURES, kind, seed, protocol)
        return
    trace = synthesize(example, PICTURES, kind, seed, protocol)
    cue = cue_of(evidence)
    assert trajectory(trace) == kind
    shown = [trace.view(step.observation.views[0]).box for step in trace.steps[:-1]]
    erroneous = [step.is_erroneous for step in trace.steps]
    wrong = {"single_pass": 0, "recrop_once": 1, "recrop_twice": 2, "further_zoom": 1}[kind]
    assert erroneous == [True] * wrong + [False] * 2
    # The last operation holds the whole cue.
    assert shown[-1].coverage_of(cue) >= 1 - EPSILON
    if kind.startswith("recrop"):
        assert all(box.intersection_area(cue) <= EPSILON for box in shown[:-1])
        asked_for = [step.operation for step in trace.steps[:-1]]
        assert all(isinstance(operation, ZoomIn) and operation.view == 1 for operation in asked_for)
    if kind == "further_zoom":
        too_large, found = shown
        assert too_large.coverage_of(cue) >= 1 - EPSILON
        assert too_large.area >= TOO_LARGE * cue.area - EPSILON
        assert trace.steps[1].operation.view == 2
        assert found.area < too_large.area
    check(trace, example, PICTURES, protocol)


@given(
    st.sets(st.integers(1, 16), min_size=1, max_size=16),
    st.sampled_from(["single_pass", "reselect"]),
    st.integers(0, 99),
)
def test_the_definitions_of_the_clip_kinds_hold(clip, frames, kind, seed):
    example = Example("What?", (clip.media,), "17", (), Evidence(frames=tuple(sorted(frames))))
    protocol, pictures = protocol_named("studio"), {clip.media.sha256: clip}
    if kind == "reselect" and len(frames) == 16:
        with pytest.raises(InvalidInput, match="does not allow it"):
            synthesize(example, pictures, kind, seed, protocol)
        return
    trace = synthesize(example, pictures, kind, seed, protocol)
    assert trajectory(trace) == kind
    selected = [set(step.operation.frames) for step in trace.steps[:-1]]
    assert selected[-1] <= frames
    assert len(selected[-1]) == min(8, len(frames))
    if kind == "reselect":
        assert not selected[0] & frames
        assert [step.is_erroneous for step in trace.steps] == [True, False, False]
    check(trace, example, pictures, protocol)


def test_the_frames_to_select_may_be_named(clip):
    """Else all that show the cue are looked at, which a policy that looks at one would have to learn anew."""
    example = Example("What?", (clip.media,), "17", (), Evidence(frames=(3, 4, 5)))
    protocol, pictures = protocol_named("studio"), {clip.media.sha256: clip}
    trace = synthesize(example, pictures, "reselect", 0, protocol, frames=(4,))
    wrong, right = (step.operation.frames for step in trace.steps[:-1])
    assert right == (4,) and len(wrong) == 1 and wrong[0] not in (3, 4, 5)
    check(trace, example, pictures, protocol)
    with pytest.raises(InvalidInput, match=r"\[6\] are not"):
        synthesize(example, pictures, "single_pass", 0, protocol, frames=(4, 6))


def check(trace, example, pictures, protocol):
    """What holds for every synthesised trace."""
    assert trace.stop_reason == "answered"
    assert score_answer(trace.answer, example) == 1.0
    assert (pretended_steps(trace), ignored_errors(trace)) == ((), ())
    assert trace_from_json(trace_to_json(trace)) == (trace, None)
    # Every observation, made again by the operation that brought it.
    views = list(first_views(trace.media))
    for step in trace.steps[:-1]:
        again = execute(step.operation, views, pictures, protocol.CROP_RULE)
        assert tuple(view.number for view in again) == step.observation.views
        views.extend(again)
        said = protocol.parse(protocol.render(step, views, trace.media), views, trace.media)
        assert (said.thought, said.operation) == (step.thought, step.operation)
    assert tuple(views) == trace.views


def test_the_same_seed_makes_the_same_trace_and_another_another():
    example, protocol = asked(Box(0.4, 0.4, 0.45, 0.44)), protocol_named("studio")
    made = [synthesize(example, PICTURES, "recrop_twice", seed, protocol) for seed in (1, 1, 2)]
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_a_multiple_choice_is_answered_by_its_letter():
    example = Example(
        "Which?", (PICTURE.media,), "the cat", ("the dog", "the cat"), Evidence(boxes=(Box(0, 0, 0.1, 0.1),))
    )
    assert synthesize(example, PICTURES, "single_pass", 0, protocol_named("studio")).answer == "B"


def test_text_needs_no_evidence_and_operates_on_nothing():
    example = Example("What?", (PICTURE.media,), "17")
    trace = synthesize(example, PICTURES, "text", 0, protocol_named("studio"))
    assert trajectory(trace) == "text"
    assert [step.answer for step in trace.steps] == ["17"]
    check(trace, example, PICTURES, protocol_named("studio"))


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (
            Example("What?", (PICTURE.media,), None, (), Evidence(boxes=(Box(0, 0, 0.1, 0.1),))),
            "needs an example with an",
        ),
        (Example("What?", (PICTURE.media,), "17", (), Evidence(frames=(3,))), "another kind than the media"),
        (Example("What?", (PICTURE.media,), "17 {", (), Evidence(boxes=(Box(0, 0, 0.1, 0.1),))), "cannot be written"),
    ],
)
def test_what_cannot_be_made_says_why(example, message):
    with pytest.raises(InvalidInput, match=message):
        synthesize(example, PICTURES, "single_pass", 0, protocol_named("studio"))


def test_a_teacher_words_the_thoughts_and_nothing_else():
    example, protocol = asked(Box(0.4, 0.4, 0.45, 0.44)), protocol_named("studio")
    said = 'A small sign is in the middle. \\boxed{nothing} <tool_call>{"name": "zoom_in"}</tool_call>'
    teacher = taught_by(ScriptedPolicy(turns=(said,)))
    taught = synthesize(example, PICTURES, "recrop_once", 5, protocol, teacher)
    plain = synthesize(example, PICTURES, "recrop_once", 5, protocol)
    assert {step.thought for step in taught.steps} == {"A small sign is in the middle."}
    assert taught.answer == plain.answer
    assert [type(step.operation) for step in taught.steps] == [type(step.operation) for step in plain.steps]


def test_a_teacher_is_told_what_comes_and_shown_what_was_seen(clip):
    heard = []

    class Hearing(ScriptedConversation):
        def add(self, said):
            heard.extend(one.parts for one in said)
            ScriptedConversation.add(self, said)

    class Listening(ScriptedPolicy):
        def converse(self, pictures, seed):
            return Hearing(self.protocol, self.turns, 0.0)

    example = asked(Box(0.4, 0.4, 0.45, 0.44))
    policy = Listening(turns=("",))
    trace = synthesize(example, PICTURES, "further_zoom", 5, protocol_named("studio"), taught_by(policy))
    roles = [[part.role for part in parts[:-1]] for parts in heard]
    assert roles == [["image"], ["image", "crop"], ["image", "crop", "crop"]]
    assert "too much of it" in heard[1][-1].text
    assert "They will now answer: KX7421." in heard[2][-1].text
    assert all(step.thought for step in trace.steps)  # it said nothing: the templates did


@given(boxes(st.floats(0, 1)))
def test_the_box_on_a_cue_forgives_an_error_of_a_sixth_of_its_side_and_of_two_hundredths(cue):
    box = box_on(cue)
    across, down = max(0.02, (cue.x2 - cue.x1) / 6), max(0.02, (cue.y2 - cue.y1) / 6)
    assert box.x1 <= max(0.0, cue.x1 - across) + EPSILON and box.x2 >= min(1.0, cue.x2 + across) - EPSILON
    assert box.y1 <= max(0.0, cue.y1 - down) + EPSILON and box.y2 >= min(1.0, cue.y2 + down) - EPSILON
    for edge in box.as_list():
        assert abs(100 * edge - round(100 * edge)) < EPSILON
