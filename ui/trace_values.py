"""Traces, steps and views as the plain JSON values that the components show. Pure: no store, no model, no pixels.

The formats are those of the components' docstrings (`ui.components.steps`, `.source`, `.filmstrip`, `.answer`).
Addresses are relative to the page, so the studio works below any path. Every text is handed over as text, and the
components set it as textContent.

Not covered: what a person may change in a trace (the workbench's own values are built on top of these).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.media import LoadedMedia
from engine.trace import Box, Media, SelectFrames, Step, StopReason, View, ZoomIn, media_positions
from engine.trace_json import media_to_json

__all__ = [
    "STAGE_SIDE_PX",
    "THUMBNAIL_SIDE_PX",
    "filmstrip_value",
    "media_value",
    "outcome",
    "picture_url",
    "source_value",
    "step_value",
    "steps_value",
    "thumbnail_url",
    "view_url",
]

STAGE_SIDE_PX = 1536
THUMBNAIL_SIDE_PX = 384
_FULL = Box.full()


def thumbnail_url(sha256: str, frame: int | None = None, side_px: int = THUMBNAIL_SIDE_PX) -> str:
    """A JPEG of a picture or frame whose longer side is at most `side_px`."""
    which = "" if frame is None else f"frame={frame}&"
    return f"media/{sha256}/thumbnail?{which}side={side_px}"


def picture_url(sha256: str, frame: int | None = None) -> str:
    """The picture or frame at the size of the stage, in a format that every browser shows."""
    return thumbnail_url(sha256, frame, STAGE_SIDE_PX)


def view_url(view: View) -> str:
    """Exactly the pixels of the view: the crop at full resolution, or the whole picture."""
    if view.box == _FULL:
        return picture_url(view.sha256, view.frame)
    which = "" if view.frame is None else f"frame={view.frame}&"
    return f"media/{view.sha256}/crop?{which}box={','.join(map(repr, view.box.as_list()))}"


def media_value(loaded: LoadedMedia, name: str = "") -> dict[str, Any]:
    """{"sha256", "kind", "width", "height", "times_s", "name"}; `times_s` are the seconds of the frames, [] for a
    picture."""
    times_s = [round(time_s, 2) for time_s in loaded.times_s]
    return media_to_json(loaded.media) | {"times_s": times_s, "name": name}


def source_value(media: Sequence[dict[str, Any]], views: Sequence[View] = (), steps: Sequence[Step] = ()) -> dict:
    """What `ui.components.source.Source` shows: `media` are values of `media_value`."""
    named = [Media(medium["sha256"], medium["kind"], medium["width"], medium["height"]) for medium in media]
    positions = media_positions(named, views, steps)
    marks = []
    for index, step in enumerate(steps):
        for number in step.observation.views if step.observation else ():
            view = views[number - 1]
            at = positions[number - 1]
            size = (named[at].width, named[at].height)
            marks.append(_view_value(view, size) | {"step": index, "media": at})
    last_looked = next((mark for mark in reversed(marks) if mark["frame"] is not None), None)
    first_of_step = next((m for m in marks if last_looked and m["step"] == last_looked["step"]), None)
    look = {"media": first_of_step["media"], "frame": first_of_step["frame"]} if first_of_step else None
    return {"media": list(media), "marks": marks, "look": look}


def filmstrip_value(media: Sequence[dict[str, Any]], views: Sequence[View] = (), steps: Sequence[Step] = ()) -> dict:
    """What `ui.components.filmstrip.Filmstrip` shows: the frames of the first clip among `media`, or none."""
    clip = next(((index, medium) for index, medium in enumerate(media) if medium["kind"] == "video"), None)
    if clip is None:
        return {"media": None, "frames": [], "lit": []}
    index, medium = clip
    lit = [
        {"frame": views[number - 1].frame, "step": position}
        for position, step in enumerate(steps)
        if isinstance(step.operation, SelectFrames) and step.observation
        for number in step.observation.views
    ]
    frames = [
        {"frame": k, "time_s": time_s, "url": thumbnail_url(medium["sha256"], k)}
        for k, time_s in enumerate(medium["times_s"], 1)
    ]
    return {"media": index, "frames": frames, "lit": lit}


def steps_value(
    media: Sequence[dict[str, Any]], views: Sequence[View], steps: Sequence[Step], thought: str | None = None
) -> dict:
    """What `ui.components.steps.Steps` shows; `thought` is that of the step which is being written now."""
    sizes = {medium["sha256"]: (medium["width"], medium["height"]) for medium in media}
    values = [step_value(step, views, sizes) for step in steps]
    if thought is not None:
        values.append(step_value(Step(thought), views, sizes) | {"is_live": True})
    return {"steps": values}


def step_value(step: Step, views: Sequence[View], sizes: dict[str, tuple[int, int]]) -> dict[str, Any]:
    name, detail = _operation_words(step)
    observation = step.observation
    return {
        "thought": step.thought,
        "name": name,
        "detail": detail,
        "views": [
            _view_value(views[number - 1], sizes[views[number - 1].sha256])
            for number in (observation.views if observation else ())
        ],
        "error": observation.error if observation else None,
        "answer": step.answer,
        "is_erroneous": step.is_erroneous,
        "is_live": False,
    }


def outcome(stop_reason: StopReason, steps: int) -> str:
    """Why the attempt ended, in a person's words."""
    took = f"{steps} {'step' if steps == 1 else 'steps'}"
    return {
        "answered": f"Answered in {took}.",
        "max_steps": f"No answer: it had looked {took} long, which is as far as it may go.",
        "max_tokens": f"No answer: after {took} it had written as much as it may.",
        "cancelled": f"You stopped it after {took}.",
        "failed": f"Something broke on our side after {took}. What it had done is kept.",
    }[stop_reason]


def _view_value(view: View, size: tuple[int, int]) -> dict[str, Any]:
    left, top, right, bottom = view.box.to_pixels(size)
    return {
        "view": view.number,
        "frame": view.frame,
        "box": None if view.box == _FULL else view.box.as_list(),
        "url": view_url(view),
        "width": right - left,
        "height": bottom - top,
    }


def _operation_words(step: Step) -> tuple[str, str]:
    """The name of what the step did and a line of detail."""
    if isinstance(step.operation, ZoomIn):
        edges = " ".join(f"{edge:.2f}" for edge in step.operation.box.as_list())
        return "zoom_in", f"view {step.operation.view} · {edges}"
    if isinstance(step.operation, SelectFrames):
        return "select_frames", "frames " + ", ".join(map(str, step.operation.frames))
    if step.answer is not None:
        return "answer", ""
    return ("call", "not readable") if step.observation is not None else ("thought", "")
