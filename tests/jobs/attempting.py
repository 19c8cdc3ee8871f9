"""A policy without weights whose answers follow from its seeds, and examples of its own, for the jobs of attempts."""

from __future__ import annotations

import io
import json
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from engine.jobs.answering import StudioPolicy
from engine.jobs.asking import Services
from engine.media import MediaFolder, Pictures
from engine.policies.base import Said, Turn
from engine.policies.scripted import ScriptedConversation, ScriptedPolicy
from engine.protocols import studio
from engine.reasoning import Limits
from engine.store import Store
from engine.trace import Box, Step, ZoomIn

__all__ = ["AwaitedPolicy", "GuessingPolicy", "examples_file", "services_of", "what_was_made"]

WORDS = ("red", "green")


@dataclass(frozen=True, slots=True)
class GuessingPolicy(ScriptedPolicy):
    """Looks once, and answers "red" or "green" as its seed says ("red" greedily). `asked` are the seeds that were asked
    for; at seed number `fatal` (from 1) `die()` is called."""

    name: str = "guessing"
    asked: list[int | None] = field(default_factory=list)
    fatal: int = 0
    die: Callable[[], None] = lambda: None

    def converse(self, pictures: Pictures, seed: int | None) -> ScriptedConversation:
        if seed is not None:
            self.tell(seed)
        return _Guess(studio, self._turns(seed), 0.0, pictures=pictures, policy=self)

    def _turns(self, seed: int | None) -> tuple[str, ...]:
        word = WORDS[0] if seed is None else random.Random(seed).choice(WORDS)
        steps = (Step("Look.", ZoomIn(1, Box(0.2, 0.2, 0.6, 0.6))), Step(f"It is {word}.", answer=word))
        return tuple(studio.render(step, (), ()) for step in steps)

    def tell(self, seed: int | None) -> None:
        self.asked.append(seed)
        if self.fatal == len(self.asked):
            self.die()


@dataclass(slots=True)
class _Guess(ScriptedConversation):
    policy: GuessingPolicy = field(default_factory=GuessingPolicy)

    def fork(self, seed: int | None) -> ScriptedConversation:
        self.policy.tell(seed)
        return ScriptedConversation(studio, self.policy._turns(seed), 0.0, pictures=self.pictures)


class AwaitedPolicy:
    """The same words, awaited."""

    def __init__(self) -> None:
        self.name, self.protocol = "awaited", studio
        self.guessing = GuessingPolicy()

    def settings(self):
        return {}

    def shown_sizes(self, shown, pictures):
        return self.guessing.shown_sizes(shown, pictures)

    def converse(self, pictures: Pictures, seed: int | None):
        return _Awaited(self.guessing.converse(pictures, seed))


@dataclass
class _Awaited:
    conversation: ScriptedConversation

    def add(self, said: Sequence[Said]) -> None:
        self.conversation.add(said)

    async def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> AsyncIterator[str | Turn]:
        for piece in self.conversation.generate(max_tokens, is_cancelled):
            yield piece

    async def close(self) -> None:
        """Nothing is held."""


def examples_file(folder: Path, count: int, answer: str | None = "red", **more: object) -> Path:
    """An EXAMPLES.jsonl with `count` questions, each about a picture of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(count):
        data = io.BytesIO()
        Image.new("RGB", (64, 48), (number, 40, 90)).save(data, "PNG")
        (folder / f"{number}.png").write_bytes(data.getvalue())
        lines.append({"question": f"Which colour, {number}?", "media": f"{number}.png", "answer": answer, **more})
    path = folder / "EXAMPLES.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def services_of(store: Store, folder: Path, policy: object) -> Services:
    media = MediaFolder(folder / "artifacts" / "media")
    return Services(store, media, StudioPolicy(lambda: policy), Limits())  # type: ignore[arg-type, return-value]


def what_was_made(store: Store, job_id: str) -> list[tuple[int, int, str | None]]:
    """(position, number, answer) of every attempt that is kept as a trace."""
    return [
        (one.position, one.number, store.revisions.head(one.trace_id).trace.answer)
        for one in store.attempts.of(job_id)
        if one.trace_id is not None
    ]
