"""Attempts whose traces are pinned in golden.json: every way in and out of the loop, scripted and on the embedded reasoner.

golden.json was made of these cases by the loop of the commit that it names, when the loop itself still called the policy.
Whoever tells the loop's notices for a case gets what that loop told: thoughts, steps, views, stop reasons, what the policy
was told, and for the embedded reasoner the tokens.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from engine.media import LoadedMedia, Pictures
from engine.protocols import PicturePart, WireProtocol, pixel_reasoner, studio
from engine.reasoning import Finished, Limits, Opened, Stepped, Thinking
from engine.trace import Example, Media, Trace, first_views
from engine.trace_json import trace_to_json

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
CHOICE = Example("Which colour?", (IMAGE,), "A", ("red", "blue"))
VIDEO = Example("What is written on the red disc?", (CLIP,))
BOTH = Example("Are they alike?", (IMAGE, CLIP))


def call(name: str, arguments: str) -> str:
    return f'<tool_call>{{"name": "{name}", "arguments": {arguments}}}</tool_call>'


ZOOM = call("zoom_in", '{"bbox_2d": [0.20, 0.40, 0.60, 0.80], "target_image": 1}')
NESTED = call("zoom_in", '{"bbox_2d": [0.50, 0.50, 1.00, 1.00], "target_image": 2}')
SELECT = call("select_frames", '{"target_frames": [3, 4]}')
CROP = call("crop_image_normalized", '{"bbox_2d": [0.20, 0.40, 0.60, 0.80], "target_image": 1}')
FRAME_CROP = CROP.replace("1}", "2}")  # the clip is picture 1
ANSWER = "It can be read now. \\boxed{KX7421}"


@dataclass(frozen=True)
class Case:
    """A scripted attempt. `kept` goes on from that many steps of the attempt without `kept`; `asks` cancels when
    `is_cancelled` is asked for the time after so many."""

    turns: tuple[str, ...]
    example: Example = PICTURE
    protocol: WireProtocol = studio  # type: ignore[assignment]
    limits: Limits | None = None
    is_operating: bool = True
    kept: int | None = None
    asks: int | None = None


_CLIP_TURNS = (f"Frames.{SELECT}", f"Broken. {call('rotate', '{}')}", f"Closer.{ZOOM}", ANSWER)
_CLIP_CROPS = (
    f"Frames.\n\n{SELECT}",
    f"Broken. {call('rotate', '{}')}",
    f"Closer.\n\n{FRAME_CROP}",
    ANSWER,
)

SCRIPTED: Mapping[str, Case] = {
    "zoom": Case((f"I look closer.{ZOOM}", ANSWER)),
    "nested zoom": Case((f"I look.{ZOOM}", NESTED, ANSWER)),
    "select": Case((SELECT, f"Closer.{ZOOM}", ANSWER), VIDEO),
    "picture and clip": Case((ZOOM, SELECT, ANSWER), BOTH),
    "options": Case((ANSWER,), CHOICE),
    "pixel-reasoner zoom": Case((f"I look.\n\n{CROP}", ANSWER), protocol=pixel_reasoner),  # type: ignore[arg-type]
    "pixel-reasoner clip": Case(_CLIP_CROPS, VIDEO, pixel_reasoner),  # type: ignore[arg-type]
    "bad JSON": Case(('<tool_call>{"name": zoom_in}</tool_call>', ANSWER)),
    "unknown operation": Case((f"I try.{call('rotate', '{}')}", ANSWER)),
    "unknown view": Case((call("zoom_in", '{"bbox_2d": [0, 0, 0.5, 1], "target_image": 7}'), ANSWER)),
    "no such frame": Case((call("select_frames", '{"target_frames": [17]}'), ANSWER), VIDEO),
    "max_steps": Case((ZOOM,), limits=Limits(max_steps=3)),
    "max_views": Case((SELECT,), VIDEO, limits=Limits(max_steps=9, max_views=19)),
    "max_turn_tokens": Case(("one two three four five",), limits=Limits(max_turn_tokens=3)),
    "max_tokens": Case((f"I look.{ZOOM}", "one two three four five"), limits=Limits(max_tokens=13)),
    "max_tokens exactly": Case((f"I look.{ZOOM}", ANSWER), limits=Limits(max_tokens=11)),
    "no operations": Case((f"I look.{ZOOM}", ANSWER), is_operating=False),
    "no operations, pixel-reasoner": Case((ANSWER,), protocol=pixel_reasoner, is_operating=False),  # type: ignore[arg-type]
    **{f"cancelled after {k}": Case((f"I look.{ZOOM}", ANSWER), asks=k) for k in (0, 1, 2, 5, 9, 10, 11, 14)},
    **{f"going on from {k}": Case(_CLIP_TURNS, VIDEO, kept=k) for k in range(4)},
    "going on, at the limit": Case((ZOOM, NESTED, ANSWER), kept=2, limits=Limits(max_steps=2)),
    "going on, pixel-reasoner": Case(_CLIP_CROPS, VIDEO, pixel_reasoner, kept=3),  # type: ignore[arg-type]
}


@dataclass(frozen=True)
class Spoken:
    """An attempt of the embedded reasoner at example `index` of a benchmark."""

    benchmark: str
    index: int
    seed: int | None = None
    limits: Limits = field(default_factory=lambda: Limits(max_tokens=400, max_turn_tokens=200))
    is_operating: bool = True
    kept: int | None = None
    asks: int | None = None


EMBEDDED: Mapping[str, Spoken] = {
    "a picture": Spoken("mini-signs", 0),
    "another picture": Spoken("mini-signs", 1),
    "a clip": Spoken("mini-clips", 0),
    "sampled": Spoken("mini-signs", 0, seed=5),
    "a clip, sampled": Spoken("mini-clips", 0, seed=7),
    "no operations": Spoken("mini-signs", 1, is_operating=False),
    "cut off": Spoken("mini-signs", 0, limits=Limits(max_turn_tokens=20)),
    "one step": Spoken("mini-signs", 0, limits=Limits(max_steps=1)),
    "cancelled": Spoken("mini-signs", 0, asks=12),
    "going on": Spoken("mini-clips", 0, kept=1),
}
ROLLED = (("mini-signs", 0), ("mini-clips", 0))
ROLL_SEEDS = (0, 1, None)
ROLL_LIMITS = Limits(max_steps=3, max_tokens=300, max_turn_tokens=150)


def cancelling_after(asks: int | None) -> Callable[[], bool]:
    left = iter([False] * asks) if asks is not None else None
    return lambda: left is not None and next(left, True)


def shortened(trace: Trace, kept: int) -> Trace:
    """Its first `kept` steps, with the views that they brought."""
    later = sum(len(step.observation.views) for step in trace.steps[kept:] if step.observation)
    views = trace.views[: len(trace.views) - later]
    return replace(trace, steps=trace.steps[:kept], views=views, stop_reason="cancelled")


def brief(trace: Trace) -> dict[str, Any]:
    """The trace's JSON without what its media say already."""
    told = trace_to_json(trace)
    brought = told["views"][len(first_views(trace.media)) :]
    return {key: told[key] for key in ("stop_reason", "policy", "protocol", "steps")} | {
        "views": [[view["number"], view["sha256"][:4], view["frame"], view["box"]] for view in brought],
        "is_operating": trace.is_operating,
    }


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def told_as_json(system: str | None, parts: Iterable[Any]) -> list[Any]:
    """A user turn as golden.json counts it."""
    shown = [[p.view.number, p.role] if isinstance(p, PicturePart) else p.text for p in parts]
    return ["user", system, shown]


def noticed(notices: Iterable[Any]) -> dict[str, Any]:
    """What a consumer was told, as JSON; thoughts as a digest for each step."""
    thoughts: dict[int, list[str]] = {}
    found: dict[str, Any] = {"stepped": []}
    for notice in notices:
        if isinstance(notice, Opened):
            found["opened"] = len(notice.views)
        elif isinstance(notice, Thinking):
            thoughts.setdefault(notice.index, []).append(notice.thought)
        elif isinstance(notice, Stepped):
            found["stepped"].append([notice.index, [view.number for view in notice.views]])
        elif isinstance(notice, Finished):
            found["trace"] = brief(notice.trace)
            found["confidence"] = None if notice.confidence is None else round(notice.confidence, 4)
    found["thoughts"] = {str(index): [len(told), digest(told)] for index, told in thoughts.items()}
    return found
