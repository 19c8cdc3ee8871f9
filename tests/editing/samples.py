"""Traces that the loop itself made, their pixels, and strategies for edits that fit or do not fit them."""

from __future__ import annotations

import hashlib
import random
from functools import cache

from hypothesis import strategies as st
from PIL import Image

from engine.drivers.streaming import stream
from engine.editing import (
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
)
from engine.media import LoadedMedia, Pictures
from engine.policies.scripted import ScriptedPolicy
from engine.protocols import WireProtocol, studio
from engine.reasoning import Finished
from engine.trace import CLIP_FRAMES, Box, Example, Media, SelectFrames, Step, Trace, View, ZoomIn


@cache
def photo(width: int = 400, height: int = 300) -> LoadedMedia:
    noise = Image.frombytes("RGB", (width, height), random.Random(1).randbytes(3 * width * height))
    return LoadedMedia(Media(hashlib.sha256(b"photo").hexdigest(), "image", width, height), (noise,))


@cache
def clip() -> LoadedMedia:
    frames = tuple(
        Image.frombytes("RGB", (64, 48), random.Random(k).randbytes(3 * 64 * 48)) for k in range(CLIP_FRAMES)
    )
    return LoadedMedia(Media(hashlib.sha256(b"clip").hexdigest(), "video", 64, 48), frames)


def pictures_of(loaded: LoadedMedia) -> Pictures:
    return {loaded.media.sha256: loaded}


def policy_saying(*steps: Step, protocol: WireProtocol = studio) -> ScriptedPolicy:  # type: ignore[assignment]
    media = (photo().media,)
    views = tuple(View(k, media[0].sha256, None, Box.full()) for k in range(1, 9))
    return ScriptedPolicy(tuple(protocol.render(step, views, media) for step in steps), protocol=protocol)


def play(loaded: LoadedMedia, *steps: Step, protocol: WireProtocol = studio) -> Trace:  # type: ignore[assignment]
    """What the loop makes of these turns."""
    example = Example("What is written there?", (loaded.media,))
    notices = list(stream(policy_saying(*steps, protocol=protocol), example, pictures_of(loaded)))
    assert isinstance(notices[-1], Finished)
    return notices[-1].trace


def zoomed(protocol: WireProtocol = studio) -> Trace:  # type: ignore[assignment]
    """Two nested zooms and an answer: views 1, 2 in 1, 3 in 2."""
    return play(
        photo(),
        Step("I look at the left.", ZoomIn(1, Box(0.0, 0.0, 0.5, 0.5))),
        Step("Closer.", ZoomIn(2, Box(0.5, 0.5, 1.0, 1.0))),
        Step("I read KX.", answer="KX"),
        protocol=protocol,
    )


def selected() -> Trace:
    """Frames 3 and 4, then a zoom into frame 4 (view 18), then an answer."""
    return play(
        clip(),
        Step("I look at two frames.", SelectFrames((3, 4))),
        Step("Closer at the second.", ZoomIn(18, Box(0.25, 0.25, 0.75, 0.75))),
        Step("It is red.", answer="red"),
    )


indices = st.integers(-1, 5)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x1, x2 = sorted((draw(st.floats(0, 0.9)), draw(st.floats(0, 0.9))))
    y1, y2 = sorted((draw(st.floats(0, 0.9)), draw(st.floats(0, 0.9))))
    return Box(x1, y1, x2 + 0.1, y2 + 0.1)


frame_lists = st.lists(st.integers(0, 17), max_size=9).map(tuple)
texts = st.text(max_size=12)
views = st.none() | st.integers(0, 20)

edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(SetBox, indices, boxes(), views),
    st.builds(SetBox, st.integers(0, 2), boxes()),
    st.builds(SetFrames, indices, frame_lists),
    st.builds(RemoveOperation, indices),
    st.builds(SetThought, indices, texts),
    st.builds(SetAnswer, indices, st.none() | texts),
    st.builds(InsertStep, indices, texts, st.none() | boxes(), views),
    st.builds(InsertStep, indices, texts, frames=frame_lists),
    st.builds(InsertStep, indices, texts, answer=texts),
    st.builds(DeleteStep, indices),
    st.builds(MoveStep, indices, indices),
    st.builds(MarkErroneous, indices, st.booleans()),
    st.builds(Confirm, st.none() | indices),
    st.builds(Rerun, indices),
)
