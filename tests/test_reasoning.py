"""THE loop, on a scripted policy: every way to end, every mistake of the model, cancelling, closing and going on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from PIL import Image

from engine.media import LoadedMedia, Pictures
from engine.policies.base import Turn
from engine.policies.scripted import ScriptedConversation, ScriptedPolicy
from engine.protocols import Part, PicturePart, TextPart, WireProtocol, pixel_reasoner, studio
from engine.reasoning import Event, Finished, Limits, Opened, Stepped, Thinking, reason
from engine.trace import Box, Example, Media, SelectFrames, Step, Trace, View, ZoomIn, first_views

IMAGE = Media("a" * 64, "image", 1024, 768)
CLIP = Media("b" * 64, "video", 448, 336)
PICTURES: Pictures = {
    IMAGE.sha256: LoadedMedia(IMAGE, (Image.new("RGB", (1024, 768), "gray"),)),
    CLIP.sha256: LoadedMedia(
        CLIP,
        tuple(Image.new("RGB", (448, 336), (k, k, k)) for k in range(16)),
        tuple(k / 4 for k in range(16)),
    ),
}
PICTURE = Example("What is written on the red disc?", (IMAGE,))
VIDEO = Example("What is written on the red disc?", (CLIP,))
ZOOM = (
    '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0.20, 0.40, 0.60, 0.80], "target_image": 1}}</tool_call>'
)
NESTED = (
    '<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0.50, 0.50, 1.00, 1.00], "target_image": 2}}</tool_call>'
)
SELECT = '<tool_call>{"name": "select_frames", "arguments": {"target_frames": [3, 4]}}</tool_call>'
ANSWER = "It can be read now. \\boxed{KX7421}"


@dataclasses.dataclass
class Witness:
    """A conversation that keeps what was said to it, in order, and whether it was closed."""

    inner: ScriptedConversation
    said: list[tuple[str, Any]] = dataclasses.field(default_factory=list)
    is_closed: bool = False

    @property
    def last_turn(self) -> Turn:
        return self.inner.last_turn

    def append(self, parts: Sequence[Part], *, system: str | None = None) -> None:
        self.said.append(("user", (system, *parts)))
        self.inner.append(parts, system=system)

    def recall(self, text: str) -> None:
        self.said.append(("model", text))
        self.inner.recall(text)

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str]:
        text = ""
        for piece in self.inner.generate(max_tokens, is_cancelled):
            text += piece
            yield piece
        self.said.append(("model", text))

    def shown_sizes(self, views: Sequence[View]) -> tuple[tuple[int, int], ...]:
        return self.inner.shown_sizes(views)

    def close(self) -> None:
        self.is_closed = True


@dataclasses.dataclass
class Watched:
    """A scripted policy whose conversations can be looked at afterwards."""

    turns: tuple[str, ...]
    protocol: WireProtocol = studio
    name: str = "watched"
    conversations: list[Witness] = dataclasses.field(default_factory=list)

    def settings(self) -> Mapping[str, Any]:
        return {}

    def converse(self, pictures: Pictures, seed: int | None) -> Witness:
        inner = ScriptedPolicy(self.turns, protocol=self.protocol).converse(pictures, seed)
        self.conversations.append(Witness(inner))
        return self.conversations[-1]


def run(*turns: str, example: Example = PICTURE, protocol: WireProtocol = studio, **options: Any) -> Trace:
    events = list(reason(Watched(turns, protocol), example, PICTURES, **options))
    assert isinstance(events[0], Opened)
    assert [event for event in events if isinstance(event, Finished)] == [events[-1]]
    trace = events[-1].trace
    stepped = [event for event in events if isinstance(event, Stepped)]
    assert tuple(event.step for event in stepped) == trace.steps
    assert events[0].views + sum((event.views for event in stepped), ()) == trace.views
    return trace


# --- ways to end ----------------------------------------------------------------------------------------------------


def test_a_zoom_and_an_answer():
    trace = run(f"I look closer.{ZOOM}", ANSWER)
    zoom, answer = trace.steps
    assert trace.stop_reason == "answered"
    assert trace.answer == "KX7421"
    assert (zoom.thought, zoom.operation) == ("I look closer.", ZoomIn(1, Box(0.2, 0.4, 0.6, 0.8)))
    assert zoom.observation.views == (2,)
    assert answer == Step("It can be read now.", answer="KX7421")
    assert trace.views == (*first_views((IMAGE,)), View(2, IMAGE.sha256, None, Box(0.2, 0.4, 0.6, 0.8)))
    assert (trace.policy, trace.protocol, trace.question) == ("watched", "studio", PICTURE.question)


def test_a_nested_zoom_is_kept_in_the_original_s_coordinates():
    trace = run(ZOOM, NESTED, ANSWER)
    assert trace.view(3).box.as_list() == pytest.approx([0.4, 0.6, 0.6, 0.8])


def test_selected_frames_are_new_views():
    trace = run(SELECT, ANSWER, example=VIDEO)
    assert trace.steps[0].operation == SelectFrames((3, 4))
    assert [(view.number, view.frame) for view in trace.views[16:]] == [(17, 3), (18, 4)]


def test_the_protocol_s_padding_is_in_the_view():
    call = '<tool_call>{"name": "crop_image_normalized", "arguments": {"bbox_2d": [0.2, 0.4, 0.6, 0.8], "target_image": 1}}'
    trace = run(call + "</tool_call>", ANSWER, protocol=pixel_reasoner)
    assert trace.steps[0].operation.box == Box(0.2, 0.4, 0.6, 0.8)
    assert trace.view(2).box.as_list() == pytest.approx([0.1, 0.3, 0.7, 0.9])


def test_max_steps():
    trace = run(ZOOM, limits=Limits(max_steps=3))
    assert trace.stop_reason == "max_steps"
    assert len(trace.steps) == 3
    assert trace.answer is None


def test_max_views():
    trace = run(SELECT, example=VIDEO, limits=Limits(max_steps=9, max_views=19))
    assert trace.stop_reason == "max_steps"
    assert len(trace.views) == 20  # the step that passed the limit is the last
    assert len(trace.steps) == 2


def test_max_tokens_of_a_turn():
    trace = run("one two three four five", limits=Limits(max_turn_tokens=3))
    assert trace.stop_reason == "max_tokens"
    assert trace.steps == (Step("one two three"),)


def test_max_tokens_of_the_whole_attempt():
    words = len(f"I look.{ZOOM}".split())
    trace = run(f"I look.{ZOOM}", "one two three four five", limits=Limits(max_tokens=words + 2))
    assert trace.stop_reason == "max_tokens"
    assert trace.steps[-1] == Step("one two")
    trace = run(f"I look.{ZOOM}", ANSWER, limits=Limits(max_tokens=words))
    assert trace.stop_reason == "max_tokens"
    assert len(trace.steps) == 1


def test_a_call_that_was_cut_off_is_no_operation():
    trace = run(f"I look.{ZOOM}", limits=Limits(max_turn_tokens=4))
    assert trace.stop_reason == "max_tokens"
    assert trace.steps[0].operation is None
    assert trace.steps[0].observation is None
    assert trace.views == first_views((IMAGE,))


def test_a_mistake_of_ours_raises_after_a_finished_that_keeps_what_was_done():
    class Broken(Watched):
        def converse(self, pictures: Pictures, seed: int | None) -> Witness:
            conversation = super().converse(pictures, seed)
            conversation.shown_sizes = lambda views: 1 / 0  # type: ignore[method-assign]
            return conversation

    policy = Broken((ZOOM, ANSWER))
    events: list[Event] = []
    with pytest.raises(ZeroDivisionError):
        collect(events, reason(policy, PICTURE, PICTURES))
    assert isinstance(events[-1], Finished)
    assert events[-1].trace.stop_reason == "failed"
    assert len(events[-1].trace.steps) == 1
    assert policy.conversations[0].is_closed


def collect(events: list[Event], source: Iterator[Event]) -> None:
    """Keep events as they come, so that those before an error are there."""
    for event in source:
        events.append(event)


def test_media_that_were_not_loaded_are_our_mistake():
    events: list[Event] = []
    with pytest.raises(Exception, match="not loaded"):
        collect(events, reason(Watched((ZOOM, ANSWER)), PICTURE, {}))
    assert events[-1].trace.stop_reason == "failed"


# --- mistakes of the model ------------------------------------------------------------------------------------------


def call(name: str, arguments: str) -> str:
    return f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


MISTAKES = {
    "bad JSON": (PICTURE, '<tool_call>{"name": zoom_in}</tool_call>', "not valid JSON", False),
    "no call at all": (PICTURE, "<tool_call>[]</tool_call>", "a call is", False),
    "unknown operation": (PICTURE, call("rotate", "{}"), "no operation 'rotate'", False),
    "reversed box": (PICTURE, call("zoom_in", '{"bbox_2d": [0.6, 0, 0.2, 1], "target_image": 1}'), "reversed", False),
    "box outside": (PICTURE, call("zoom_in", '{"bbox_2d": [0, 0, 1.5, 1], "target_image": 1}'), "outside", False),
    "box of three": (PICTURE, call("zoom_in", '{"bbox_2d": [0, 0, 1], "target_image": 1}'), "four numbers", False),
    "unknown view": (PICTURE, call("zoom_in", '{"bbox_2d": [0, 0, 0.5, 1], "target_image": 7}'), "no picture 7", True),
    "view zero": (PICTURE, call("zoom_in", '{"bbox_2d": [0, 0, 0.5, 1], "target_image": 0}'), "no picture 0", True),
    "too many frames": (VIDEO, call("select_frames", f'{{"target_frames": {[*range(1, 10)]}}}'), "at most 8", True),
    "no frames": (VIDEO, call("select_frames", '{"target_frames": []}'), "no frames", True),
    "no such frame": (VIDEO, call("select_frames", '{"target_frames": [17]}'), "no frame 17", True),
    "frames of an image": (PICTURE, SELECT, "no video", True),
}


@pytest.mark.parametrize(("example", "mistake", "said", "is_read"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_comes_back_as_an_observation_and_the_loop_goes_on(example, mistake, said, is_read):
    policy = Watched((f"I try.{mistake}", ANSWER))
    trace = list(reason(policy, example, PICTURES))[-1].trace
    first, last = trace.steps
    assert said in first.observation.error
    assert first.observation.views == ()
    assert trace.stop_reason == "answered"
    assert last.answer == "KX7421"
    assert trace.views == first_views(example.media)
    assert not trace.has_operation
    assert trace.operation_errors == 1
    # What was read of the call is an operation; what could not be read stays in the thought, word for word.
    assert (first.operation is not None) == is_read
    assert first.thought == ("I try." if is_read else f"I try.{mistake}")
    told = policy.conversations[0].said[2][1]
    assert any(isinstance(part, TextPart) and "Execution error" in part.text and said in part.text for part in told)


def test_a_call_while_operations_are_forbidden():
    trace = run(f"I look.{ZOOM}", ANSWER, is_operating=False)
    assert not trace.is_operating and not trace.invites_operations
    assert "not allowed" in trace.steps[0].observation.error
    assert trace.steps[0].operation == ZoomIn(1, Box(0.2, 0.4, 0.6, 0.8))
    assert len(trace.views) == 1
    assert trace.stop_reason == "answered"


def test_mistakes_count_as_steps():
    trace = run(call("rotate", "{}"), limits=Limits(max_steps=4))
    assert trace.stop_reason == "max_steps"
    assert trace.operation_errors == 4


# --- what the model is told -----------------------------------------------------------------------------------------


def test_the_conversation_alternates_and_shows_every_new_view():
    policy = Watched((f"I look.{SELECT}", f"Closer.{ZOOM}", ANSWER))
    list(reason(policy, VIDEO, PICTURES))
    said = policy.conversations[0].said
    assert [who for who, _ in said] == ["user", "model", "user", "model", "user", "model"]
    shown = [
        [part.view.number for part in what if isinstance(part, PicturePart)] for who, what in said if who == "user"
    ]
    assert shown == [list(range(1, 17)), [17, 18], [19]]


def test_the_system_message_is_said_once():
    policy = Watched((ANSWER,), pixel_reasoner)
    list(reason(policy, PICTURE, PICTURES))
    assert "crop_image_normalized" in policy.conversations[0].said[0][1][0]


def test_thoughts_grow_and_never_show_a_call():
    events = list(reason(Watched((f"I look at the disc.{ZOOM}", ANSWER)), PICTURE, PICTURES))
    thoughts = [event.thought for event in events if isinstance(event, Thinking) and event.index == 0]
    assert thoughts[:3] == ["I", "I look", "I look at"]
    assert all(later.startswith(earlier) for earlier, later in zip(thoughts, thoughts[1:], strict=False))
    assert thoughts[-1] == "I look at the disc."


# --- cancelling and closing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 2, 5])
def test_cancelling_acts_within_one_token(after):
    words_seen = 0

    def is_cancelled() -> bool:
        return words_seen >= after

    events = []
    for event in reason(Watched(("a b c d e f g h",)), PICTURE, PICTURES, is_cancelled=is_cancelled):
        events.append(event)
        words_seen += isinstance(event, Thinking)
    assert words_seen == after
    trace = events[-1].trace
    assert trace.stop_reason == "cancelled"
    assert trace.steps == (Step(" ".join("abcdefgh"[:after])),)


def test_cancelling_before_the_first_token():
    trace = run(ANSWER, is_cancelled=lambda: True)
    assert trace.stop_reason == "cancelled"
    assert trace.steps == ()


def test_cancelling_between_turns_keeps_the_operation():
    events: list[Event] = []
    policy = Watched((ZOOM, ANSWER))
    has_stepped = lambda: any(isinstance(event, Stepped) for event in events)  # noqa: E731
    collect(events, reason(policy, PICTURE, PICTURES, is_cancelled=has_stepped))
    assert events[-1].trace.stop_reason == "cancelled"
    assert len(events[-1].trace.steps) == 1
    assert len(events[-1].trace.views) == 2
    assert policy.conversations[0].is_closed


@pytest.mark.parametrize("count", [1, 3, 9])
def test_closing_the_generator_closes_the_conversation(count):
    policy = Watched((f"I look closer.{ZOOM}", ANSWER))
    events = reason(policy, PICTURE, PICTURES)
    for _ in range(count):
        next(events)
    assert not policy.conversations[0].is_closed
    events.close()
    assert policy.conversations[0].is_closed


def test_the_end_closes_the_conversation():
    policy = Watched((ANSWER,))
    list(reason(policy, PICTURE, PICTURES))
    assert policy.conversations[0].is_closed


# --- going on -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
@pytest.mark.parametrize("protocol", [studio, pixel_reasoner], ids=lambda protocol: protocol.NAME)
def test_going_on_is_the_same_conversation_as_never_having_stopped(protocol, kept):
    box = Box(0.2, 0.4, 0.6, 0.8)
    shown = first_views((CLIP,))
    turns = (
        protocol.render(Step("Frames.", SelectFrames((3, 4))), shown, (CLIP,)),
        f"Broken. {call('rotate', '{}')}",
        protocol.render(Step("Closer.", ZoomIn(1, box)), shown, (CLIP,)),
        ANSWER,
    )
    whole, continued = Watched(turns, protocol), Watched(turns, protocol)
    trace = list(reason(whole, VIDEO, PICTURES))[-1].trace
    assert trace.stop_reason == "answered"
    seen = 16 + sum(len(step.observation.views) for step in trace.steps[:kept])
    earlier = dataclasses.replace(trace, steps=trace.steps[:kept], views=trace.views[:seen], stop_reason="cancelled")
    events = list(reason(continued, VIDEO, PICTURES, earlier=earlier))
    assert events[-1].trace == trace
    assert continued.conversations[0].said == whole.conversations[0].said
    assert [event.index for event in events if isinstance(event, Stepped)] == list(range(kept, 4))
    assert events[0].views == trace.views[:16]


def test_going_on_counts_the_earlier_steps():
    trace = run(ZOOM, limits=Limits(max_steps=2))
    events = list(reason(Watched((ZOOM,)), PICTURE, PICTURES, Limits(max_steps=3), earlier=trace))
    assert len(events[-1].trace.steps) == 3
    assert [view.number for view in events[-1].trace.views] == [1, 2, 3, 4]


# --- the shipped script ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", [PICTURE, VIDEO], ids=["image", "video"])
@pytest.mark.parametrize("protocol", [studio, pixel_reasoner], ids=lambda protocol: protocol.NAME)
def test_the_default_script_looks_once_and_owns_up(example, protocol):
    trace = list(reason(ScriptedPolicy(protocol=protocol), example, PICTURES))[-1].trace
    assert trace.answer == "scripted"
    assert trace.has_operation
    assert (trace.policy, trace.stop_reason) == ("scripted", "answered")


def test_confidence_is_told_where_the_policy_tells_it():
    class Telling(ScriptedConversation):
        def generate(self, max_tokens, is_cancelled):
            yield from ScriptedConversation.generate(self, max_tokens, is_cancelled)
            tokens = self.last_turn.tokens
            probability = 0.25 if self.spoken == 1 else 1.0
            self.last_turn = Turn(tokens, self.last_turn.is_complete, tokens * math.log(probability))

    class TellingPolicy(ScriptedPolicy):
        def converse(self, pictures, seed):
            return Telling(self.protocol, self.turns, 0.0)

    *_, last = reason(TellingPolicy(("one two three", "four \\boxed{5}")), PICTURE, PICTURES)
    assert last.confidence == pytest.approx(0.25)  # the first turn is the only one: words without a call are an answer
    *_, last = reason(TellingPolicy((f"one{ZOOM}", ANSWER)), PICTURE, PICTURES)
    first, second = len(f"one{ZOOM}".split()), len(ANSWER.split())
    assert last.confidence == pytest.approx(0.25 ** (first / (first + second)))
    *_, last = reason(ScriptedPolicy((ANSWER,)), PICTURE, PICTURES)
    assert last.confidence is None
