"""THE loop, on a scripted policy: every way to end, every mistake of the model, cancelling, closing and going on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from PIL import Image

from engine.drivers.streaming import stream
from engine.media import LoadedMedia, Pictures
from engine.policies.base import Recalled, Said, Told, Turn
from engine.policies.scripted import ScriptedConversation, ScriptedPolicy
from engine.protocols import PicturePart, TextPart, WireProtocol, pixel_reasoner, protocol_named, studio
from engine.reasoning import Finished, Limits, Notice, Opened, Request, Stepped, Thinking, reason, replay
from engine.settings import PROTOCOLS
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

    def add(self, said: Sequence[Said]) -> None:
        for one in said:
            self.said.append(("model", one.text) if isinstance(one, Recalled) else ("user", (one.system, *one.parts)))
        self.inner.add(said)

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | Turn]:
        for piece in self.inner.generate(max_tokens, is_cancelled):
            if isinstance(piece, Turn):
                self.said.append(("model", piece.text))
            yield piece

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

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return tuple((448, 336) for _ in shown)

    def converse(self, pictures: Pictures, seed: int | None) -> Witness:
        inner = ScriptedPolicy(self.turns, protocol=self.protocol).converse(pictures, seed)
        self.conversations.append(Witness(inner))
        return self.conversations[-1]


def run(*turns: str, example: Example = PICTURE, protocol: WireProtocol = studio, **options: Any) -> Trace:
    notices = list(stream(Watched(turns, protocol), example, PICTURES, **options))
    assert isinstance(notices[0], Opened)
    assert [notice for notice in notices if isinstance(notice, Finished)] == [notices[-1]]
    trace = notices[-1].trace
    stepped = [notice for notice in notices if isinstance(notice, Stepped)]
    assert tuple(notice.step for notice in stepped) == trace.steps
    assert notices[0].views + sum((notice.views for notice in stepped), ()) == trace.views
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
        def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
            if any(part.role == "crop" for part in shown):
                raise ZeroDivisionError
            return super().shown_sizes(shown, pictures)

    policy = Broken((ZOOM, ANSWER))
    notices: list[Notice] = []
    with pytest.raises(ZeroDivisionError):
        collect(notices, stream(policy, PICTURE, PICTURES))
    assert isinstance(notices[-1], Finished)
    assert notices[-1].trace.stop_reason == "failed"
    assert len(notices[-1].trace.steps) == 1
    assert policy.conversations[0].is_closed


def collect(notices: list[Notice], source: Iterator[Notice]) -> None:
    """Keep notices as they come, so that those before an error are there."""
    for notice in source:
        notices.append(notice)


def test_media_that_were_not_loaded_are_our_mistake():
    notices: list[Notice] = []
    with pytest.raises(Exception, match="not loaded"):
        collect(notices, stream(Watched((ZOOM, ANSWER)), PICTURE, {}))
    assert notices[-1].trace.stop_reason == "failed"


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
    trace = list(stream(policy, example, PICTURES))[-1].trace
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
    list(stream(policy, VIDEO, PICTURES))
    said = policy.conversations[0].said
    assert [who for who, _ in said] == ["user", "model", "user", "model", "user", "model"]
    shown = [
        [part.view.number for part in what if isinstance(part, PicturePart)] for who, what in said if who == "user"
    ]
    assert shown == [list(range(1, 17)), [17, 18], [19]]


def test_the_system_message_is_said_once():
    policy = Watched((ANSWER,), pixel_reasoner)
    list(stream(policy, PICTURE, PICTURES))
    assert "crop_image_normalized" in policy.conversations[0].said[0][1][0]


def test_thoughts_grow_and_never_show_a_call():
    notices = list(stream(Watched((f"I look at the disc.{ZOOM}", ANSWER)), PICTURE, PICTURES))
    thoughts = [notice.thought for notice in notices if isinstance(notice, Thinking) and notice.index == 0]
    assert thoughts[:3] == ["I", "I look", "I look at"]
    assert all(later.startswith(earlier) for earlier, later in zip(thoughts, thoughts[1:], strict=False))
    assert thoughts[-1] == "I look at the disc."


# --- cancelling and closing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [1, 2, 5])
def test_cancelling_acts_within_one_token(after):
    words_seen = 0

    def is_cancelled() -> bool:
        return words_seen >= after

    notices = []
    for notice in stream(Watched(("a b c d e f g h",)), PICTURE, PICTURES, is_cancelled=is_cancelled):
        notices.append(notice)
        words_seen += isinstance(notice, Thinking)
    assert words_seen == after
    trace = notices[-1].trace
    assert trace.stop_reason == "cancelled"
    assert trace.steps == (Step(" ".join("abcdefgh"[:after])),)


def test_cancelling_before_the_first_token():
    trace = run(ANSWER, is_cancelled=lambda: True)
    assert trace.stop_reason == "cancelled"
    assert trace.steps == ()


def test_cancelling_between_turns_keeps_the_operation():
    notices: list[Notice] = []
    policy = Watched((ZOOM, ANSWER))
    has_stepped = lambda: any(isinstance(notice, Stepped) for notice in notices)  # noqa: E731
    collect(notices, stream(policy, PICTURE, PICTURES, is_cancelled=has_stepped))
    assert notices[-1].trace.stop_reason == "cancelled"
    assert len(notices[-1].trace.steps) == 1
    assert len(notices[-1].trace.views) == 2
    assert policy.conversations[0].is_closed


@pytest.mark.parametrize("count", [1, 3, 9])
def test_closing_the_generator_closes_the_conversation(count):
    policy = Watched((f"I look closer.{ZOOM}", ANSWER))
    notices = stream(policy, PICTURE, PICTURES)
    for _ in range(count):
        next(notices)
    assert not policy.conversations[0].is_closed
    notices.close()
    assert policy.conversations[0].is_closed


def test_the_end_closes_the_conversation():
    policy = Watched((ANSWER,))
    list(stream(policy, PICTURE, PICTURES))
    assert policy.conversations[0].is_closed


# --- going on -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
@pytest.mark.parametrize("protocol", [protocol_named(name) for name in PROTOCOLS], ids=lambda protocol: protocol.NAME)
def test_going_on_is_the_same_conversation_as_never_having_stopped(protocol, kept):
    box = Box(0.2, 0.4, 0.6, 0.8)
    shown = first_views((CLIP,))
    selected = (*shown, View(17, CLIP.sha256, 3, Box.full()), View(18, CLIP.sha256, 4, Box.full()))
    turns = (
        protocol.render(Step("Frames.", SelectFrames((3, 4))), shown, (CLIP,)),
        "Broken. <grounding>{}</grounding>" if protocol.NAME == "mini-o3" else f"Broken. {call('rotate', '{}')}",
        protocol.render(Step("Closer.", ZoomIn(17, box)), selected, (CLIP,)),
        ANSWER,
    )
    whole, continued = Watched(turns, protocol), Watched(turns, protocol)
    trace = list(stream(whole, VIDEO, PICTURES))[-1].trace
    assert trace.stop_reason == "answered"
    seen = 16 + sum(len(step.observation.views) for step in trace.steps[:kept])
    earlier = dataclasses.replace(trace, steps=trace.steps[:kept], views=trace.views[:seen], stop_reason="cancelled")
    notices = list(stream(continued, VIDEO, PICTURES, earlier=earlier))
    assert notices[-1].trace == trace
    assert continued.conversations[0].said == whole.conversations[0].said
    assert [notice.index for notice in notices if isinstance(notice, Stepped)] == list(range(kept, 4))
    assert notices[0].views == trace.views[:16]


def test_going_on_counts_the_earlier_steps():
    trace = run(ZOOM, limits=Limits(max_steps=2))
    notices = list(stream(Watched((ZOOM,)), PICTURE, PICTURES, Limits(max_steps=3), earlier=trace))
    assert len(notices[-1].trace.steps) == 3
    assert [view.number for view in notices[-1].trace.views] == [1, 2, 3, 4]


# --- the shipped script ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", [PICTURE, VIDEO], ids=["image", "video"])
@pytest.mark.parametrize("protocol", [studio, pixel_reasoner], ids=lambda protocol: protocol.NAME)
def test_the_default_script_looks_once_and_owns_up(example, protocol):
    trace = list(stream(ScriptedPolicy(protocol=protocol), example, PICTURES))[-1].trace
    assert trace.answer == "scripted"
    assert trace.has_operation
    assert (trace.policy, trace.stop_reason) == ("scripted", "answered")


def test_confidence_is_told_where_the_policy_tells_it():
    class Telling(ScriptedConversation):
        def generate(self, max_tokens, is_cancelled):
            *pieces, turn = ScriptedConversation.generate(self, max_tokens, is_cancelled)
            yield from pieces
            probability = 0.25 if self.spoken == 1 else 1.0
            yield dataclasses.replace(turn, log_probability=turn.tokens * math.log(probability))

    class TellingPolicy(ScriptedPolicy):
        def converse(self, pictures, seed):
            return Telling(self.protocol, self.turns, 0.0)

    *_, last = stream(TellingPolicy(("one two three", "four \\boxed{5}")), PICTURE, PICTURES)
    assert last.confidence == pytest.approx(0.25)  # the first turn is the only one: words without a call are an answer
    *_, last = stream(TellingPolicy((f"one{ZOOM}", ANSWER)), PICTURE, PICTURES)
    first, second = len(f"one{ZOOM}".split()), len(ANSWER.split())
    assert last.confidence == pytest.approx(0.25 ** (first / (first + second)))
    *_, last = stream(ScriptedPolicy((ANSWER,)), PICTURE, PICTURES)
    assert last.confidence is None


# --- the loop itself --------------------------------------------------------------------------------------------------


def test_the_loop_asks_for_what_is_new_and_never_calls_the_policy():
    class Mute(ScriptedPolicy):
        def converse(self, pictures, seed):
            raise AssertionError("the loop has no voice")

    policy, limits = Mute(), Limits(max_tokens=30, max_turn_tokens=20)
    loop = reason(policy, PICTURE, PICTURES, limits)
    assert isinstance(next(loop), Opened)
    opening = next(loop)
    assert opening == Request((Told(studio.opening(PICTURE.question, (), first_views((IMAGE,)), True)),), 20, 0)
    stepped = loop.send(Turn(f"I look.{ZOOM}", 18, True))
    assert isinstance(stepped, Stepped) and stepped.step.operation == ZoomIn(1, Box(0.2, 0.4, 0.6, 0.8))
    asked = next(loop)
    assert (asked.max_tokens, asked.index, len(asked.said)) == (12, 1, 1)
    assert [part.view.number for part in asked.said[0].parts if isinstance(part, PicturePart)] == [2]
    assert isinstance(loop.send(Turn(ANSWER, 5, True)), Stepped)
    assert next(loop).trace.answer == "KX7421"
    assert next(loop, None) is None


@pytest.mark.parametrize("kept", range(4))
def test_a_trace_is_replayed_in_the_words_that_it_was_spoken_in(kept):
    """What the loop asked to be said, turn by turn, and `replay` of what came of it are one conversation."""
    policy, said, taken = ScriptedPolicy(), [], []
    turns = iter((f"Frames.{SELECT}", call("rotate", "{}"), f"Closer.{ZOOM}", ANSWER))
    loop = reason(policy, VIDEO, PICTURES)
    news = next(loop)
    while not isinstance(news, Finished) and len(taken) <= kept:
        if isinstance(news, Request):
            said += [*news.said, text := next(turns)]
            news = loop.send(Turn(text, 1, True))
        else:
            taken += [news] if isinstance(news, Stepped) else []
            news = next(loop)
    steps = [one.step for one in taken]
    views = first_views((CLIP,)) + sum((one.views for one in taken), ())
    recalled = [one.text if isinstance(one, Recalled) else one for one in replay(policy, VIDEO, PICTURES, views, steps)]
    assert recalled == said[: len(recalled)] and len(recalled) == 2 * len(steps)
