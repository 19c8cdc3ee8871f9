r"""What the protocols share of reading and writing turns: calls between marks, `\boxed{}` and `<answer>`, options.

The idea: `find_call` is strict and takes the first call, as the embedded reasoner was taught; `last_call` reads what models
of other makers write, which is looser. Each leniency is a row of docs/protocols.md, with its source.

Invariant: nothing here knows an operation's name, its arguments or a coordinate system.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidFrames, InvalidInput, MalformedCall

__all__ = [
    "ANSWER_END",
    "ANSWER_START",
    "BOX_START",
    "CALL_END",
    "CALL_START",
    "GROUNDING_END",
    "GROUNDING_START",
    "TAGS",
    "Call",
    "before_call",
    "boxed",
    "call_of",
    "find_call",
    "frame_numbers",
    "holds_call",
    "last_call",
    "question_text",
    "read_answer",
    "read_object",
    "read_tagged_answer",
    "require_unmarked",
    "tagged",
    "tagged_answer",
    "thought_of",
    "thought_so_far",
    "tools_message",
    "written_call",
]

CALL_START, CALL_END = "<tool_call>", "</tool_call>"
GROUNDING_START, GROUNDING_END = "<grounding>", "</grounding>"
ANSWER_START, ANSWER_END = "<answer>", "</answer>"
THINK_START, THINK_END = "<think>", "</think>"
BOX_START = "\\boxed{"
_RAW_CALL = re.compile(r"</?tool_call>|</?grounding>|\{\s*[\"']name[\"']\s*:")
_END_OF_THOUGHT = re.compile("|".join(map(re.escape, (CALL_START, GROUNDING_START, ANSWER_START, BOX_START))))
_THINK_MARK = re.compile("</?think>")
TAGS = (CALL_START, GROUNDING_START, ANSWER_START, ANSWER_END, THINK_START, THINK_END)


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
    return call_of(before.strip(), _json(body, json.loads), body)


def last_call(text: str, start: str, end: str) -> tuple[str, str, bool] | None:
    """The last call of a turn between the marks `start` and `end`: what stands before the FIRST call, the body of the last
    one, and whether it has its end; None where there is no call. The calls between are dropped: one operation a turn."""
    before, marker, _ = text.partition(start)
    if not marker:
        return None
    body, closing, _ = text.rpartition(start)[2].partition(end)
    return before, body.strip(), bool(closing)


def read_object(body: str, is_closed: bool) -> Any:
    """The JSON of a call's body. Where the call was never ended, whatever follows its first value is text.
    Raises MalformedCall."""
    return _json(body, json.loads if is_closed else lambda text: json.JSONDecoder().raw_decode(text)[0])


def _json(body: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(body)
    except json.JSONDecodeError as error:
        raise MalformedCall(
            f"the call is not valid JSON ({error.msg} at character {error.pos}): {body[:200]}"
        ) from None
    except (ValueError, RecursionError):  # thousands of digits or of brackets
        raise MalformedCall(f"the call is too long or too deep to be read: {body[:200]}") from None


def call_of(thought: str, data: Any, body: str, *, has_text_arguments: bool = False) -> Call:
    """The call that a JSON value describes; `has_text_arguments` lets the arguments be the text of a JSON object, as the
    OpenAI interface writes them. Raises MalformedCall."""
    arguments = data.get("arguments") if isinstance(data, dict) else None
    if has_text_arguments and isinstance(arguments, str):
        arguments = _json(arguments, json.loads)
    if not isinstance(data, dict) or not isinstance(data.get("name"), str) or not isinstance(arguments, dict):
        raise MalformedCall('a call is {"name": ..., "arguments": {...}}, not ' + body[:200])
    return Call(thought, data["name"], arguments)


def written_call(name: str, arguments: Mapping[str, Any]) -> str:
    """A call as the chat templates of the Qwen family write it, on lines of its own."""
    return f"{CALL_START}\n{json.dumps({'name': name, 'arguments': arguments})}\n{CALL_END}"


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


def read_tagged_answer(text: str) -> tuple[str, str]:
    """(thought, answer) of a turn of a family that answers in `<answer>`: the last one that holds anything. A text without
    the tag is read as `read_answer` does."""
    thought, marker, _ = text.partition(ANSWER_START)
    if not marker:
        thought, answer = read_answer(text)
        return thought_of(thought), thought_of(answer)
    found = [piece.partition(ANSWER_END)[0].strip() for piece in text.split(ANSWER_START)[1:]]
    return thought_of(thought), next((answer for answer in reversed(found) if answer), "")


def thought_of(text: str) -> str:
    """A thought without the marks `<think>` and `</think>`."""
    return _THINK_MARK.sub("", text).strip()


def thought_so_far(text: str) -> str:
    """The thought of a turn that is still being said, in any protocol: without a call, an answer or marks."""
    return thought_of(_END_OF_THOUGHT.split(text, maxsplit=1)[0])


def tagged(thought: str, rest: str) -> str:
    """A turn of a family that thinks in `<think>`: the thought, if there is one, and a call or an answer below it."""
    return f"{THINK_START}{thought}{THINK_END}\n{rest}" if thought else rest


def tagged_answer(answer: str) -> str:
    """`<answer>answer</answer>`. Raises InvalidInput where reading it back would give something else."""
    written = ANSWER_START + answer + ANSWER_END
    if read_tagged_answer(written) != ("", answer):
        raise InvalidInput(f"the answer {answer!r} cannot be written: leave tags and outer spaces out")
    return written


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


def require_unmarked(*texts: str, marks: Sequence[str] = (CALL_START,)) -> None:
    """Raises InvalidInput where a text holds a mark that would be read as such, by default the one that begins a call."""
    for text in texts:
        for mark in marks:
            if mark in text:
                raise InvalidInput(f"{mark} cannot stand in a thought or an answer; take it out of {text[:80]!r}")


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


def tools_message(system: str, tools: Sequence[Mapping[str, Any]]) -> str:
    """A system message that declares operations as the chat templates of Qwen2.5 and Qwen3 do, so that it is the same text
    whether a template or we put it there."""
    declared = "\n".join(json.dumps(tool) for tool in tools)
    return (
        f"{system}\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided "
        f"with function signatures within <tools></tools> XML tags:\n<tools>\n{declared}\n</tools>\n\nFor each function "
        "call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n"
        '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
    )
