"""Conversations that every protocol is shown having: a picture, a nested zoom, a clip with a selection, an error, an answer.

The idea: the steps are values; what is compared is every message that the loop says and every turn that the protocol writes,
as readable text. `python -m tests.protocols.conversations` writes the files of `golden/` anew: read them before committing.

    [user]                       who speaks
    {{picture 2: crop 280x168}}  a picture: the view's number, its role, and the size at which it is shown
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.drivers.streaming import stream
from engine.media import LoadedMedia, Pictures
from engine.policies.base import Recalled, Said
from engine.policies.scripted import ScriptedPolicy
from engine.protocols import PicturePart, WireProtocol, protocol_named
from engine.reasoning import Limits, replay
from engine.settings import PROTOCOLS
from engine.trace import Box, Example, Media, SelectFrames, Step, Trace, ZoomIn, first_views

FOLDER = Path(__file__).parent / "golden"
IMAGE = Media("a" * 64, "image", 1120, 840)
CLIP = Media("b" * 64, "video", 448, 336)
PICTURES: Pictures = {
    IMAGE.sha256: LoadedMedia(IMAGE, (Image.new("RGB", (1120, 840)),)),
    CLIP.sha256: LoadedMedia(CLIP, (Image.new("RGB", (448, 336)),) * 16, tuple(k / 4 for k in range(16))),
}
LETTERED = Example("What is written on the sign?", (IMAGE,), options=("KX7421", "KX7427"))
SIGN = Example("What is written on the sign?", (IMAGE,))
BALL = Example("Which colour has the ball when it stops?", (CLIP,))
BROKEN = {"mini-o3": '<grounding>{"bbox_2d": [0.25, 0.5</grounding>'}
_BROKEN = '<tool_call>{"name": "look", "arguments": {}}</tool_call>'


@dataclass(frozen=True)
class Told:
    title: str
    example: Example
    steps: tuple[Step | None, ...]
    """None stands for a call that cannot be read."""


CONVERSATIONS = (
    Told("a picture, and an answer", LETTERED, (Step("It is large enough to be read.", answer="B"),)),
    Told(
        "a nested zoom",
        SIGN,
        (
            Step("The sign is too small. I look closer.", ZoomIn(1, Box(0.25, 0.5, 0.5, 0.75))),
            Step("It is in the right half of this.", ZoomIn(2, Box(0.5, 0, 1, 1))),
            Step("Now it can be read.", answer="KX7421"),
        ),
    ),
    Told(
        "a clip, a selection, and a zoom into what was selected",
        BALL,
        (
            Step("It stops near the end.", SelectFrames((13, 14, 15, 16))),
            Step("The ball is small in the second of them.", ZoomIn(18, Box(0.25, 0.25, 0.75, 0.75))),
            Step("It can be told now.", answer="blue"),
        ),
    ),
    Told(
        "an error, and what follows it",
        SIGN,
        (
            None,
            Step("Again.", ZoomIn(1, Box(0.25, 0.5, 0.5, 0.75))),
            Step("It can be read.", answer="KX7421"),
        ),
    ),
)


class Shown(ScriptedPolicy):
    """Shows everything at the nearest multiples of 28 pixels, whatever the budget."""

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return tuple(nearest(part, pictures) for part in shown)


def nearest(part: PicturePart, pictures: Pictures) -> tuple[int, int]:
    loaded = pictures[part.view.sha256]
    left, top, right, bottom = part.view.box.to_pixels(loaded.picture(part.view.frame).size)
    return tuple(max(28, round(side / 28) * 28) for side in (right - left, bottom - top))  # type: ignore[return-value]


def had(told: Told, protocol: WireProtocol) -> tuple[Trace, list[Said]]:
    """The conversation as the loop has it with a model that writes these steps, and all that was said in it."""
    turns: list[str] = []
    trace = None
    for step in told.steps:
        views = trace.views if trace else first_views(told.example.media)
        if step is None:
            turns.append("I look." + BROKEN.get(protocol.NAME, _BROKEN))
        else:
            turns.append(protocol.render(step, views, told.example.media))
        policy = Shown(tuple(turns), protocol=protocol)
        *_, last = stream(policy, told.example, PICTURES, Limits(max_steps=len(turns)))
        trace = last.trace
    return trace, list(replay(policy, told.example, PICTURES, trace.views, trace.steps))


def messages(said: Sequence[Said]) -> Iterator[tuple[str, list[str | PicturePart]]]:
    """(who, what) of each message, what stands together as one text."""
    for one in said:
        if isinstance(one, Recalled):
            yield "assistant", [one.text]
            continue
        if one.system is not None:
            yield "system", [one.system]
        yield "user", [part if isinstance(part, PicturePart) else part.text for part in one.parts]


def written(protocol: WireProtocol) -> str:
    """All conversations of a protocol, as the file holds them."""
    texts = []
    for told in CONVERSATIONS:
        _, said = had(told, protocol)
        lines = [f"##### {told.title}"]
        for who, what in messages(said):
            parts = [_marked(part) if isinstance(part, PicturePart) else part for part in what]
            lines.append(f"[{who}]\n{''.join(parts)}")
        texts.append("\n".join(lines))
    return "\n\n".join(texts) + "\n"


def _marked(part: PicturePart) -> str:
    width, height = nearest(part, PICTURES)
    return f"{{{{picture {part.view.number}: {part.role} {width}x{height}}}}}"


def path_of(name: str) -> Path:
    return FOLDER / f"{name}.txt"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in PROTOCOLS:
        path_of(name).write_text(written(protocol_named(name)), encoding="utf-8")
