"""Traces for the store's tests: one by hand, and hypothesis strategies for any trace that the values allow."""

from __future__ import annotations

import hashlib

from hypothesis import strategies as st

from engine.store.identity import canonical_json, revision_hash
from engine.trace import (
    STOP_REASONS,
    Box,
    Media,
    Observation,
    SelectFrames,
    Step,
    Trace,
    View,
    ZoomIn,
)
from engine.trace_json import trace_to_json


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


PICTURE = Media(sha("picture"), "image", 1024, 768)


def make_trace(
    question: str = "What is written on the red disc?",
    answer: str | None = "KX7421",
    thought: str = "The sign is small.",
    policy: str = "tiny",
    media: Media = PICTURE,
    is_operating: bool = True,
) -> Trace:
    """A trace of one zoom and an answer, or of an answer alone."""
    box = Box(0.31, 0.4, 0.45, 0.5)
    views = (View(1, media.sha256, None, Box.full()), View(2, media.sha256, None, box))
    zoom = Step(thought, ZoomIn(1, box), Observation(views=(2,)))
    return Trace(
        question=question,
        media=(media,),
        views=views if is_operating else views[:1],
        steps=(*((zoom,) if is_operating else ()), Step(f"I read {answer}.", answer=answer)),
        stop_reason="answered" if answer is not None else "max_steps",
        policy=policy,
        protocol="studio",
    )


def hash_of(parent_hash: str | None, trace: Trace) -> str:
    """The hash of a revision that holds `trace`."""
    return revision_hash(parent_hash, canonical_json(trace_to_json(trace, None)))


# Surrogates included on purpose: a broken tokenizer can make them, and the store must not fall over.
texts = st.text(st.characters(), max_size=40)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
unit = st.floats(0, 1, allow_nan=False)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x1, x2 = sorted(draw(st.lists(unit, min_size=2, max_size=2, unique=True)))
    y1, y2 = sorted(draw(st.lists(unit, min_size=2, max_size=2, unique=True)))
    return Box(x1, y1, x2, y2)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    names = draw(st.lists(hashes, min_size=1, max_size=3, unique=True))
    media = tuple(
        # The size follows from the hash, as it does for real files.
        Media(name, "image" if int(name[0], 16) % 2 else "video", 1 + int(name[:3], 16), 1 + int(name[3:6], 16))
        for name in names
    )
    frames = st.none() | st.integers(1, 16)
    views = tuple(
        View(number, draw(st.sampled_from(names)), draw(frames), draw(boxes()))
        for number in range(1, 1 + draw(st.integers(1, 5)))
    )
    operations = (
        st.none()
        | st.builds(ZoomIn, st.integers(1, 9), boxes())
        | st.builds(SelectFrames, st.lists(st.integers(1, 16), min_size=1, max_size=8).map(tuple))
    )
    observations = (
        st.none()
        | st.builds(Observation, views=st.lists(st.integers(1, 9), min_size=1, max_size=4).map(tuple))
        | st.builds(Observation, error=texts)
    )
    steps = st.builds(
        Step, thought=texts, operation=operations, observation=observations, is_erroneous=st.booleans()
    ) | st.builds(Step, thought=texts, answer=texts, is_erroneous=st.booleans())
    return Trace(
        question=draw(texts),
        media=media,
        views=views,
        steps=tuple(draw(st.lists(steps, max_size=4))),
        stop_reason=draw(st.sampled_from(STOP_REASONS)),
        policy=draw(texts),
        protocol=draw(texts),
    )
