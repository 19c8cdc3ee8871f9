"""Conversations of trainers' files, back into traces: the inverse of how `engine.exchange.conversation` tells them.

The algorithm: a protocol's opening and its words for an error are asked for with a mark in the place of the question and of the
error, so what stands before and after the mark is known and taken off. Turns are parsed and executed again by
`engine.exchange.replaying`. A row names its protocol in `protocol`; otherwise it is known by the operations that it declares.

Sixteen pictures in a question are a clip, any other number are pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.errors import InvalidInput
from engine.exchange.declared import IMAGE
from engine.exchange.files import Source, still_clip
from engine.exchange.format import Brought
from engine.exchange.replaying import SaidTurn, question_and_options, replayed
from engine.protocols import TextPart, WireProtocol, protocol_named
from engine.trace import CLIP_FRAMES, Example, Media, MediaKind, Observation, View, first_views

__all__ = ["Message", "retold", "with_pictures"]

_MARK = "\0"
_KNOWN_BY = (
    ("crop_image_normalized", "pixel-reasoner"),
    ("img_idx", "qwen3-vl"),
    ("image_zoom_in_tool", "deepeyes"),
    ("<grounding>", "mini-o3"),
)
"""Words of declarations, and the protocol that declares by them; the first that is found counts."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message in the words of a protocol; `has_loss` False says that the model should not learn it."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[str | Source, ...]
    has_loss: bool = True

    @property
    def text(self) -> str:
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def pictures(self) -> tuple[Source, ...]:
        return tuple(part for part in self.parts if not isinstance(part, str))


def with_pictures(text: str, pictures: Iterator[Source]) -> tuple[str | Source, ...]:
    """A text with the next pictures in the place of its `<image>`. Raises InvalidInput where there are too few."""
    first, *rest = text.split(IMAGE)
    parts: list[str | Source] = [first]
    for piece in rest:
        found = next(pictures, None)
        if found is None:
            raise InvalidInput(f"there are more {IMAGE} than pictures")
        parts += [found, piece]
    return tuple(part for part in parts if part != "")


def _named_protocol(row: Mapping[str, Any], messages: Sequence[Message]) -> str:
    declaring = f"{row.get('system')}{row.get('tools')}" + "".join(one.text for one in messages if one.role == "system")
    name = row.get("protocol") or next((name for word, name in _KNOWN_BY if word in declaring), None)
    if not isinstance(name, str):
        raise InvalidInput('it does not tell in whose words it speaks; add "protocol", such as "pixel-reasoner"')
    return name


def retold(place: str, row: Mapping[str, Any], messages: Sequence[Message], file: Path) -> Brought:
    """The trace of a row's conversation, in the words of the protocol that the row names or whose operations it declares.
    Raises InvalidInput where it is none."""
    protocol = protocol_named(_named_protocol(row, messages))
    turns = [message for message in messages if message.role != "system"]
    if not turns or turns[0].role != "user":
        raise InvalidInput("a question of the user is expected first")
    shown = turns[0].pictures
    files, kinds = _media(shown)
    views = first_views([Media(str(k), kind, 1, 1) for k, kind in enumerate(kinds)])
    said, is_operating = _asked(turns[0].text, protocol, views)
    question, options = question_and_options(said)
    example = Example(question, (), options=options, source=f"{file.stem}/{row.get('id') or place}")
    return replayed(place, example, files, _turns(turns[1:], protocol), protocol, is_operating=is_operating)


def _media(shown: Sequence[Source]) -> tuple[list[Source], list[MediaKind]]:
    if not shown:
        raise InvalidInput("the question shows no picture")
    if len(shown) == CLIP_FRAMES:
        return [still_clip(list(shown))], ["video"]
    return list(shown), ["image"] * len(shown)


def _asked(text: str, protocol: WireProtocol, views: Sequence[View]) -> tuple[str, bool]:
    """The question with its options, and whether it invites operations; a text in no words of the protocol as it stands."""
    for is_operating in (True, False):
        said = _inside(text, _text(protocol.opening(_MARK, (), views, is_operating)))
        if said is not None:
            return said, is_operating
    return text, True


def _turns(messages: Sequence[Message], protocol: WireProtocol) -> list[SaidTurn]:
    turns: list[SaidTurn] = []
    failed = _text(protocol.observation(Observation(error=_MARK), (), (), ()))
    for message in messages:
        if message.role == "assistant":
            if message.pictures:
                raise InvalidInput("a turn of the model holds a picture, which no model says")
            turns.append(SaidTurn(message.text, is_erroneous=not message.has_loss))
            continue
        if not turns:
            raise InvalidInput("a turn of the model is expected after the question")
        last = turns.pop()
        if message.pictures:
            turns.append(SaidTurn(last.text, last.pictures + message.pictures, None, last.is_erroneous))
        else:
            said = _inside(message.text, failed)
            turns.append(SaidTurn(last.text, (), message.text.strip() if said is None else said))
    return turns


def _text(parts: Iterable[Any]) -> str:
    return "".join(part.text for part in parts if isinstance(part, TextPart))


def _inside(text: str, around: str) -> str | None:
    """What stands in `text` in the place of the mark in `around`, or None where the rest differs."""
    before, _, after = around.partition(_MARK)
    if len(text) < len(before) + len(after) or not text.startswith(before) or not text.endswith(after):
        return None
    return text[len(before) : len(text) - len(after)]
