"""Hypothesis strategies for the values of engine.trace, shared by the tests of traces and protocols."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from engine.protocols.calls import BOX_START, CALL_START
from engine.trace import (
    RULES,
    STOP_REASONS,
    Box,
    Evidence,
    Example,
    Media,
    Observation,
    SelectFrames,
    Step,
    Trace,
    View,
    ZoomIn,
    first_views,
)

shares = st.floats(0, 1, allow_nan=False)
texts = st.text(max_size=40)


@st.composite
def boxes(draw: st.DrawFn, coordinate: st.SearchStrategy[float] = shares) -> Box:
    x1, x2 = sorted(draw(st.lists(coordinate, min_size=2, max_size=2, unique=True)))
    y1, y2 = sorted(draw(st.lists(coordinate, min_size=2, max_size=2, unique=True)))
    return Box(x1, y1, x2, y2)


grid_boxes = boxes(st.integers(0, 100).map(lambda hundredths: hundredths / 100))
"""Boxes whose coordinates have two decimals."""

thoughts = texts.map(str.strip).filter(lambda text: CALL_START not in text and BOX_START not in text)
"""What can stand on the wire before a call or an answer."""
answers = st.one_of(
    st.text(string.ascii_letters + string.digits, min_size=1, max_size=8),
    texts.map(str.strip).filter(lambda text: "{" not in text and "}" not in text and CALL_START not in text),
    st.just(r"\frac{1}{2}"),
)
selections = st.lists(st.integers(1, 16), min_size=1, max_size=8, unique=True).map(lambda f: SelectFrames(tuple(f)))

media = st.builds(
    Media,
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.sampled_from(("image", "video")),
    st.integers(1, 5000),
    st.integers(1, 5000),
)

evidence = st.builds(
    Evidence,
    st.lists(boxes(), max_size=2).map(tuple),
    st.lists(st.integers(1, 16), max_size=3, unique=True).map(tuple),
)


def examples() -> st.SearchStrategy[Example]:
    """Examples with anything known or unknown of them."""
    some, label = st.lists(texts, max_size=3).map(tuple), st.none() | texts
    return st.builds(
        Example,
        question=texts,
        media=st.lists(media, max_size=2).map(tuple),
        answer=label,
        options=some,
        evidence=st.none() | evidence,
        other_answers=some,
        rule=st.none() | st.sampled_from(RULES),
        category=label,
        difficulty=label,
        source=texts,
    )


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Traces in which views and observations fit together, as the loop makes them."""
    sources = tuple(draw(st.lists(media, min_size=1, max_size=2, unique_by=lambda medium: medium.sha256)))
    views, steps = list(first_views(sources)), []
    for _ in range(draw(st.integers(0, 3))):
        thought, is_erroneous = draw(texts), draw(st.booleans())
        if draw(st.booleans()):
            operation = draw(st.none() | selections | st.builds(ZoomIn, st.integers(-1, 40), boxes()))
            steps.append(Step(thought, operation, Observation(error=draw(texts)), is_erroneous=is_erroneous))
            continue
        outer = draw(st.sampled_from(views))
        new = View(len(views) + 1, outer.sha256, outer.frame, draw(boxes()))
        views.append(new)
        operation = ZoomIn(outer.number, new.box)
        steps.append(Step(thought, operation, Observation((new.number,)), is_erroneous=is_erroneous))
    if draw(st.booleans()):
        steps.append(Step(draw(texts), answer=draw(st.none() | texts), is_erroneous=draw(st.booleans())))
    stop_reason = draw(st.sampled_from(STOP_REASONS))
    return Trace(
        draw(texts), sources, tuple(views), tuple(steps), stop_reason, draw(texts), draw(texts), draw(st.booleans())
    )
