"""Opening a server: is it there, does it know the model, in which wire format is that asked, and what does it take?"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re

import openai

from engine.errors import Unavailable
from engine.policies.address import Address
from engine.policies.server.blocking import beside
from engine.policies.server.line import EXTRAS, client, extras, told
from engine.policies.server.policy import ServerPolicy
from engine.protocols import choose_protocol, protocol_named

__all__ = ["open_server"]

_MODEL_TYPES = (
    (re.compile(r"qwen[-_.]?3([-_.]5|[-_.]?vl)", re.IGNORECASE), "qwen3_vl"),
    (re.compile(r"qwen[-_.]?2[-_.]5[-_.]?vl", re.IGNORECASE), "qwen2_5_vl"),
)
"""A server tells no configuration; the names of these families hold their model_type."""


def open_server(address: Address, protocol: str = "auto", key: str = "") -> ServerPolicy:
    """The policy at `address`, after a look whether the server is there, knows the model and takes what we would ask for.
    Raises Unavailable, and InvalidSetting where nothing tells the wire format."""
    if protocol == "auto":
        model_type = next((kind for pattern, kind in _MODEL_TYPES if pattern.search(address.model)), "")
        choice = choose_protocol(address.model, {"model_type": model_type} if model_type else {})
        policy = ServerPolicy(address, protocol_named(choice.protocol), choice.reason, key)
    else:
        policy = ServerPolicy(address, protocol_named(protocol), key=key)
    return dataclasses.replace(policy, takes=beside(lambda: asyncio.run(_look(policy))))


async def _look(policy: ServerPolicy) -> frozenset[str]:
    """Which of `EXTRAS` the server takes: those with which it says one word."""
    async with client(policy.address, policy.key, retries=1) as server:
        try:
            known = [model.id async for model in server.models.list()]
        except openai.NotFoundError:
            known = []  # a server that serves one model need not list it
        except (openai.OpenAIError, json.JSONDecodeError) as error:
            raise told(error, policy.address, policy.key) from error
        if known and policy.address.model not in known:
            raise Unavailable(
                f"the server at {policy.address.url} has no model {policy.address.model!r}; it has: {', '.join(known[:8])}"
            )
        for takes in (frozenset(EXTRAS), *(frozenset(EXTRAS) - {name} for name in EXTRAS), frozenset[str]()):
            asked_for = extras(takes)
            try:
                stream = await server.chat.completions.create(
                    model=policy.address.model,
                    messages=[{"role": "user", "content": "Say: yes"}],
                    max_tokens=1,
                    stream=True,
                    **asked_for,
                )
                has_told = False
                async for chunk in stream:
                    has_told |= any(choice.logprobs is not None for choice in chunk.choices)
            except (openai.OpenAIError, json.JSONDecodeError) as error:
                if not takes or not _may_be_about_extras(error):
                    raise told(error, policy.address, policy.key) from error
            else:
                return takes if has_told else takes - {"logprobs"}  # not every server says what it ignores
    raise AssertionError("the last try returns or raises")


def _may_be_about_extras(error: Exception) -> bool:
    """A refusal of what was asked for, or an answer that broke while it was given: `transformers serve` breaks at stop
    strings."""
    return type(error) in (openai.BadRequestError, openai.UnprocessableEntityError, openai.APIError)
