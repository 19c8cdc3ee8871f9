"""The format `pixel-reasoner-sft`: what TIGER-AI-Lab/Pixel-Reasoner (a3a6c3a) is fine-tuned from, one JSON list.

    {"message_list": [
      {"role": "system", "content": [{"type": "text", "text": "... # Tools ..."}]},
      {"role": "user", "content": [{"type": "image", "image": "images/x.jpg"}, {"type": "text", "text": "Q ..."}]},
      {"role": "assistant", "content": [{"type": "text", "text": "... <tool_call> {...} </tool_call>"}]},
      {"role": "user", "content": [{"type": "text", "text": "Here is the cropped image (Image Size: 520x380):"},
                                   {"type": "image", "image": "crops/x.png"}]},
      {"role": "assistant", "content": [{"type": "text", "text": "... \\\\boxed{A}"}]}],
     "qid": "the trace's id"}

A clip is {"type": "video", "video": [its 16 frames]}; results have the role user. Words, names and numbers are those of the
protocol `pixel-reasoner`. The reader (instruction_tuning/sft_tooltrainer.py) takes a box as pixels unless all four values
are below 1, so an edge at 1.0 is written as 0.9999, which is less than a pixel off; and it trains the last two turns of the
assistant, whatever they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from engine.errors import InvalidBox, InvalidInput
from engine.exchange.conversation import Turn, conversation, is_shown_with_padding
from engine.exchange.format import Format, Row
from engine.exchange.placeholders import ESCAPED
from engine.exchange.sheet import Sheet
from engine.protocols import TextPart, pixel_reasoner, protocol_named
from engine.store import Dossier
from engine.trace import Box, Step, Trace, ZoomIn, medium_of

__all__ = ["FILE_NAME", "PIXEL_REASONER_SFT"]

FILE_NAME = "pixel_reasoner_sft.json"
EDGE = 0.9999
"""The edge of a picture, as its reader can be told of it."""

UNMASKED = "erroneous and failed steps among the last two, which are learned like any other: there are no masks"
UNTRAINED = "good steps before the last two, which the released trainer does not learn from"
UNPADDED = "crops without the tenth of the picture around their box that the released code shows"
AT_EDGE = "edges of boxes at 1.0, written as 0.9999, since 1.0 would be read as one pixel"
TARGET_FRAME = "zooms into a frame that was not selected, named by a target_frame that the released code does not know"
KNOWN = "gold answers, evidence, scores, tags and reviews, of as many traces"
_TRAINED = 2


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    trace = dossier.trace
    said = conversation(replace(dossier, trace=_inside(trace)), protocol_named(pixel_reasoner.NAME))
    assistant = [turn for turn in said.turns if turn.role == "assistant"]
    sheet.lose(ESCAPED, said.escaped)
    sheet.lose(UNMASKED, sum(not turn.has_loss for turn in assistant[-_TRAINED:]))
    sheet.lose(UNTRAINED, sum(turn.has_loss for turn in assistant[:-_TRAINED]))
    padding = pixel_reasoner.CROP_RULE.padding
    sheet.lose(UNPADDED, sum(not is_shown_with_padding(step, trace.views, padding) for step in trace.steps))
    sheet.lose(AT_EDGE, sum(_edges(step) for step in trace.steps))
    sheet.lose(TARGET_FRAME, sum(turn.call is not None and "target_frame" in turn.call.arguments for turn in assistant))
    sheet.lose(KNOWN)
    messages = [{"role": _role(turn), "content": _content(turn, trace, sheet)} for turn in said.turns]
    yield {"message_list": messages, "qid": dossier.id}


def _role(turn: Turn) -> str:
    return "user" if turn.role == "observation" else turn.role


def _content(turn: Turn, trace: Trace, sheet: Sheet) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    clip: list[str] = []
    for part in turn.parts:
        if isinstance(part, TextPart):
            content.append({"type": "text", "text": part.text})
        elif turn.role == "user" and medium_of(part.view, trace.media).kind == "video":
            if part.view.frame == 1:
                clip = []
                content.append({"type": "video", "video": clip})
            clip.append(sheet.picture(part.view, trace.media))
        else:
            content.append({"type": "image", "image": sheet.picture(part.view, trace.media)})
    return content


def _edges(step: Step) -> int:
    box = step.operation.box if isinstance(step.operation, ZoomIn) else None
    return 0 if box is None else sum(edge > EDGE for edge in (box.x2, box.y2))


def _inside(trace: Trace) -> Trace:
    """The trace with every box such that its reader takes it for shares. Raises InvalidInput for a sliver at the edge."""
    return replace(trace, steps=tuple(_step_inside(step) for step in trace.steps))


def _step_inside(step: Step) -> Step:
    if not _edges(step) or not isinstance(step.operation, ZoomIn):
        return step
    box = step.operation.box
    try:
        inside = Box(box.x1, box.y1, min(box.x2, EDGE), min(box.y2, EDGE))
    except InvalidBox:
        raise InvalidInput(f"the box {box.as_list()} is a sliver at the edge, which this format cannot say") from None
    return replace(step, operation=replace(step.operation, box=inside))


PIXEL_REASONER_SFT = Format(
    name="pixel-reasoner-sft",
    title="Pixel Reasoner, SFT",
    description="Conversations as the released trainer of Pixel Reasoner reads them.",
    file=FILE_NAME,
    beside=("images/", "crops/", "frames/"),
    losses=(UNMASKED, UNTRAINED, UNPADDED, AT_EDGE, TARGET_FRAME, KNOWN, ESCAPED),
    rows=_rows,
)
