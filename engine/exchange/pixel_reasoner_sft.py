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

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import InvalidBox, InvalidInput
from engine.exchange.conversation import CUT_OFF, Turn, conversation, is_shown_with_padding
from engine.exchange.files import Source, file_named, json_rows, one_file, still_clip
from engine.exchange.format import Brought, Format, Read, Row, read_rows
from engine.exchange.placeholders import ESCAPED
from engine.exchange.replaying import SaidTurn, question_and_options, replayed
from engine.exchange.sheet import Sheet
from engine.json_fields import list_of, one_of, optional, require_object, required, text
from engine.protocols import TextPart, pixel_reasoner, protocol_named
from engine.store import Dossier
from engine.trace import Box, Example, Step, Trace, ZoomIn, medium_of

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
    sheet.lose(CUT_OFF, said.cut_off)
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


# --- reading --------------------------------------------------------------------------------------------------------


def read(path: Path) -> Iterator[Read]:
    """The traces of a file, or of the folder that holds it; paths are relative to the file. Raises InvalidInput."""
    file = one_file(path, FILE_NAME)
    return read_rows(json_rows(file), lambda place, row: _brought(place, row, file))


def _brought(place: str, row: Mapping[str, Any], file: Path) -> Brought:
    messages = list(required(row, "message_list", list_of(_message)))
    system = messages.pop(0)[1] if messages and messages[0][0] == "system" else []
    if not messages or messages[0][0] != "user":
        raise InvalidInput("message_list: a question of the role user is expected first")
    files: list[Source] = []
    for part in messages[0][1]:
        if "video" in part:
            files.append(still_clip([file_named(file.parent, name) for name in required(part, "video", list_of(text))]))
        elif "image" in part:
            files.append(file_named(file.parent, part["image"]))
    if not files:
        raise InvalidInput("message_list[0]: a picture or video is expected")
    question, options = question_and_options(_asked(_said(messages[0][1])))
    source = f"{file.stem}/{optional(row, 'qid', text, '') or place}"
    is_operating = any("# Tools" in part.get("text", "") for part in system)
    example = Example(question, (), options=options, source=source)
    protocol = protocol_named(pixel_reasoner.NAME)
    return replayed(place, example, files, _turns(messages[1:], file.parent), protocol, is_operating=is_operating)


def _message(data: Any) -> tuple[str, list[Mapping[str, Any]]]:
    require_object(data)
    role = required(data, "role", one_of(("system", "user", "assistant")))
    content = data.get("content")
    if isinstance(content, str):
        return role, [{"type": "text", "text": content}]
    parts = list(required(data, "content", list_of(_part)))
    return role, parts


def _part(data: Any) -> Mapping[str, Any]:
    require_object(data)
    said: Mapping[str, Any] = {name: value for name, value in data.items() if value is not None}
    if "text" in said:
        text(said["text"])
    return said


def _said(parts: Sequence[Mapping[str, Any]]) -> str:
    return "".join(part["text"] for part in parts if "text" in part)


def _asked(said: str) -> str:
    """The question without the guidelines that follow it, ours or in other words."""
    without = said.removesuffix(pixel_reasoner.GUIDELINES_WITHOUT)
    return without if without != said else said.rpartition("\n\nGuidelines: ")[0] or said


def _turns(messages: Sequence[tuple[str, list[Mapping[str, Any]]]], folder: Path) -> list[SaidTurn]:
    """What the assistant said, each with the user's message after it."""
    turns: list[SaidTurn] = []
    for number, (role, parts) in enumerate(messages, 1):
        if (role == "assistant") != (number % 2 == 1):
            raise InvalidInput(f"message {number + 1}: assistant and user are expected to take turns")
        if role == "assistant":
            turns.append(SaidTurn(_unescaped_edges(_said(parts))))
            continue
        shown = tuple(file_named(folder, part["image"]) for part in parts if "image" in part)
        error = None if shown else _said(parts).strip().removeprefix("Execution error:").strip()
        turns[-1] = replace(turns[-1], pictures=shown, error=error)
    return turns


def _unescaped_edges(said: str) -> str:
    """The turn with the edges of its boxes at 1.0 where they are written as EDGE."""
    before, mark, call = said.rpartition("<tool_call>")
    return before + mark + re.sub(rf"(?<=[\s,\[]){EDGE}(?=[\s,\]])", "1.0", call) if mark else said


PIXEL_REASONER_SFT = Format(
    name="pixel-reasoner-sft",
    title="Pixel Reasoner, SFT",
    description="Conversations as the released trainer of Pixel Reasoner reads them.",
    file=FILE_NAME,
    beside=("images/", "crops/", "frames/"),
    losses=(UNMASKED, UNTRAINED, UNPADDED, AT_EDGE, TARGET_FRAME, CUT_OFF, KNOWN, ESCAPED),
    returns="question, options, steps and regions",
    rows=_rows,
    read=read,
)
