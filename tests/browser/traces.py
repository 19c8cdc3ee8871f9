"""Traces with real pictures and clips, as a policy would have left them, for the Curate screen's tests."""

from __future__ import annotations

import io
import random
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from engine.media import LoadedMedia, MediaFolder
from engine.store import Store, TraceRecord
from engine.trace import Box, Evidence, Observation, SelectFrames, Step, Trace, View, ZoomIn, first_views

__all__ = ["BOX", "INNER", "picture_trace", "clip_trace"]

BOX = Box(0.3, 0.4, 0.5, 0.6)
INNER = Box(0.25, 0.25, 0.75, 0.75)
"""Of the crop of BOX."""


def _scene(seed: int, size: tuple[int, int]) -> Image.Image:
    dice = random.Random(seed)
    picture = Image.new("RGB", size, (dice.randrange(90), dice.randrange(90), dice.randrange(90)))
    draw = ImageDraw.Draw(picture)
    for _ in range(120):
        x, y = dice.randrange(size[0]), dice.randrange(size[1])
        colour = tuple(dice.randrange(256) for _ in range(3))
        draw.rectangle((x, y, x + dice.randrange(10, 160), y + dice.randrange(10, 120)), fill=colour)
    return picture


def _taken(store: Store, media: MediaFolder, data: bytes, name: str) -> LoadedMedia:
    loaded = media.take(data)
    store.media.record(loaded.media, name, len(data))
    return loaded


def picture_trace(
    store: Store,
    media: MediaFolder,
    seed: int = 0,
    *,
    question: str = "What is written on the red disc?",
    size: tuple[int, int] = (1024, 768),
    is_nested: bool = False,
    score: float | None = 1.0,
    answer: str | None = None,
    group_id: str | None = None,
) -> TraceRecord:
    """A zoom on BOX, a second one into its crop if `is_nested`, and an answer, right where none is given."""
    buffer = io.BytesIO()
    _scene(seed, size).save(buffer, "PNG", compress_level=1)
    medium = _taken(store, media, buffer.getvalue(), f"scene-{seed}.png").media
    views = [*first_views([medium]), View(2, medium.sha256, None, BOX)]
    steps = [Step("The disc is small, so I look closer.", ZoomIn(1, BOX), Observation(views=(2,)))]
    if is_nested:
        views.append(View(3, medium.sha256, None, INNER.within(BOX)))
        steps.append(Step("Still soft, closer.", ZoomIn(2, INNER), Observation(views=(3,))))
    steps.append(Step("It can be read now.", answer=answer or f"KX{seed:04d}"))
    trace = Trace(question, (medium,), tuple(views), tuple(steps), "answered", "tiny", "studio")
    example = replace(trace.example, answer=f"KX{seed:04d}", evidence=Evidence(boxes=(BOX,)), source="signs")
    return store.traces.record(trace, author="tiny", example=example, score=score, group_id=group_id)


def clip_trace(
    store: Store, media: MediaFolder, seed: int = 0, frames: tuple[int, ...] = (4, 5), *, is_zoomed: bool = False
) -> TraceRecord:
    """A choice of frames, a zoom on BOX of the first of them if `is_zoomed`, and an answer."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        scene = _scene(seed, (320, 240))
        for k in range(32):
            picture = scene.copy()
            ImageDraw.Draw(picture).rectangle((k * 9, 90, k * 9 + 30, 140), fill="yellow")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.array(picture), format="rgb24")))
        container.mux(stream.encode())
    medium = _taken(store, media, buffer.getvalue(), f"clip-{seed}.mp4").media
    first = first_views([medium])
    chosen = tuple(View(len(first) + k, medium.sha256, frame, Box.full()) for k, frame in enumerate(frames, 1))
    steps = [
        Step("It shows for a moment only.", SelectFrames(frames), Observation(views=tuple(v.number for v in chosen)))
    ]
    views = [*first, *chosen]
    if is_zoomed:
        views.append(View(len(views) + 1, medium.sha256, frames[0], BOX))
        steps.append(Step("Small still.", ZoomIn(chosen[0].number, BOX), Observation(views=(len(views),))))
    steps.append(Step("It reads 21.", answer="21"))
    trace = Trace(
        "Which number is on the yellow square?", (medium,), tuple(views), tuple(steps), "answered", "tiny", "studio"
    )
    return store.traces.record(
        trace, author="tiny", example=replace(trace.example, answer="21", source="clips"), score=1.0
    )
