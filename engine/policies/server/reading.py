"""A turn that comes from a server in pieces: its text, calls that the server read by itself, and what it gave for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.policies.base import Turn
from engine.protocols.calls import written_call

__all__ = ["Reading"]


class Reading:
    """A turn as far as it was sent: its text, its calls, its tokens and what the server gave for them. It `is_ended` where
    the server said so, and `is_over` where nothing of what is still to come counts."""

    def __init__(self, call_end: str) -> None:
        self.text = ""
        self.is_ended = self.is_over = False
        self._is_cut = False
        self._call_end = call_end
        self._chunks = 0
        self._usage: int | None = None
        self._log_probabilities: list[float] = []
        self._calls: dict[int, list[str]] = {}

    def take(self, chunk: Any) -> None:
        if chunk.usage is not None:
            self._usage = chunk.usage.completion_tokens
        for choice in chunk.choices[:1]:
            delta = choice.delta
            if delta is not None and delta.content:
                self.text += delta.content
                self._chunks += 1
            for call in (delta.tool_calls if delta is not None else None) or ():
                parts = self._calls.setdefault(call.index or 0, ["", ""])
                if call.function is None:
                    continue
                if call.function.name != parts[0]:  # some servers say it again with every piece
                    parts[0] += call.function.name or ""
                parts[1] += call.function.arguments or ""
            if choice.logprobs is not None and choice.logprobs.content:
                self._log_probabilities += [token.logprob for token in choice.logprobs.content]
            if choice.finish_reason is not None:
                self.is_ended, self._is_cut = True, choice.finish_reason == "length"
            if self._call_end in self.text:  # a server that takes no stop strings would go on
                before, end, _ = self.text.partition(self._call_end)
                self.text, self.is_ended, self.is_over = before + end, True, True

    def turn(self) -> Turn:
        text = self.text
        for name, arguments in list(self._calls.values())[-1:]:
            text = f"{text.rstrip()}\n{written_call(name, _arguments(arguments))}".lstrip()
        # The stop string ends the turn and is not sent.
        start = self._call_end.replace("</", "<")
        if text.rfind(start) > text.rfind(self._call_end) and not self._is_cut:
            text += self._call_end
        tokens = self._usage or len(self._log_probabilities) or self._chunks
        told = sum(self._log_probabilities) if self._log_probabilities else None
        return Turn(text, tokens, self.is_ended and not self._is_cut, told)


def _arguments(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {"arguments": text}  # the protocol tells the model that it cannot be read
    return value if isinstance(value, dict) else {"arguments": value}
