"""The model at an address as a policy whose turns are awaited, and one attempt's messages to it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

import openai
from PIL import Image

from engine.errors import Unavailable
from engine.media import Pictures
from engine.operations import cut
from engine.policies.address import Address
from engine.policies.base import Recalled, Said, Told, Turn
from engine.policies.server.line import EXTRAS, client, data_url, extras, told
from engine.policies.server.reading import Reading
from engine.protocols import PicturePart, WireProtocol
from engine.protocols.budgets import PUBLISHED_BUDGETS, smart_resize
from engine.trace import View

__all__ = ["ServerConversation", "ServerPolicy", "next_or_none"]

_TRIES = 3
_LOOK_EVERY_S = 0.1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServerPolicy:
    """The model at `address`, asked in the wire format `protocol`. `takes` names what the server takes of `EXTRAS`; `key`
    is sent with each request and shown nowhere; `temperature` counts only where a seed asks for sampling."""

    address: Address
    protocol: WireProtocol
    protocol_reason: str = "it was asked for"
    key: str = field(default="", repr=False)
    takes: frozenset[str] = frozenset(EXTRAS)
    temperature: float = 1.0

    @property
    def name(self) -> str:
        return self.address.model.rpartition("/")[2]

    def settings(self) -> Mapping[str, Any]:
        return {
            "model": self.address.model,
            "server": self.address.url,
            "protocol": self.protocol.NAME,
            "protocol_reason": self.protocol_reason,
            "pixel_budgets": {role: dataclasses.asdict(budget) for role, budget in PUBLISHED_BUDGETS.items()},
            "temperature": self.temperature,
            "has_log_probabilities": "logprobs" in self.takes,
        }

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return tuple(
            smart_resize(_size(part.view, pictures), PUBLISHED_BUDGETS[part.role], self.factor) for part in shown
        )

    @property
    def factor(self) -> int:
        """Pixels of a visual token's side: sides are multiples of it."""
        return 32 if self.protocol.NAME == "qwen3-vl" else 28

    def converse(self, pictures: Pictures, seed: int | None) -> ServerConversation:
        return ServerConversation(self, pictures, seed)


def _size(view: View, pictures: Pictures) -> tuple[int, int]:
    left, top, right, bottom = view.box.to_pixels(pictures[view.sha256].picture(view.frame).size)
    return right - left, bottom - top


@dataclass(slots=True)
class ServerConversation:
    """One attempt's messages, as the server is sent them; each turn sends all of them again, and the server's own cache
    spares it the work."""

    policy: ServerPolicy
    pictures: Pictures
    seed: int | None
    messages: list[dict[str, Any]] = field(default_factory=list)

    def add(self, said: Sequence[Said]) -> None:
        for one in said:
            if isinstance(one, Recalled):
                self.messages.append({"role": "assistant", "content": one.text})
                continue
            if one.system is not None:
                self.messages.append({"role": "system", "content": one.system})
            self.messages.append({"role": "user", "content": self._content(one)})

    def _content(self, turn: Told) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = []
        for part in turn.parts:
            if isinstance(part, PicturePart):
                (size,) = self.policy.shown_sizes([part], self.pictures)
                picture = cut(part.view, self.pictures)
                url = data_url(picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC))
                content.append({"type": "image_url", "image_url": {"url": url}})
            else:
                content.append({"type": "text", "text": part.text})
        return content

    async def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> AsyncGenerator[str | Turn, None]:
        shown, reading = 0, Reading(self.policy.protocol.CALL_END)
        for tried in range(1, _TRIES + 1):
            reading = Reading(self.policy.protocol.CALL_END)
            try:
                async with aclosing(self._chunks(max_tokens, is_cancelled)) as chunks:
                    async for chunk in chunks:
                        reading.take(chunk)
                        if len(reading.text) > shown:  # where a turn is asked for again, what was said stays said
                            yield reading.text[shown:]
                            shown = len(reading.text)
                        if reading.is_over:
                            break
            except (openai.OpenAIError, json.JSONDecodeError) as error:
                if tried == _TRIES or isinstance(error, openai.APIStatusError):
                    raise told(error, self.policy.address, self.policy.key) from error
                continue
            if reading.is_ended or is_cancelled():
                break
        else:
            raise Unavailable(
                f"the server at {self.policy.address.url} broke off its answer {_TRIES} times; ask again later"
            )
        turn = reading.turn()
        self.messages.append({"role": "assistant", "content": turn.text})
        yield turn

    async def _chunks(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> AsyncGenerator[Any, None]:
        """What the server sends of one turn, as it comes; ends at once where it is cancelled."""
        policy = self.policy
        asked_for = extras(policy.takes)
        if "stop" in asked_for:
            asked_for["stop"] = [policy.protocol.CALL_END]
        if self.seed is None:
            asked_for.pop("seed", None)
        elif "seed" in asked_for:
            asked_for["seed"] = self.seed % 2**31
        async with client(policy.address, policy.key) as server:
            asked = server.chat.completions.create(
                model=policy.address.model,
                messages=self.messages,  # type: ignore[arg-type]
                max_tokens=max_tokens,
                temperature=0.0 if self.seed is None else policy.temperature,
                stream=True,
                **asked_for,
            )
            stream: Any = await _unless(asked, is_cancelled)
            if stream is None:
                return
            try:
                chunks = stream.__aiter__()
                while (chunk := await _unless(next_or_none(chunks), is_cancelled)) is not None:
                    yield chunk
            finally:
                await stream.close()

    async def close(self) -> None:
        """Nothing is held between turns."""


async def next_or_none(chunks: AsyncIterator[T]) -> T | None:
    return await anext(chunks, None)


async def _unless(work: Coroutine[Any, Any, T], is_cancelled: Callable[[], bool]) -> T | None:
    """What comes of `work`, or None as soon as it is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            if is_cancelled():
                return None
            await asyncio.wait([task], timeout=_LOOK_EVERY_S)
        return task.result()
    finally:
        task.cancel()
