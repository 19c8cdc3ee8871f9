"""A model behind an OpenAI-compatible API (vLLM, SGLang, llama.cpp, `transformers serve`, a service) as the policy.

    STUDIO_MODEL=openai:http://host:8000/v1#MODEL        the key, where one is needed, in OPENAI_API_KEY

The idea: the wire format stays the protocol's. Turns are sent as they are told: pictures as data URLs, resized to the size
that the model will see within the budget of their role, the model's own text word for word, and what an operation brought
in a user turn, since results of tools carry text only in that API. A server that reads calls by itself (`tool_calls`) is
read, too: such a call is written as the protocol's text, and the loop goes on as ever.

    ServerPolicy            awaited: many conversations on the wire at once (`engine.drivers.asynchronous`)
    BlockingServerPolicy    the same for who waits: the screen (`engine.drivers.streaming`)

Requests are tried again with growing pauses by the `openai` client (429, 5xx, no connection); a turn that was cut off on
its way is asked for again, `_TRIES` times in all. Log-probabilities, seeds and counts of tokens are asked for where the
server takes such a request, which is tried once when it is opened.

Invariants: the key comes from the environment and is in no trace, setting or message; no address with a password is taken.
Needs no torch. Not covered: training, which happens where the weights are.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import io
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from engine.protocols import PicturePart, WireProtocol, choose_protocol, protocol_named
from engine.protocols.budgets import PUBLISHED_BUDGETS, smart_resize
from engine.protocols.calls import written_call
from engine.trace import View

__all__ = ["BlockingServerPolicy", "ServerConversation", "ServerPolicy", "open_server"]

_TRIES = 3
_RETRIES = 5
_CONNECT_S, _READ_S = 5.0, 120.0
_LOOK_EVERY_S = 0.1
_EXTRAS: Mapping[str, Mapping[str, Any]] = {
    "stream_options": {"stream_options": {"include_usage": True}},
    "logprobs": {"logprobs": True},
    "seed": {"seed": 0},
    "stop": {"stop": ["</tool_call>"]},
}
"""What not every server takes, by the name under which it is remembered."""

_MODEL_TYPES = (
    (re.compile(r"qwen[-_.]?3([-_.]5|[-_.]?vl)", re.IGNORECASE), "qwen3_vl"),
    (re.compile(r"qwen[-_.]?2[-_.]5[-_.]?vl", re.IGNORECASE), "qwen2_5_vl"),
)
"""A server tells no configuration; the names of these families hold their model_type."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServerPolicy:
    """The model at `address`, asked in the wire format `protocol`. `takes` names what the server takes of `_EXTRAS`; `key`
    is sent with each request and shown nowhere; `temperature` counts only where a seed asks for sampling."""

    address: Address
    protocol: WireProtocol
    protocol_reason: str = "it was asked for"
    key: str = field(default="", repr=False)
    takes: frozenset[str] = frozenset(_EXTRAS)
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

    def _content(self, told: Told) -> list[dict[str, Any]]:
        content: list[dict[str, Any]] = []
        for part in told.parts:
            if isinstance(part, PicturePart):
                (size,) = self.policy.shown_sizes([part], self.pictures)
                picture = cut(part.view, self.pictures)
                url = _data_url(picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC))
                content.append({"type": "image_url", "image_url": {"url": url}})
            else:
                content.append({"type": "text", "text": part.text})
        return content

    async def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> AsyncGenerator[str | Turn, None]:
        shown, reading = 0, _Reading(self.policy.protocol.CALL_END)
        for tried in range(1, _TRIES + 1):
            reading = _Reading(self.policy.protocol.CALL_END)
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
                    raise _told(error, self.policy) from error
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
        extras = _extras(policy.takes)
        if "stop" in extras:
            extras["stop"] = [policy.protocol.CALL_END]
        if self.seed is None:
            extras.pop("seed", None)
        elif "seed" in extras:
            extras["seed"] = self.seed % 2**31
        async with _client(policy.address, policy.key) as client:
            asked = client.chat.completions.create(
                model=policy.address.model,
                messages=self.messages,  # type: ignore[arg-type]
                max_tokens=max_tokens,
                temperature=0.0 if self.seed is None else policy.temperature,
                stream=True,
                **extras,
            )
            stream: Any = await _unless(asked, is_cancelled)
            if stream is None:
                return
            try:
                chunks = stream.__aiter__()
                while (chunk := await _unless(_next(chunks), is_cancelled)) is not None:
                    yield chunk
            finally:
                await stream.close()

    async def close(self) -> None:
        """Nothing is held between turns."""


async def _next(chunks: AsyncIterator[T]) -> T | None:
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


class _Reading:
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


@dataclass(frozen=True, slots=True)
class BlockingServerPolicy:
    """`awaited` for who waits for its turns; each conversation runs its own loop of events."""

    awaited: ServerPolicy

    @property
    def name(self) -> str:
        return self.awaited.name

    @property
    def protocol(self) -> WireProtocol:
        return self.awaited.protocol

    def settings(self) -> Mapping[str, Any]:
        return self.awaited.settings()

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return self.awaited.shown_sizes(shown, pictures)

    def converse(self, pictures: Pictures, seed: int | None) -> _BlockingConversation:
        return _BlockingConversation(self.awaited.converse(pictures, seed))

    def speak(
        self,
        conversations: Sequence[_BlockingConversation],
        max_tokens: Sequence[int],
        is_cancelled: Callable[[], bool],
    ) -> list[Turn]:
        """All of them on the wire at once."""

        async def speak_all() -> list[Turn]:
            turns = [
                _turn(one.awaited, most, is_cancelled) for one, most in zip(conversations, max_tokens, strict=True)
            ]
            return list(await asyncio.gather(*turns))

        return _beside(lambda: asyncio.run(speak_all()))


@dataclass(slots=True)
class _BlockingConversation:
    awaited: ServerConversation

    def add(self, said: Sequence[Said]) -> None:
        self.awaited.add(said)

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | Turn]:
        with ThreadPoolExecutor(1) as thread, asyncio.Runner() as runner:
            pieces = self.awaited.generate(max_tokens, is_cancelled)
            try:
                while (piece := thread.submit(runner.run, _next(pieces)).result()) is not None:
                    yield piece
            finally:
                thread.submit(runner.run, pieces.aclose()).result()
                thread.submit(runner.close).result()

    def fork(self, seed: int | None) -> _BlockingConversation:
        return _BlockingConversation(dataclasses.replace(self.awaited, seed=seed, messages=list(self.awaited.messages)))

    def close(self) -> None:
        """Nothing is held between turns."""


def _beside(work: Callable[[], T]) -> T:
    """What `work` returns, done in a thread of its own: a notebook's loop of events may run in the caller's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


async def _turn(conversation: ServerConversation, max_tokens: int, is_cancelled: Callable[[], bool]) -> Turn:
    async for piece in conversation.generate(max_tokens, is_cancelled):
        if isinstance(piece, Turn):
            return piece
    raise AssertionError("a conversation ends with its turn")


def open_server(address: Address, protocol: str = "auto", key: str = "") -> ServerPolicy:
    """The policy at `address`, after a look whether the server is there, knows the model and takes what we would ask for.
    Raises Unavailable, and InvalidSetting where nothing tells the wire format."""
    if protocol == "auto":
        model_type = next((kind for pattern, kind in _MODEL_TYPES if pattern.search(address.model)), "")
        choice = choose_protocol(address.model, {"model_type": model_type} if model_type else {})
        policy = ServerPolicy(address, protocol_named(choice.protocol), choice.reason, key)
    else:
        policy = ServerPolicy(address, protocol_named(protocol), key=key)
    return dataclasses.replace(policy, takes=_beside(lambda: asyncio.run(_look(policy))))


async def _look(policy: ServerPolicy) -> frozenset[str]:
    """Which of `_EXTRAS` the server takes: those with which it says one word."""
    async with _client(policy.address, policy.key, retries=1) as client:
        try:
            known = [model.id async for model in client.models.list()]
        except openai.NotFoundError:
            known = []  # a server that serves one model need not list it
        except (openai.OpenAIError, json.JSONDecodeError) as error:
            raise _told(error, policy) from error
        if known and policy.address.model not in known:
            raise Unavailable(
                f"the server at {policy.address.url} has no model {policy.address.model!r}; it has: {', '.join(known[:8])}"
            )
        for takes in (frozenset(_EXTRAS), *(frozenset(_EXTRAS) - {name} for name in _EXTRAS), frozenset[str]()):
            extras = _extras(takes)
            try:
                stream = await client.chat.completions.create(
                    model=policy.address.model,
                    messages=[{"role": "user", "content": "Say: yes"}],
                    max_tokens=1,
                    stream=True,
                    **extras,
                )
                has_told = False
                async for chunk in stream:
                    has_told |= any(choice.logprobs is not None for choice in chunk.choices)
            except (openai.OpenAIError, json.JSONDecodeError) as error:
                if not takes or not _may_be_about_extras(error):
                    raise _told(error, policy) from error
            else:
                return takes if has_told else takes - {"logprobs"}  # not every server says what it ignores
    raise AssertionError("the last try returns or raises")


def _extras(takes: Iterable[str]) -> dict[str, Any]:
    return {key: value for name in takes for key, value in _EXTRAS[name].items()}


def _may_be_about_extras(error: Exception) -> bool:
    """A refusal of what was asked for, or an answer that broke while it was given: `transformers serve` breaks at stop
    strings."""
    return type(error) in (openai.BadRequestError, openai.UnprocessableEntityError, openai.APIError)


def _client(address: Address, key: str, retries: int = _RETRIES) -> openai.AsyncOpenAI:
    timeout = openai.Timeout(_READ_S, connect=_CONNECT_S)
    return openai.AsyncOpenAI(base_url=address.url, api_key=key or "none", timeout=timeout, max_retries=retries)


def _data_url(picture: Image.Image) -> str:
    """As PNG, so that the server sees what the studio shows, to the pixel."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _told(error: Exception, policy: ServerPolicy) -> Unavailable:
    """What the server's failure is to a person."""
    where = f"the server at {policy.address.url}"
    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return Unavailable(f"{where} does not take the key; set OPENAI_API_KEY to one that it knows")
        case openai.NotFoundError():
            return Unavailable(
                f"{where} has no model {policy.address.model!r}, or no chat completions below that address"
            )
        case openai.APITimeoutError():
            return Unavailable(f"{where} said nothing for {_READ_S:.0f} s; ask again, or look at its log")
        case openai.RateLimitError():
            return Unavailable(f"{where} is asked too much ({_RETRIES + 1} tries); ask again later")
        case openai.APIStatusError():
            return Unavailable(f"{where} refused with {error.status_code}: {_short(error.message, policy)}")
        case openai.APIConnectionError():
            return Unavailable(f"{where} cannot be reached, or broke off; see that it runs, and the address")
        case _:
            return Unavailable(f"{where} did not answer as an OpenAI-compatible server does ({type(error).__name__})")


def _short(text: str, policy: ServerPolicy) -> str:
    line = text.strip().partition("\n")[0][:200]
    return line.replace(policy.key, "...") if policy.key else line
