r"""What all protocols share of reading and writing turns: `<tool_call>` JSON, `\boxed{}` answers, options.

Invariant: nothing here knows an operation's name, its arguments or a coordinate system.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidFrames, InvalidInput, MalformedCall

__all__ = [
    "BOX_START",
    "CALL_END",
    "CALL_START",
    "Call",
    "before_call",
    "boxed",
    "find_call",
    "frame_numbers",
    "holds_call",
    "question_text",
    "read_answer",
    "require_unmarked",
]

CALL_START, CALL_END = "<tool_call>", "</tool_call>"
_RAW_CALL = re.compile(rf"{CALL_START}|{CALL_END}" + r"|\{\s*[\"']name[\"']\s*:")
BOX_START = "\\boxed{"


@dataclass(frozen=True, slots=True)
class Call:
    """One call as written: the text before it, the operation's name on the wire, and its arguments."""

    thought: str
    name: str
    arguments: Mapping[str, Any]


def find_call(text: str) -> Call | None:
    """The first call of a turn, or None. Text after the call is dropped: generation ends there.

    Raises MalformedCall where the JSON or its shape is wrong.
    """
    before, marker, rest = text.partition(CALL_START)
    if not marker:
        return None
    body = rest.partition(CALL_END)[0].strip()
    try:
        data = json.loads(body)
    except json.JSONDecodeError as error:
        raise MalformedCall(
            f"the call is not valid JSON ({error.msg} at character {error.pos}): {body[:200]}"
        ) from None
    except (ValueError, RecursionError):  # thousands of digits or of brackets
        raise MalformedCall(f"the call is too long or too deep to be read: {body[:200]}") from None
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("name"), str)
        or not isinstance(data.get("arguments"), dict)
    ):
        raise MalformedCall('a call is {"name": ..., "arguments": {...}}, not ' + body[:200])
    return Call(before.strip(), data["name"], data["arguments"])


def read_answer(text: str) -> tuple[str, str]:
    r"""(thought, answer) of a turn without a call: the last `\boxed{...}` that holds anything, its braces paired, or the
    whole text where there is no box. An empty one after it ("... within \boxed{}") is talk about boxes, not an answer."""
    end = len(text)
    last = ("", text.strip())
    while (start := text.rfind(BOX_START, 0, end)) >= 0:
        content = _braced(text, start + len(BOX_START)).strip()
        if content or end == len(text):
            last = text[:start].strip(), content
        if content:
            break
        end = start
    return last


def _braced(text: str, start: int) -> str:
    """What stands between the brace that opened before `start` and the one that pairs with it, or the end of the text."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if not depth:
            return text[start:position]
    return text[start:]


def boxed(answer: str) -> str:
    r"""`\boxed{answer}`. Raises InvalidInput where reading it back would give something else."""
    written = BOX_START + answer + "}"
    if read_answer(written) != ("", answer):
        raise InvalidInput(f"the answer {answer!r} cannot be written: pair its curly braces and leave \\boxed out")
    return written


def require_unmarked(*texts: str) -> None:
    """Raises InvalidInput where a text holds the mark that begins a call: what follows would be read as one."""
    for text in texts:
        if CALL_START in text:
            raise InvalidInput(f"{CALL_START} cannot stand in a thought or an answer; take it out of {text[:80]!r}")


def before_call(text: str) -> str:
    """The text before the raw text of a call, or of a piece of one: its marks, or the beginning of its JSON."""
    return _RAW_CALL.split(text, maxsplit=1)[0].strip()


def holds_call(text: str) -> bool:
    """Whether a text holds the raw text of a call, as `before_call` finds it."""
    return _RAW_CALL.search(text) is not None


def frame_numbers(value: object) -> tuple[int, ...]:
    """A list of whole frame numbers. Raises InvalidFrames for anything else."""
    if not isinstance(value, list) or not all(isinstance(v, int) and not isinstance(v, bool) for v in value):
        raise InvalidFrames(f"target_frames needs a list of whole numbers such as [3, 4], not {value!r}")
    return tuple(value)


def question_text(question: str, options: Sequence[str]) -> str:
    """The question with its options, lettered from A, a line each."""
    return "\n".join([question, *(f"({chr(ord('A') + k)}) {text}" for k, text in enumerate(options))])
