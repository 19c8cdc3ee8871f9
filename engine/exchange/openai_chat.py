"""The format `openai-chat`: conversations of OpenAI's chat interface, a line each, with their pictures inside.

    {"messages": [
      {"role": "system", "content": "..."},
      {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,..."}},
                                   {"type": "text", "text": "Q"}]},
      {"role": "assistant", "content": "thought", "weight": 1,
       "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "zoom_in", "arguments": "{...}"}}]},
      {"role": "tool", "tool_call_id": "call_1", "content": "Here is the cropped image (Image Size: 520x380):"},
      {"role": "user", "content": [{"type": "image_url", ...}]},
      {"role": "assistant", "content": "thought\\n\\n\\\\boxed{A}", "weight": 1}],
     "tools": [...], "parallel_tool_calls": false}

A tool's content is text there, so what an operation brought follows as a message of the user; each frame of a clip comes
after the text "Frame k:". A turn that should not be learned has the weight 0 (its fine-tuning interface knows 0 and 1).
Names and numbers are those of `engine.exchange.plain`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from engine.errors import InvalidInput
from engine.exchange import plain
from engine.exchange.conversation import CUT_OFF, Turn, conversation, without_call
from engine.exchange.files import Source, file_named, json_rows, one_file, still_clip
from engine.exchange.format import Brought, Format, Read, Row, read_rows
from engine.exchange.placeholders import ESCAPED
from engine.exchange.replaying import SaidTurn, question_and_options, replayed
from engine.exchange.sheet import Sheet
from engine.json_fields import list_of, one_of, optional, require_object, required, text
from engine.protocols import TextPart, WireProtocol
from engine.store import Dossier
from engine.trace import Example, Media, first_views

__all__ = ["FILE_NAME", "OPENAI_CHAT", "PLAIN", "asked", "read"]

FILE_NAME = "openai_chat.jsonl"
PLAIN = cast(WireProtocol, plain)

KNOWN = "gold answers, evidence, scores, tags and reviews, of as many traces"
UNANSWERED = "last observations, which no turn of the model follows"
CLIPS = "clips, of which the sixteen frames are kept and not the file"
_FRAME = re.compile(r"Frame (\d+):")
_ROLES = ("system", "developer", "user", "assistant", "tool")


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    said = conversation(dossier, PLAIN)
    turns = list(said.turns)
    while turns[-1].role == "observation":
        turns.pop()
        sheet.lose(UNANSWERED)
    if turns[-1].role != "assistant":
        raise InvalidInput("it holds no turn of the model")
    media = dossier.trace.media
    sheet.lose(KNOWN)
    sheet.lose(CUT_OFF, said.cut_off)
    sheet.lose(ESCAPED, said.escaped)
    sheet.lose(CLIPS, sum(medium.kind == "video" for medium in media))
    messages: list[dict[str, Any]] = []
    for turn in turns:
        messages += _messages(turn, messages, media, sheet)
    row: dict[str, Any] = {"messages": messages}
    if dossier.trace.invites_operations:
        opening = dossier.trace.views[: len(first_views(media))]
        row |= {"tools": plain.declarations(opening), "parallel_tool_calls": False}
    yield row


def _messages(
    turn: Turn, before: Sequence[Mapping[str, Any]], media: tuple[Media, ...], sheet: Sheet
) -> list[dict[str, Any]]:
    """The one or two messages of a turn, after those before it."""
    if turn.role == "system":
        return [{"role": "system", "content": turn.text}]
    if turn.role == "user":
        return [{"role": "user", "content": _content(turn, media, sheet)}]
    if turn.role == "assistant":
        message = {"role": "assistant", "content": without_call(turn), "weight": int(turn.has_loss)}
        if turn.call is None:
            return [message]
        called = {"name": turn.call.name, "arguments": json.dumps(turn.call.arguments)}
        return [message | {"tool_calls": [{"id": f"call_{turn.index}", "type": "function", "function": called}]}]
    if "tool_calls" not in before[-1]:
        return [{"role": "user", "content": turn.text}]
    told = {"role": "tool", "tool_call_id": f"call_{turn.index}", "content": turn.text}
    pictures = [part for part in _content(turn, media, sheet) if part["type"] == "image_url"]
    return [told, {"role": "user", "content": pictures}] if pictures else [told]


def _content(turn: Turn, media: tuple[Media, ...], sheet: Sheet) -> list[dict[str, Any]]:
    return [
        {"type": "text", "text": part.text}
        if isinstance(part, TextPart)
        else {"type": "image_url", "image_url": {"url": sheet.encoded(part.view, media)}}
        for part in turn.parts
    ]


# --- reading --------------------------------------------------------------------------------------------------------


def read(path: Path) -> Iterator[Read]:
    """The traces of a file, or of the folder that holds it; a picture is inside, or a file below the folder. Raises
    InvalidInput."""
    file = one_file(path, FILE_NAME)
    return read_rows(json_rows(file), lambda place, row: _brought(place, row, file))


def _brought(place: str, row: Mapping[str, Any], file: Path) -> Brought:
    messages = list(required(row, "messages", list_of(_message)))
    while messages and messages[0]["role"] in ("system", "developer"):
        messages.pop(0)
    if not messages or messages[0]["role"] != "user":
        raise InvalidInput("messages: a question of the role user is expected first")
    parts = [_part(part, file.parent) for part in messages[0]["parts"]]
    files, said = asked(parts)
    is_operating = not said.endswith(plain.NO_OPERATIONS)
    question, options = question_and_options(said.removesuffix(plain.NO_OPERATIONS))
    example = Example(question, (), options=options, source=f"{file.stem}/{place}")
    turns = _turns(messages[1:], file.parent)
    return replayed(place, example, files, turns, PLAIN, is_operating=is_operating)


def _message(data: Any) -> dict[str, Any]:
    """A message with its content as parts."""
    require_object(data)
    content = data.get("content")
    if content is None or isinstance(content, str):
        parts: Sequence[Any] = [{"type": "text", "text": content or ""}]
    else:
        parts = required(data, "content", list_of(lambda part: part))
    return {**data, "role": required(data, "role", one_of(_ROLES)), "parts": parts}


def _part(part: Any, folder: Path) -> str | Source:
    """The text, or where the picture is."""
    require_object(part)
    if part.get("type") == "text":
        return required(part, "text", text)
    if part.get("type") == "image_url":
        address = part.get("image_url")
        return file_named(folder, address.get("url") if isinstance(address, Mapping) else address)
    raise InvalidInput(f"a part of the type text or image_url is expected, not {str(part.get('type'))[:40]!r}")


def asked(parts: Sequence[str | Source]) -> tuple[list[Source], str]:
    """The media of a question and its text: pictures after "Frame 1:" to "Frame 16:" are a clip. Raises InvalidInput."""
    files: list[Source] = []
    clip: list[Source] = []
    said = ""
    frame = 0
    for part in parts:
        if isinstance(part, str):
            found = _FRAME.fullmatch(part)
            frame = int(found[1]) if found else 0
            said += "" if found else part
            continue
        if frame <= 1 and clip:
            files.append(still_clip(clip))
            clip = []
        if frame:
            clip.append(part)
        else:
            files.append(part)
        frame = 0
    if clip:
        files.append(still_clip(clip))
    if not files:
        raise InvalidInput("the question shows no picture")
    return files, said


def _turns(messages: Sequence[Mapping[str, Any]], folder: Path) -> list[SaidTurn]:
    turns: list[SaidTurn] = []
    weights: list[Any] = []
    for message in messages:
        parts = [_part(part, folder) for part in message["parts"]]
        said = "".join(part for part in parts if isinstance(part, str))
        shown = tuple(part for part in parts if not isinstance(part, str))
        if message["role"] == "assistant":
            if shown:
                raise InvalidInput("a message of the assistant holds a picture, which no model says")
            turns.append(SaidTurn(_turn_text(said, message)))
            weights.append(message.get("weight"))
        elif not turns or message["role"] in ("system", "developer"):
            raise InvalidInput("a message of the assistant is expected after the question")
        elif shown:
            turns[-1] = replace(turns[-1], pictures=turns[-1].pictures + shown, error=None)
        elif not turns[-1].pictures:
            turns[-1] = replace(turns[-1], error=said.strip().removeprefix("Execution error:").strip())
    return [
        replace(turn, is_erroneous=weight == 0 and turn.error is None)
        for turn, weight in zip(turns, weights, strict=True)
    ]


def _turn_text(said: str, message: Mapping[str, Any]) -> str:
    calls = optional(message, "tool_calls", list_of(_call), ())
    if len(calls) > 1:
        raise InvalidInput(f"one operation a turn is expected, not {len(calls)} calls")
    return plain.written(said, *calls[0]) if calls else said


def _call(data: Any) -> tuple[str, Any]:
    require_object(data)
    function = data.get("function")
    require_object(function)
    return required(function, "name", text), function.get("arguments", "{}")


OPENAI_CHAT = Format(
    name="openai-chat",
    title="OpenAI chat",
    description="Conversations of OpenAI's chat interface with their pictures inside, as its fine-tuning takes them.",
    file=FILE_NAME,
    losses=(KNOWN, CLIPS, UNANSWERED, CUT_OFF, ESCAPED),
    returns="question, options, steps, regions and marks of errors",
    rows=_rows,
    read=read,
)
