"""What trainers hold beside the texts of a conversation: declared operations, calls by name, results in a role of their own.

The idea: a trainer's template writes declarations, calls and results of the Qwen family in the same words as the protocols
do (`engine.protocols.calls.tools_message`, `<tool_call>`, `<tool_response>`). So a conversation is taken apart where, and
only where, the template puts the same text together again: what the model is trained to read is what it reads when it
answers.

Invariant: a conversation ends with a turn of the assistant, or it is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import InvalidInput, ModelMistake
from engine.exchange.conversation import Conversation, Turn, conversation
from engine.exchange.sheet import Sheet
from engine.protocols import Part, TextPart, WireProtocol, protocol_named
from engine.protocols.calls import CALL_START, tools_message
from engine.store import Dossier
from engine.trace import Trace, shown_before

__all__ = [
    "AS_FRAMES",
    "IMAGE",
    "KNOWN",
    "ROUNDED",
    "UNANSWERED",
    "UNMASKED",
    "call_text",
    "declared",
    "lose_clips",
    "response",
    "said_by",
    "separated",
    "told",
    "trained",
    "with_marks",
]

IMAGE = "<image>"
"""What stands for a picture in LLaMA-Factory, ms-swift and verl."""

AS_FRAMES = "clips that the studio shows to this family as one video, written as their sixteen frames"
KNOWN = "gold answers, evidence, scores, tags and reviews, of as many traces"
UNMASKED = "erroneous, failed and cut off steps, which are learned like any other: there are no masks"
ROUNDED = "operations whose box the wire format rounds, or tells as a region of the picture of the question"
UNANSWERED = "last observations, which no turn of the model follows"
_TOOLS_START, _TOOLS_END = "<tools>\n", "\n</tools>"
_RESPONSE_START, _RESPONSE_END = "<tool_response>\n", "\n</tool_response>"


def said_by(dossier: Dossier, sheet: Sheet) -> Conversation:
    """The dossier in the protocol that was asked for, or in that of its trace."""
    protocol = protocol_named(sheet.options.protocol or dossier.trace.protocol)
    said = conversation(dossier, protocol)
    shown = shown_before(dossier.trace.views, dossier.trace.steps)
    lose_clips(dossier, protocol, sheet)
    sheet.lose(ROUNDED, sum(_is_told_otherwise(turn, dossier.trace, shown, protocol) for turn in said.turns))
    return said


def lose_clips(dossier: Dossier, protocol: WireProtocol, sheet: Sheet) -> None:
    """Counts the clips that go into the model as one video, where a format has pictures alone."""
    is_clip = [medium.kind == "video" for medium in dossier.trace.media]
    sheet.lose(AS_FRAMES, sum(is_clip) * protocol.CLIP_IS_ONE_VIDEO)


def _is_told_otherwise(turn: Turn, trace: Trace, shown: Sequence[int], protocol: WireProtocol) -> bool:
    """Whether the operation of a turn is another one once it has been read again."""
    if turn.step is None or turn.step.operation is None or turn.index is None:
        return False
    try:
        read = protocol.parse(turn.text, trace.views[: shown[turn.index]], trace.media)
    except ModelMistake:  # it was one when the model made it, and is one still
        return False
    return read.operation != turn.step.operation


def trained(said: Conversation, sheet: Sheet) -> tuple[Turn, ...]:
    """The turns up to the assistant's last one. Raises InvalidInput where there is none."""
    turns = said.turns
    while turns and turns[-1].role != "assistant":
        if turns[-1].role == "observation":
            sheet.lose(UNANSWERED)
        turns = turns[:-1]
    if not turns:
        raise InvalidInput("it holds no turn of the model, so there is nothing to learn from it")
    return turns


def declared(system: str | None) -> tuple[str | None, list[Mapping[str, Any]]]:
    """A system message without its declarations, and these; as it is where a template would not write the same again."""
    head, mark, _ = (system or "").partition("\n\n# Tools\n\n")
    if system is None or not mark:
        return system, []
    listed = system.partition(_TOOLS_START)[2].partition(_TOOLS_END)[0]
    tools = [json.loads(line) for line in listed.splitlines()]
    return (head, tools) if tools_message(head, tools) == system else (system, [])


def told(turns: Sequence[Turn]) -> tuple[str | None, Sequence[Turn]]:
    """The system message, None where the family has none, and the turns after it."""
    return (turns[0].text, turns[1:]) if turns[0].role == "system" else (None, turns)


def separated(turn: Turn) -> str:
    """What stands before the call of a turn, to the last space and line end."""
    return turn.text.partition(CALL_START)[0]


def call_text(turn: Turn) -> str:
    """The call of a turn, which has one, as JSON text."""
    assert turn.call is not None
    return json.dumps({"name": turn.call.name, "arguments": turn.call.arguments})


def response(turn: Turn) -> tuple[Part, ...] | None:
    """What stands inside the marks of a tool's result, or None where the family writes results as the user's words."""
    first, last = turn.parts[0], turn.parts[-1]
    if not isinstance(first, TextPart) or not isinstance(last, TextPart):
        return None
    if not first.text.startswith(_RESPONSE_START) or not last.text.endswith(_RESPONSE_END):
        return None
    if len(turn.parts) == 1:
        inner = first.text[len(_RESPONSE_START) : -len(_RESPONSE_END)]
        return (TextPart(inner),)
    before, after = first.text[len(_RESPONSE_START) :], last.text[: -len(_RESPONSE_END)]
    parts = (TextPart(before), *turn.parts[1:-1], TextPart(after))
    return tuple(part for part in parts if not isinstance(part, TextPart) or part.text)


def with_marks(parts: Sequence[Part]) -> str:
    """A message as one text, with `<image>` for each picture."""
    return "".join(part.text if isinstance(part, TextPart) else IMAGE for part in parts)
