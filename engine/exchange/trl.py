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
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from engine.exchange.conversation import Turn
from engine.exchange.declared import KNOWN, UNANSWERED, UNMASKED, declared, said_by, told, trained
from engine.exchange.format import Format, Row
from engine.exchange.placeholders import ESCAPED
from engine.exchange.sheet import Sheet
from engine.protocols import TextPart, qwen3_vl
from engine.store import Dossier

if TYPE_CHECKING:
    import pyarrow

__all__ = ["TRL", "declarations", "dumped", "message", "pictures"]

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
    thought = [{"type": "text", "text": turn.call.thought}] if turn.call.thought else []
    return {"role": role, "content": thought, "tool_calls": [call]}


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

    text = Value("string")
    columns = {"messages": List(Json()), "images": List(Image()), "tools": List(Json()), "id": text, "protocol": text}
    return Features(columns).arrow_schema


TRL = Format(
    name="trl",
    title="TRL",
    description="Conversations with pictures and tools for TRL's SFTTrainer, as a data set with Image features.",
    file="trl.parquet",
    losses=(UNMASKED, UNANSWERED, KNOWN, ESCAPED),
    rows=_rows,
    schema=_schema,
    embedded=("images",),
)
