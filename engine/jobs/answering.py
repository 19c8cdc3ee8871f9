"""Who answers in a job of attempts: chosen when it is planned, the same whenever it is run.

The idea: a job remembers in plain JSON who was to answer, with the adapter by its id, and refuses to go on with anyone else.
The adapter that is named then answers beside what answers on the screen (`engine.backbone.adapters.Beside`), so that neither
changes when somebody promotes another one.

    StudioPolicy    the one policy that this process has: a script, or a server
    (adapters of a backbone: `engine.jobs.adapter_answering`, which needs torch)

Invariant: importing this needs no torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from engine.errors import InvalidInput, Unavailable
from engine.policies.base import AsyncPolicy, Policy

__all__ = ["BARE", "LIVE", "LIVE_WORDS", "Answerer", "Answering", "StudioPolicy", "at_temperature"]

LIVE, BARE = "live", "base"
"""Beside an adapter's id: the one that answers now, and none."""
LIVE_WORDS = "What answers now"

P = TypeVar("P", bound="Policy | AsyncPolicy")


@dataclass(frozen=True, slots=True)
class Answerer:
    """`policy` answers; `learned_from` are the sha256 of media that it was trained on here, which cannot examine it."""

    policy: Policy | AsyncPolicy
    learned_from: frozenset[str] = frozenset()


class Answering(Protocol):
    """Those who can answer in this process."""

    def choices(self) -> list[tuple[str, str]]:
        """(what `choose` takes, words for people) of all who can answer here, LIVE first."""

    def choose(self, adapter: str) -> dict[str, Any]:
        """What a job remembers of who is to answer, in plain JSON with a "name": LIVE, BARE, or an adapter's id or name.
        Raises InvalidInput, NotFound, and Unavailable where it cannot answer here."""

    def open(
        self, chosen: Mapping[str, Any], temperature: float | None, *, is_long: bool = True
    ) -> AbstractContextManager[Answerer]:
        """Who was chosen; a `temperature` counts where a seed asks for sampling, and work that `is_long` is worth some
        preparing. Raises Unavailable where this process cannot be the same."""


def at_temperature(policy: P, temperature: float | None) -> P:
    """The policy as it samples at a temperature, where it has one."""
    if temperature is None or not hasattr(policy, "temperature"):
        return policy
    return dataclasses.replace(policy, temperature=temperature)  # type: ignore[type-var]


@dataclass(frozen=True, slots=True)
class StudioPolicy:
    """The policy that answers on the screen, `policy()`, where it has no adapters to choose from."""

    policy: Callable[[], Policy | AsyncPolicy]

    def choices(self) -> list[tuple[str, str]]:
        return [(LIVE, LIVE_WORDS)]

    def choose(self, adapter: str) -> dict[str, Any]:
        if adapter not in (LIVE, BARE):
            raise InvalidInput(f"{self.policy().name} has no adapters to choose from, so {adapter!r} cannot answer")
        return {"name": self.policy().name}

    @contextmanager
    def open(self, chosen: Mapping[str, Any], temperature: float | None, *, is_long: bool = True) -> Iterator[Answerer]:
        policy = self.policy()
        if policy.name != chosen["name"]:
            raise Unavailable(
                f"this job was queued for {chosen['name']}, and {policy.name} answers here; start a new job"
            )
        yield Answerer(at_temperature(policy, temperature))
