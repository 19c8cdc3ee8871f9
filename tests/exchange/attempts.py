"""Attempts for the tests of formats: dossiers in memory, and a sheet that names pictures without drawing them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from engine.exchange.sheet import Options
from engine.protocols import protocol_named
from engine.store import Dossier
from engine.trace import Box, Example, Media, Observation, SelectFrames, Step, Trace, View, ZoomIn, first_views

__all__ = ["CLIP", "IMAGE", "NamingSheet", "clip_dossier", "picture_dossier", "wire"]

IMAGE = Media("a" * 64, "image", 1000, 800)
CLIP = Media("b" * 64, "video", 400, 300)
ZOOM = Box(0.25, 0.5, 0.5, 0.75)


class NamingSheet:
    """What a format writes on, with pictures called by their views' numbers."""

    def __init__(self, protocol: str | None = None, versions: Mapping[tuple[str, str], Trace] | None = None) -> None:
        self.options = Options(protocol=protocol)
        self.lost: Counter[str] = Counter()
        self.find = lambda trace_id, revision: (versions or {}).get((trace_id, revision))

    def lose(self, loss: str, count: int = 1) -> None:
        if count:
            self.lost[loss] += count

    def picture(self, view: View, media: tuple[Media, ...]) -> str:
        return f"{view.number}.png"


def picture_dossier(protocol: str, *, question: str = "What is written?", **known: Any) -> Dossier:
    """A zoom that failed and is marked as erroneous, one that did not, and an answer."""
    views = (*first_views([IMAGE]), View(2, IMAGE.sha256, None, ZOOM))
    steps = (
        Step("Look.", ZoomIn(9, ZOOM), Observation(error="there is no picture 9"), is_erroneous=True),
        Step("Again.", ZoomIn(1, ZOOM), Observation((2,))),
        Step("It can be read.", answer="KX7421"),
    )
    trace = Trace(question, (IMAGE,), views, steps, "answered", "tiny", protocol)
    return Dossier(trace, Example(question, (IMAGE,), "KX7421", source="signs/1"), id="one", number=1, **known)


def clip_dossier(protocol: str) -> Dossier:
    """Two frames of a clip, and an answer."""
    frames = (View(17, CLIP.sha256, 4, Box.full()), View(18, CLIP.sha256, 5, Box.full()))
    steps = (Step("Near the end.", SelectFrames((4, 5)), Observation((17, 18))), Step("", answer="blue"))
    trace = Trace("Which colour?", (CLIP,), (*first_views([CLIP]), *frames), steps, "answered", "tiny", protocol)
    return Dossier(trace, Example("Which colour?", (CLIP,), "blue"), id="two", number=2)


def wire(dossier: Dossier) -> list[tuple[str, str]]:
    """(who, text) of each message that a session is fed, with `<image>` for each picture, up to the model's last turn."""
    from engine.exchange.conversation import conversation
    from engine.exchange.declared import with_marks

    said = conversation(dossier, protocol_named(dossier.trace.protocol))
    turns = list(said.turns)
    while turns[-1].role != "assistant":
        turns.pop()
    return [("user" if turn.role == "observation" else turn.role, with_marks(turn.parts)) for turn in turns]
