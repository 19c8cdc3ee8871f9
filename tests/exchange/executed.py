"""Attempts whose operations were really executed, for round trips: what comes back is cut again from the same pixels."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence

from hypothesis import strategies as st
from PIL import Image

from engine.exchange.animated_png import animated_png
from engine.media import MediaFolder
from engine.operations import CropRule, execute
from engine.store import Dossier
from engine.trace import Example, Media, Observation, SelectFrames, Step, Trace, View, ZoomIn, first_views
from tests.strategies import grid_boxes

__all__ = ["executed", "noise", "png", "taken"]

WORDS = ("Look closer.", "", "A <image> here?", "2 < 3", "zwei\nZeilen", "a\u2028b", "<|image_pad|>", "(A) is near")
QUESTIONS = ("Which one?", "What does <image> say?", "Is it\u2028red?", "Zwei\nZeilen?")
ANSWERS = ("KX7421", "A", "\\frac{1}{2}", "<image>", "3.0")


def noise(seed: int, size: tuple[int, int]) -> Image.Image:
    dice = random.Random(seed)
    small = Image.frombytes("RGB", (16, 12), dice.randbytes(16 * 12 * 3))
    return small.resize(size, Image.Resampling.NEAREST)


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def taken(media: MediaFolder) -> tuple[Media, Media]:
    """A picture and a clip in the folder, no two places of which look alike."""
    clip = animated_png([noise(10 + k, (320, 240)) for k in range(16)])
    return media.take(png(noise(1, (640, 480)))).media, media.take(clip, "index").media


@st.composite
def executed(draw: st.DrawFn, media: MediaFolder, known: Sequence[Media], rule: CropRule) -> Dossier:
    """An attempt at a question about one of `known`; zooms, selections, errors, an answer at the end."""
    medium = draw(st.sampled_from(known))
    pictures = media.pictures([medium])
    views: list[View] = list(first_views([medium]))
    steps: list[Step] = []
    for _ in range(draw(st.integers(0, 3))):
        thought = draw(st.sampled_from(WORDS))
        if medium.kind == "video" and draw(st.booleans()):
            frames = draw(st.lists(st.integers(1, 16), min_size=1, max_size=3, unique=True))
            operation: ZoomIn | SelectFrames = SelectFrames(tuple(frames))
        else:
            operation = ZoomIn(draw(st.sampled_from(views)).number, draw(grid_boxes))
        try:
            new = execute(operation, views, pictures, rule)
            observation = Observation(tuple(view.number for view in new))
        except Exception as mistake:
            new, observation = (), Observation(error=f"no: {mistake}")
        steps.append(Step(thought, operation, observation, is_erroneous=bool(new) and draw(st.booleans())))
        views.extend(new)
    steps.append(Step(draw(st.sampled_from(WORDS)).strip(), answer=draw(st.sampled_from(ANSWERS))))
    question, options = (
        draw(st.sampled_from(QUESTIONS)),
        draw(st.sampled_from(((), ("red", "blue"), ("<image>", "b", "c")))),
    )
    trace = Trace(question, (medium,), tuple(views), tuple(steps), "answered", "imported", "")
    return Dossier(
        trace, Example(question, (medium,), options=options), id="1" * 32, created_at="2026-11-28T10:00:00.000Z"
    )
