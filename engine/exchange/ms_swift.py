"""The format `ms-swift`: conversations with masks, as ms-swift's agent data sets are (4.2 and later), a line each.

    {"messages": [{"role": "system", "content": "..."}, {"role": "user", "content": "<image>Q"},
                  {"role": "assistant", "content": "I look closer.", "loss": true},
                  {"role": "tool_call", "content": "{\\"name\\": ..., \\"arguments\\": {...}}", "loss": true},
                  {"role": "tool_response", "content": "<image>"},
                  {"role": "assistant", "content": "\\\\boxed{A}", "loss": true}],
     "images": ["images/x.jpg", "crops/x.png"], "tools": "[{...}]", "id": "...", "protocol": "..."}

The one format of trainers that holds masks: a turn that is erroneous, failed or cut off has `loss` false, in both of its
messages where it calls. `tools` and the content of `tool_call` are JSON texts. A result has the role `tool_response` where
the family writes it in `<tool_response>`, and `user` where it writes it as the user's words; the thought keeps the line
ends that stand between it and the call. So ms-swift's templates make the text that the model answers to. A clip is its 16
frames. Run ms-swift in OUT, or with ROOT_IMAGE_DIR=OUT: paths are from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.exchange.conversation import Turn
from engine.exchange.declared import (
    AS_FRAMES,
    KNOWN,
    ROUNDED,
    UNANSWERED,
    call_text,
    declared,
    response,
    said_by,
    separated,
    told,
    trained,
    with_marks,
)
from engine.exchange.files import file_named, json_rows, one_file
from engine.exchange.format import Brought, Format, Read, Row, read_rows
from engine.exchange.placeholders import ESCAPED
from engine.exchange.retelling import Message, retold, with_pictures
from engine.exchange.sheet import Sheet
from engine.json_fields import list_of, one_of, require_object, required, text
from engine.protocols.calls import CALL_END, CALL_START
from engine.store import Dossier

__all__ = ["MS_SWIFT"]

FILE_NAME = "ms_swift.jsonl"
LAST_END = "last turns without loss, of which ms-swift (4.6) learns the mark that ends a turn all the same"


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    said = said_by(dossier, sheet)
    system, turns = told(trained(said, sheet))
    system, tools = declared(system)
    sheet.lose(ESCAPED, said.escaped)
    sheet.lose(LAST_END, not turns[-1].has_loss)
    sheet.lose(KNOWN)
    messages = [] if system is None else [{"role": "system", "content": system}]
    for turn in turns:
        messages += _messages(turn)
    media = dossier.trace.media
    yield {
        "messages": messages,
        "images": [sheet.picture(view, media) for turn in turns for view in turn.views],
        **({"tools": json.dumps(tools)} if tools else {}),
        "id": dossier.id,
        "protocol": sheet.options.protocol or dossier.trace.protocol,
    }


def _messages(turn: Turn) -> list[dict[str, Any]]:
    if turn.role != "assistant":
        result = response(turn) if turn.role == "observation" else None
        role = "user" if result is None else "tool_response"
        return [{"role": role, "content": with_marks(turn.parts if result is None else result)}]
    if turn.call is None:
        return [{"role": "assistant", "content": turn.text, "loss": turn.has_loss}]
    before = separated(turn)
    thought = [{"role": "assistant", "content": before, "loss": turn.has_loss}] if before else []
    return [*thought, {"role": "tool_call", "content": call_text(turn), "loss": turn.has_loss}]


# --- reading --------------------------------------------------------------------------------------------------------

_ROLES = ("system", "user", "assistant", "tool_call", "tool_response", "tool")


def read(path: Path) -> Iterator[Read]:
    """The traces of a file, or of the folder that holds it; pictures are files below the folder. Raises InvalidInput."""
    file = one_file(path, FILE_NAME)
    return read_rows(json_rows(file), lambda place, row: _brought(place, row, file))


def _brought(place: str, row: Mapping[str, Any], file: Path) -> Brought:
    pictures = iter([file_named(file.parent, name) for name in required(row, "images", list_of(text))])
    messages: list[Message] = []
    for said in required(row, "messages", list_of(_message)):
        one = Message(said.role, with_pictures(said.text, pictures), said.has_loss)
        if messages and messages[-1].role == one.role == "assistant":  # a thought and its call
            before = messages.pop()
            one = Message("assistant", before.parts + one.parts, before.has_loss and one.has_loss)
        messages.append(one)
    if next(pictures, None) is not None:
        raise InvalidInput("there are more pictures than <image>")
    return retold(place, row, messages, file)


def _message(data: Any) -> Message:
    """A message as text, its call and its result in the marks that ms-swift's template puts around them."""
    require_object(data)
    role, content = required(data, "role", one_of(_ROLES)), required(data, "content", text)
    has_loss = data.get("loss") is not False
    if role == "tool_call":
        return Message("assistant", (f"{CALL_START}\n{content}\n{CALL_END}",), has_loss)
    if role in ("tool_response", "tool"):
        return Message("user", (f"<tool_response>\n{content}\n</tool_response>",))
    return Message(role, (content,), has_loss)


MS_SWIFT = Format(
    name="ms-swift",
    title="ms-swift",
    description="Conversations with tools for ms-swift, in which erroneous steps carry no loss.",
    file=FILE_NAME,
    beside=("images/", "crops/", "frames/"),
    losses=(LAST_END, AS_FRAMES, UNANSWERED, ROUNDED, KNOWN, ESCAPED),
    returns="question, options, steps, regions and marks of errors",
    rows=_rows,
    read=read,
)
