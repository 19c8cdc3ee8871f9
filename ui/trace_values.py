"""Traces, steps and views as the plain JSON values that the components show. Pure: no store, no model, no pixels.

The formats are those of the components' docstrings (`ui.components.steps`, `.source`, `.filmstrip`, `.answer`).
Addresses are relative to the page, so the studio works below any path. Every text is handed over as text, and the
components set it as textContent.

The step and the view have one form for every screen; what a person may change is added by `ui.curating.drafting`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.media import LoadedMedia
from engine.trace import (
    Box,
    Media,
    SelectFrames,
    Step,
    StopReason,
    View,
    ZoomIn,
    media_positions,
    shown_before,
    view_size,
)
from engine.trace_json import media_to_json
from ui.words import counted

__all__ = [
    "STAGE_SIDE_PX",
    "THUMBNAIL_SIDE_PX",
    "filmstrip_value",
    "media_value",
    "outcome",
    "picture_url",
    "source_value",
    "step_value",
    "step_values",
    "steps_value",
    "thumbnail_url",
    "view_url",
    "view_values",
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
    shown = view_values(_named(media), views, steps)
    marks = []
    for index, step in enumerate(steps):
        for number in step.observation.views if step.observation else ():
            is_whole = views[number - 1].box == _FULL
            marks.append(shown[number - 1] | {"step": index} | ({"box": None} if is_whole else {}))
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
    values = step_values(steps, views)
    if thought is not None:
        values.append(step_value(Step(thought), views) | {"is_live": True})
    return {"views": view_values(_named(media), views, steps), "steps": values}


def view_values(media: Sequence[Media], views: Sequence[View], steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The views that `steps` have brought so far, the opening ones among them: {"number", "media": position in `media`,
    "frame", "box": [x1, y1, x2, y2] in the original, "url", "width", "height"}; the last two in pixels."""
    values = []
    for view, position in zip(views, media_positions(media, views, steps), strict=True):
        width, height = view_size(view, [media[position]])
        values.append(
            {
                "number": view.number,
                "media": position,
                "frame": view.frame,
                "box": view.box.as_list(),
                "url": view_url(view),
                "width": width,
                "height": height,
            }
        )
    return values


def step_values(steps: Sequence[Step], views: Sequence[View]) -> list[dict[str, Any]]:
    """`step_value` of each, `views` being all that these steps ended with: a look into what was only shown later has no box."""
    shown = shown_before(views, steps)
    return [step_value(step, views[:count]) for step, count in zip(steps, shown, strict=True)]


def step_value(step: Step, views: Sequence[View]) -> dict[str, Any]:
    """What a step's card shows (`ui/client/step_card.js`): {"thought", "name": "zoom_in" | "select_frames" | "answer" |
    "call" (not readable) | "thought", "view", "box" (in the ORIGINAL's coordinates; None where `views`, those that it had been
    shown, have no such view),
    "box_in_view" (as the model said it), "frames", "views": [numbers], "error", "answer", "is_erroneous"}."""
    operation, observation = step.operation, step.observation
    outer = None
    if isinstance(operation, ZoomIn):
        name = "zoom_in"
        outer = next((view for view in views if view.number == operation.view), None)
    elif isinstance(operation, SelectFrames):
        name = "select_frames"
    elif step.answer is not None:
        name = "answer"
    else:
        name = "thought" if observation is None else "call"
    return {
        "thought": step.thought,
        "name": name,
        "view": operation.view if isinstance(operation, ZoomIn) else None,
        "box": operation.box.within(outer.box).as_list() if isinstance(operation, ZoomIn) and outer else None,
        "box_in_view": operation.box.as_list() if isinstance(operation, ZoomIn) else None,
        "frames": list(operation.frames) if isinstance(operation, SelectFrames) else [],
        "views": list(observation.views) if observation else [],
        "error": observation.error if observation else None,
        "answer": step.answer,
        "is_erroneous": step.is_erroneous,
    }


def outcome(stop_reason: StopReason, steps: int) -> str:
    """Why the attempt ended, in a person's words."""
    took = counted(steps, "step")
    return {
        "answered": f"Answered in {took}.",
        "max_steps": f"No answer: it had looked {took} long, which is as far as it may go.",
        "max_tokens": f"No answer: after {took} it had written as much as it may.",
        "repetition": f"No answer: after {took} it said the same over and over, and was stopped.",
        "cancelled": f"You stopped it after {took}.",
        "failed": f"Something broke on our side after {took}. What it had done is kept.",
    }[stop_reason]


def _named(media: Sequence[dict[str, Any]]) -> list[Media]:
    return [Media(medium["sha256"], medium["kind"], medium["width"], medium["height"]) for medium in media]
