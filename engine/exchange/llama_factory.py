"""The format `llama-factory`: conversations with tools in the sharegpt form of LLaMA-Factory, one JSON list.

    {"conversations": [{"from": "human", "value": "<image>Q"},
                       {"from": "function_call", "value": "I look closer.<tool_call>{...}</tool_call>"},
                       {"from": "observation", "value": "<image>"}, {"from": "gpt", "value": "\\\\boxed{A}"}],
     "system": "...", "tools": "[{...}]", "images": ["images/x.jpg", "crops/x.png"], "id": "...", "protocol": "..."}

with a dataset_info.json beside it: `dataset_dir` and `media_dir` are OUT, `dataset` is `pixel_reasoner_studio`.

Human and observation stand at odd places, gpt and function_call at even ones, or the reader drops the row; as many `<image>`
as `images`, or it raises. A thought stands before its call in `<tool_call>`, which the reader takes apart from 0.9.4 on; a
call without a thought is the bare JSON of earlier ones. A result is an `observation` where the family writes it in
`<tool_response>`, and `human` where it writes it as the user's words. Every turn of the model is learned
(`mask_history: true`: the last alone). A clip is its 16 frames.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.exchange.conversation import Turn
from engine.exchange.declared import (
    AS_FRAMES,
    KNOWN,
    ROUNDED,
    UNANSWERED,
    UNMASKED,
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

__all__ = ["LLAMA_FACTORY"]

FILE_NAME = "llama_factory.json"

_INFO = {
    "pixel_reasoner_studio": {
        "file_name": FILE_NAME,
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", "system": "system", "tools": "tools", "images": "images"},
    }
}


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    said = said_by(dossier, sheet)
    system, turns = told(trained(said, sheet))
    _require_alternation(turns)
    system, tools = declared(system)
    sheet.lose(ESCAPED, said.escaped)
    sheet.lose(UNMASKED, sum(turn.role == "assistant" and not turn.has_loss for turn in turns))
    sheet.lose(KNOWN)
    media = dossier.trace.media
    yield {
        "conversations": [_message(turn) for turn in turns],
        "system": system or "",
        "tools": json.dumps(tools) if tools else "",
        "images": [sheet.picture(view, media) for turn in turns for view in turn.views],
        "id": dossier.id,
        "protocol": sheet.options.protocol or dossier.trace.protocol,
    }


def _require_alternation(turns: Sequence[Turn]) -> None:
    for place, turn in enumerate(turns):
        if (turn.role == "assistant") != (place % 2 == 1):
            raise InvalidInput(
                f"step {turn.index or 0} brought nothing back and is not the last, so turns do not alternate"
            )


def _message(turn: Turn) -> dict[str, str]:
    if turn.role != "assistant":
        result = response(turn) if turn.role == "observation" else None
        return {
            "from": "human" if result is None else "observation",
            "value": with_marks(turn.parts if result is None else result),
        }
    if turn.call is None:
        return {"from": "gpt", "value": turn.text}
    before = separated(turn)
    return {
        "from": "function_call",
        "value": before + f"{CALL_START}{call_text(turn)}{CALL_END}" if before else call_text(turn),
    }


# --- reading --------------------------------------------------------------------------------------------------------

_ROLES = ("system", "human", "gpt", "function_call", "observation")


def read(path: Path) -> Iterator[Read]:
    """The traces of a file, or of the folder that holds it; pictures are files below the folder. Raises InvalidInput."""
    file = one_file(path, FILE_NAME)
    return read_rows(json_rows(file), lambda place, row: _brought(place, row, file))


def _brought(place: str, row: Mapping[str, Any], file: Path) -> Brought:
    pictures = iter([file_named(file.parent, name) for name in required(row, "images", list_of(text))])
    said = required(row, "conversations", list_of(_said))
    messages = [Message(one.role, with_pictures(one.text, pictures)) for one in said]
    if next(pictures, None) is not None:
        raise InvalidInput("there are more pictures than <image>")
    return retold(place, row, messages, file)


def _said(data: Any) -> Message:
    """A message as text, its call and its result in the marks that LLaMA-Factory's template puts around them."""
    require_object(data)
    role, value = required(data, "from", one_of(_ROLES)), required(data, "value", text)
    if role == "function_call":
        return Message("assistant", (value if CALL_START in value else f"{CALL_START}\n{value}\n{CALL_END}",))
    if role == "observation":
        return Message("user", (f"<tool_response>\n{value}\n</tool_response>",))
    return Message("system" if role == "system" else "user" if role == "human" else "assistant", (value,))


LLAMA_FACTORY = Format(
    name="llama-factory",
    title="LLaMA-Factory",
    description="Conversations with tools for LLaMA-Factory (sharegpt), with its dataset_info.json.",
    file=FILE_NAME,
    beside=("dataset_info.json", "images/", "crops/", "frames/"),
    losses=(UNMASKED, AS_FRAMES, UNANSWERED, ROUNDED, KNOWN, ESCAPED),
    returns="question, options, steps and regions",
    rows=_rows,
    read=read,
    texts=(("dataset_info.json", json.dumps(_INFO, indent=2) + "\n"),),
)
