"""A policy that says what it was told to: screens and tests need no weights (`STUDIO_MODEL=scripted`).

The idea: a script is a sequence of turns in the wire format, said one after another, streamed word by word. Without a
script it looks once at the middle of the picture (or at two frames of the clip) and says that it is scripted.

Invariant: it never computes an answer, and its traces carry the policy name "scripted", so nobody can mistake it for a
model.
"""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.media import Pictures
from engine.policies.base import Recalled, Said, Turn, one_after_another
from engine.protocols import PicturePart, WireProtocol, studio
from engine.trace import Box, SelectFrames, Step, ZoomIn

__all__ = ["ScriptedConversation", "ScriptedPolicy"]

_IMAGE_SCRIPT = (
    Step("I look at the middle of the picture.", ZoomIn(1, Box(0.25, 0.25, 0.75, 0.75))),
    Step("I am a script and cannot see.", answer="scripted"),
)
_VIDEO_SCRIPT = (
    Step("I look at two frames in the middle of the clip.", SelectFrames((8, 9))),
    Step("I am a script and cannot see.", answer="scripted"),
)


@dataclass(slots=True)
class ScriptedConversation:
    """Says `turns` in order, then repeats the last one. `turns=None` chooses by what the first user turn shows."""

    protocol: WireProtocol
    turns: tuple[str, ...] | None
    delay_s: float
    spoken: int = 0
    pictures: Pictures = dataclasses.field(default_factory=dict)

    def add(self, said: Sequence[Said]) -> None:
        for one in said:
            if isinstance(one, Recalled):
                self.spoken += 1
            elif self.turns is None:
                views = [part.view for part in one.parts if isinstance(part, PicturePart)]
                script = _VIDEO_SCRIPT if any(view.frame is not None for view in views) else _IMAGE_SCRIPT
                media = [self.pictures[sha256].media for sha256 in dict.fromkeys(view.sha256 for view in views)]
                self.turns = tuple(self.protocol.render(step, views, media) for step in script)

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | Turn]:
        turns = self.turns or ("",)
        words = re.findall(r"\s*\S+|\s+$", turns[min(self.spoken, len(turns) - 1)])
        self.spoken += 1
        for count, word in enumerate(words):
            if count >= max_tokens or is_cancelled():
                yield Turn("".join(words[:count]), count, False)
                return
            if self.delay_s:
                time.sleep(self.delay_s)
            yield word
        yield Turn("".join(words), len(words), True)

    def fork(self, seed: int | None) -> ScriptedConversation:
        return dataclasses.replace(self)

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class ScriptedPolicy:
    """`turns` are texts in the wire format of `protocol`; `delay_s` is the pause before each word."""

    turns: tuple[str, ...] | None = None
    delay_s: float = 0.0
    name: str = "scripted"
    protocol: WireProtocol = studio  # type: ignore[assignment]

    def settings(self) -> Mapping[str, Any]:
        return {"delay_s": self.delay_s, "is_default_script": self.turns is None}

    def converse(self, pictures: Pictures, seed: int | None) -> ScriptedConversation:
        return ScriptedConversation(self.protocol, self.turns, self.delay_s, pictures=pictures)

    def speak(
        self, conversations: Sequence[ScriptedConversation], max_tokens: Sequence[int], is_cancelled: Callable[[], bool]
    ) -> list[Turn]:
        return one_after_another(conversations, max_tokens, is_cancelled)

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return tuple((448, 336) for _ in shown)
