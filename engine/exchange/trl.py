"""The format `trl`: conversations with their pictures inside one parquet file, as TRL's SFTTrainer takes them.

    messages  [{"role", "content": [{"type": "text", "text"} | {"type": "image"}], "tool_calls"?: [{"type": "function",
              "function": {"name", "arguments": {...}}}]}]     features: List(Json())
    images    the pictures of the placeholders, in their order  features: List(Image())
    tools     the declared operations                           features: List(Json())
    id, protocol

`Json` keeps each row's own keys, which Arrow would otherwise unite over all rows and fill with nulls; so `arguments` is a
dictionary, as TRL wants it. `datasets` from 4.7 on reads it.

What the template of a family drops is written as its text (seen with trl 1.16.0 and the templates that it ships):

- The template of Qwen2.5-VL writes neither `tool_calls` nor `tools`: calls stand in the text of the turn, as the model of
  `pixel-reasoner`, `deepeyes` and `mini-o3` says them. That of Qwen3-VL writes `tool_calls`, so `qwen3-vl` has them.
- SFTTrainer gives no `tools` to the template where there are pictures: the system message declares the operations itself.
  `tools` repeats them where the family's template ignores it, and is empty in `qwen3-vl`, whose template, given them by
  DPOTrainer, would declare them twice.
- `prepare_multimodal_messages` finds no pictures in the role `tool`, and raises: results have the role `user`, with the
  family's marks around them in their text.

Set `assistant_only_loss=True`: then the model's turns alone are learned, all of them. A clip is its 16 frames.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidInput
from engine.exchange.conversation import Turn
from engine.exchange.declared import (
    AS_FRAMES,
    KNOWN,
    ROUNDED,
    UNANSWERED,
    UNMASKED,
    declared,
    said_by,
    separated,
    told,
    trained,
)
from engine.exchange.files import column_rows, one_file
from engine.exchange.format import Brought, Format, Read, Row, read_rows
from engine.exchange.placeholders import ESCAPED
from engine.exchange.retelling import Message, retold
from engine.exchange.sheet import Sheet
from engine.json_fields import list_of, one_of, require_object, required, text
from engine.protocols import TextPart, qwen3_vl
from engine.protocols.calls import written_call
from engine.store import Dossier

if TYPE_CHECKING:
    import pyarrow

__all__ = ["TRL", "declarations", "dumped", "message", "pictures"]

FILE_NAME = "trl.parquet"
_WRITES_CALLS = (qwen3_vl.NAME,)
"""Protocols of the families whose published chat template writes `tool_calls` and `tools`."""


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    said = said_by(dossier, sheet)
    turns = trained(said, sheet)
    protocol = sheet.options.protocol or dossier.trace.protocol
    sheet.lose(ESCAPED, said.escaped)
    sheet.lose(UNMASKED, sum(turn.role == "assistant" and not turn.has_loss for turn in turns))
    sheet.lose(KNOWN)
    yield {
        "messages": dumped(message(turn, protocol) for turn in turns),
        "images": pictures(turns, dossier, sheet),
        "tools": dumped(declarations(turns, protocol)),
        "id": dossier.id,
        "protocol": protocol,
    }


def message(turn: Turn, protocol: str) -> dict[str, Any]:
    """A turn as TRL writes it, in the words of `protocol`."""
    role = "user" if turn.role == "observation" else turn.role
    if turn.call is None or protocol not in _WRITES_CALLS:
        return {"role": role, "content": _content(turn)}
    call = {"type": "function", "function": {"name": turn.call.name, "arguments": dict(turn.call.arguments)}}
    thought = separated(turn).removesuffix("\n")  # which the template writes
    content = [{"type": "text", "text": thought}] if thought else []
    return {"role": role, "content": content, "tool_calls": [call]}


def _content(turn: Turn) -> list[dict[str, str]]:
    return [
        {"type": "text", "text": part.text} if isinstance(part, TextPart) else {"type": "image"} for part in turn.parts
    ]


def declarations(turns: Sequence[Turn], protocol: str) -> list[Any]:
    """The operations that the system message declares, where the family's template would not declare them again."""
    return [] if protocol in _WRITES_CALLS else list(declared(told(turns)[0])[1])


def pictures(turns: Sequence[Turn], dossier: Dossier, sheet: Sheet) -> list[dict[str, str]]:
    media = dossier.trace.media
    return [{"path": sheet.picture(view, media)} for turn in turns for view in turn.views]


def dumped(values: Any) -> list[str]:
    """Each value as the text that a column of `Json` holds."""
    return [json.dumps(value, ensure_ascii=False) for value in values]


def _schema() -> pyarrow.Schema:
    from datasets import Features, Image, Json, List, Value

    name = Value("string")
    columns = {"messages": List(Json()), "images": List(Image()), "tools": List(Json()), "id": name, "protocol": name}
    return Features(columns).arrow_schema


# --- reading --------------------------------------------------------------------------------------------------------

_ROLES = ("system", "user", "assistant", "tool")


def read(path: Path) -> Iterator[Read]:
    """The traces of a parquet file, or of the folder that holds it. Raises InvalidInput where it is none."""
    file = one_file(path, FILE_NAME)
    return read_rows(column_rows(file), lambda place, row: _brought(place, row, file))


def _brought(place: str, row: Mapping[str, Any], file: Path) -> Brought:
    pictures = iter(required(row, "images", list_of(_picture)))
    said = [_said(_loaded(one), pictures) for one in required(row, "messages", list_of(lambda one: one))]
    if next(pictures, None) is not None:
        raise InvalidInput("there are more pictures than placeholders")
    return retold(place, row, said, file)


def _loaded(value: Any) -> Any:
    """A value of a column of `Json`, which files hold as text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise InvalidInput(f"messages: this is no JSON ({error})") from None


def _picture(data: Any) -> bytes:
    require_object(data)
    if not isinstance(data.get("bytes"), bytes):
        raise InvalidInput("images: the bytes of each picture are expected inside the file")
    return data["bytes"]


def _said(data: Any, pictures: Iterator[bytes]) -> Message:
    """A message as text, its calls in the marks that the template puts around them."""
    require_object(data)
    role = required(data, "role", one_of(_ROLES))
    content = data.get("content") or []
    parts: list[str | bytes] = []
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        require_object(part)
        if part.get("type") == "text":
            parts.append(required(part, "text", text))
        elif (found := next(pictures, None)) is None:
            raise InvalidInput("there are more placeholders than pictures")
        else:
            parts.append(found)
    for call in data.get("tool_calls") or []:
        require_object(call)
        function = required(call, "function", lambda value: value)
        parts.append(("\n" if parts else "") + written_call(function["name"], function["arguments"]))
    return Message("user" if role == "tool" else role, tuple(parts))


TRL = Format(
    name="trl",
    title="TRL",
    description="Conversations with pictures and tools for TRL's SFTTrainer, as a data set with Image features.",
    file=FILE_NAME,
    losses=(UNMASKED, AS_FRAMES, UNANSWERED, ROUNDED, KNOWN, ESCAPED),
    returns="question, options, steps and regions",
    rows=_rows,
    read=read,
    schema=_schema,
    embedded=("images",),
)
