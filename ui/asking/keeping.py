"""What can be taken away of an attempt: its JSON, its crops, one picture with the numbered boxes, the words as the model had
them, and each view at the size at which it was shown.

Not covered: exports of many traces (`engine.exchange`).
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from engine.errors import NotFound, Unavailable
from engine.media import Pictures
from engine.operations import cut
from engine.policies.base import Described, Told
from engine.protocols import PicturePart, TextPart, WireProtocol, protocol_named
from engine.reasoning import replay
from engine.store import TraceRecord
from engine.trace import Box, Trace, View, first_views
from engine.trace_json import known_to_json, trace_to_json
from ui.studio import Studio

__all__ = ["Kept", "boxed_picture", "crops_zip", "kept_of", "seen_picture", "told_value", "trace_file"]

_SIDE_PX = 1536
_TONES = ("#38bdf8", "#fb923c", "#a78bfa", "#34d399", "#f472b6", "#facc15")
"""Those of `ui/theme.css`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An attempt with its pixels; `policy` writes its turns, and `has_sizes` says whether it knows at which size it is shown
    views: only the model that made the attempt does."""

    record: TraceRecord
    trace: Trace
    pictures: Pictures
    policy: Described
    has_sizes: bool


def kept_of(studio: Studio, trace_id: str) -> Kept:
    """Raises NotFound."""
    record, trace = studio.store.traces.get(trace_id), studio.store.revisions.head(trace_id).trace
    pictures = studio.media.pictures(trace.media)
    try:
        policy: Described = studio.policy()
    except Unavailable:
        return Kept(record, trace, pictures, _Writer(trace.policy, protocol_named(trace.protocol)), False)
    if policy.name != trace.policy or trace.protocol != policy.protocol.NAME:
        return Kept(record, trace, pictures, _Writer(trace.policy, protocol_named(trace.protocol)), False)
    return Kept(record, trace, pictures, policy, True)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes what a model that is not here said: by its protocol, with pictures at full size."""

    name: str
    protocol: WireProtocol

    def settings(self) -> Mapping[str, Any]:
        return {}

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return tuple(cut(part.view, pictures).size for part in shown)


def told_value(kept: Kept) -> dict[str, Any]:
    """{"turns": [{"role": "system" | "user" | "assistant", "text", "views": [{"number", "width", "height", "url"}]}],
    "has_sizes"}: all that stood before the model, and what it said, as its wire format writes it."""
    turns: list[dict[str, Any]] = []
    trace = kept.trace
    is_operating = trace.invites_operations
    said = replay(kept.policy, kept.record.example, kept.pictures, trace.views, trace.steps, is_operating=is_operating)
    for one in said:
        if not isinstance(one, Told):
            turns.append({"role": "assistant", "text": one.text, "views": []})
            continue
        if one.system:
            turns.append({"role": "system", "text": one.system, "views": []})
        shown = [part for part in one.parts if isinstance(part, PicturePart)]
        sizes = kept.policy.shown_sizes(shown, kept.pictures)
        views = [
            {"number": part.view.number, "width": width, "height": height, "url": _seen_url(kept.record.id, part.view)}
            for part, (width, height) in zip(shown, sizes, strict=True)
        ]
        text = "".join(part.text if isinstance(part, TextPart) else f"<view {part.view.number}>" for part in one.parts)
        turns.append({"role": "user", "text": text, "views": views})
    return {"turns": turns, "has_sizes": kept.has_sizes}


def _seen_url(trace_id: str, view: View) -> str:
    return f"ask/kept/{trace_id}/seen/{view.number}.png"


def seen_picture(kept: Kept, number: int) -> bytes:
    """View `number` (from 1) as PNG at the size at which the model was shown it. Raises NotFound."""
    for one in replay(kept.policy, kept.record.example, kept.pictures, kept.trace.views, kept.trace.steps):
        for part in one.parts if isinstance(one, Told) else ():
            if isinstance(part, PicturePart) and part.view.number == number:
                (size,) = kept.policy.shown_sizes([part], kept.pictures)
                return _png(cut(part.view, kept.pictures).convert("RGB").resize(size, Image.Resampling.BICUBIC))
    raise NotFound(f"there is no view {number} that the model was shown")


def trace_file(kept: Kept) -> bytes:
    """The trace's public JSON (`engine.trace_json`), with what is known of its example and how sure the model was."""
    told = trace_to_json(kept.trace, kept.record.id) | {
        "example": known_to_json(kept.record.example),
        "confidence": kept.record.item.confidence,
        "policy_settings": kept.record.policy_settings,
    }
    return json.dumps(told, indent=2, ensure_ascii=False).encode()


def crops_zip(kept: Kept) -> bytes:
    """The views that the model's operations brought, each as PNG at full resolution."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for view in kept.trace.views[len(first_views(kept.trace.media)) :]:
            archive.writestr(f"view-{view.number}.png", _png(cut(view, kept.pictures)))
    return buffer.getvalue()


def boxed_picture(kept: Kept) -> bytes:
    """One PNG: the picture (of a clip the first frame that was chosen) with the box of each step, numbered as on the page."""
    trace = kept.trace
    steps = {
        number: index for index, step in enumerate(trace.steps) if step.observation for number in step.observation.views
    }
    looked = [view for view in trace.views if view.number in steps]
    ground = next((view for view in looked if view.frame is not None), trace.views[0])
    picture = cut(View(1, ground.sha256, ground.frame, Box.full()), kept.pictures).convert("RGB")
    picture.thumbnail((_SIDE_PX, _SIDE_PX))
    draw = ImageDraw.Draw(picture)
    side = max(14, min(picture.size) // 28)
    font = ImageFont.load_default(side * 0.8)
    for view in looked:
        if (view.sha256, view.frame) != (ground.sha256, ground.frame) or view.box == Box.full():
            continue
        tone, label = _TONES[steps[view.number] % len(_TONES)], str(steps[view.number] + 1)
        left, top, right, bottom = view.box.to_pixels(picture.size)
        draw.rectangle((left, top, right, bottom), outline=tone, width=max(2, side // 7))
        above = top - side if top >= side else bottom
        draw.rectangle((left, above, left + side * (0.55 + 0.45 * len(label)), above + side), fill=tone)
        draw.text((left + side * 0.25, above), label, fill="#0b0f17", font=font)
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
