"""Rollouts: traces sampled for training, by THE loop, with the tokens that were said and what they were given.

    ids        [n]     the whole conversation; the first `prompt_tokens` are system, pictures and question
    sampled    [n]     True where the model said the token itself: what carries loss. Never an observation, a question, or
                       an end of turn that we said for it
    log_probs  [n]     log softmax(logits / temperature) of the sampled tokens as they were sampled, 0 elsewhere

Pictures are not kept: the first `shown` views of the trace are cut again when they are needed
(`engine.training.rollout_batch`), so that many rollouts fit into memory and into a checkpoint.

Algorithm: the environment is `engine.reasoning.reason` over our own operations, so that a rollout, an answer on the screen
and an evaluation are the same thing. Each attempt is a generator; where its model should speak it waits, and once all
wait, all speak together in one batch (`engine.backbone.together`). The G rollouts of a prompt fork one prefilled session,
so its pictures are encoded once.

Invariants: a rollout depends on its seed, its example and the weights alone, not on what it was batched with, but for
rounding; the lease is held for one turn of a batch at a time. Not covered: rewards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import torch

from engine.backbone.loading import Backbone
from engine.backbone.session import Session
from engine.backbone.together import generate_together
from engine.errors import StudioError
from engine.media import Pictures
from engine.policies.base import Turn
from engine.policies.local import LocalConversation
from engine.protocols import Part, WireProtocol, protocol_named
from engine.reasoning import Finished, Limits, reason
from engine.trace import Example, Trace

__all__ = ["Prompt", "Rollout", "RolloutsStopped", "roll_out"]

_MOST_ROWS = 64


class RolloutsStopped(StudioError):
    """Rolling out was cancelled; nothing of it is used."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """An example to roll out, once for each of `seeds`; a seed of None is greedy, as in evaluation. Without
    `is_operating` it is to be answered from the first views."""

    example: Example
    pictures: Pictures
    seeds: tuple[int | None, ...]
    is_operating: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """One attempt; shapes in the module docstring, tensors on the CPU."""

    trace: Trace
    prompt_tokens: int
    ids: torch.Tensor
    sampled: torch.Tensor
    log_probs: torch.Tensor
    shown: int

    @property
    def said_tokens(self) -> int:
        return int(self.sampled.sum())


@dataclass(slots=True)
class _Attempt(LocalConversation):
    """A conversation whose turns come from outside: it waits where its model should speak."""

    trunk: _Trunk | None = None
    seed: int | None = None
    prompt_tokens: int = 0
    wanted_tokens: int | None = None
    recorded: tuple[torch.Tensor, torch.Tensor, torch.Tensor, int] | None = None

    def append(self, parts: Sequence[Part], *, system: str | None = None) -> None:
        if self.trunk is None:
            LocalConversation.append(self, parts, system=system)
            return
        trunk, self.trunk = self.trunk, None
        self.session = trunk.opened(parts, system).fork(self.seed)
        self.prompt_tokens = self.session.ids.shape[1]

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str]:
        self.wanted_tokens = max_tokens
        while self.wanted_tokens is not None:
            yield ""  # back to `roll_out`, until it has let us speak
        yield self.session.turn_text
        self.last_turn = Turn(self.session.turn_tokens, self.session.turn_is_complete)

    def close(self) -> None:
        session = self.session
        sampled = torch.zeros(session.ids.shape[1], dtype=torch.bool)
        log_probs = torch.zeros(session.ids.shape[1])
        sampled[session.sampled_at] = True
        log_probs[session.sampled_at] = torch.tensor(session.sampled_log_probs)
        self.recorded = (session.ids[0], sampled, log_probs, len(session.grids))
        LocalConversation.close(self)


@dataclass(slots=True)
class _Trunk:
    """What the rollouts of one prompt share: the session with the opening, prefilled."""

    backbone: Backbone
    temperature: float
    pictures: Pictures
    session: Session | None = None

    def opened(self, parts: Sequence[Part], system: str | None) -> Session:
        if self.session is None:
            self.session = Session(self.backbone, None, self.temperature)
            LocalConversation(self.session, self.pictures).append(parts, system=system)
            with self.backbone.lease.held(), self.backbone.adapters.answering():
                self.session.prefill()
        return self.session


@dataclass(slots=True)
class _Sampling:
    """The policy of one prompt's rollouts."""

    trunk: _Trunk
    attempts: list[_Attempt] = field(default_factory=list)

    @property
    def name(self) -> str:
        live = self.trunk.backbone.adapters.live_name
        return self.trunk.backbone.name if live is None else f"{self.trunk.backbone.name}+{live}"

    @property
    def protocol(self) -> WireProtocol:
        return protocol_named(self.trunk.backbone.protocol_name)

    def settings(self) -> Mapping[str, Any]:
        return {"temperature": self.trunk.temperature}

    def converse(self, pictures: Pictures, seed: int | None) -> _Attempt:
        attempt = _Attempt(Session(self.trunk.backbone), pictures, trunk=self.trunk, seed=seed)
        self.attempts.append(attempt)
        return attempt


def roll_out(
    backbone: Backbone,
    prompts: Sequence[Prompt],
    limits: Limits,
    *,
    temperature: float = 1.0,
    is_cancelled: Callable[[], bool] = lambda: False,
    most_rows: int = _MOST_ROWS,
) -> list[list[Rollout]]:
    """The rollouts of each prompt, in the order of its seeds, by whichever adapter answers on `backbone` (see
    `engine.training.candidate`). At most `most_rows` speak at once.

    Raises RolloutsStopped where `is_cancelled` became true, and whatever the pixels raise.
    """
    running: list[tuple[_Attempt, Iterator[Any]]] = []
    order: list[list[_Attempt]] = []
    traces: dict[int, Trace] = {}
    try:
        for prompt in prompts:
            policy = _Sampling(_Trunk(backbone, temperature, prompt.pictures))
            order.append([])
            for seed in prompt.seeds:
                events = reason(
                    policy,
                    prompt.example,
                    prompt.pictures,
                    limits,
                    is_operating=prompt.is_operating,
                    is_cancelled=is_cancelled,
                    seed=seed,
                )
                next(events)  # Opened: the conversation is there
                order[-1].append(policy.attempts[-1])
                running.append((policy.attempts[-1], events))
        while running:
            running = [one for one in running if _until_it_waits(*one, traces)]
            for start in range(0, len(running), most_rows):
                waiting = [attempt for attempt, _ in running[start : start + most_rows]]
                _speak(backbone, waiting, is_cancelled)
            if is_cancelled():
                raise RolloutsStopped("rolling out was stopped")
    finally:
        for _, events in running:
            with closing(events):  # type: ignore[type-var]
                pass
    return [[_rollout(attempt, traces[id(attempt)]) for attempt in group] for group in order]


def _until_it_waits(attempt: _Attempt, events: Iterator[Any], traces: dict[int, Trace]) -> bool:
    """Go on with an attempt until its model should speak; False where it has finished."""
    for event in events:
        if attempt.wanted_tokens is not None:
            return True
        if isinstance(event, Finished):
            traces[id(attempt)] = event.trace
    return False


def _speak(backbone: Backbone, waiting: Sequence[_Attempt], is_cancelled: Callable[[], bool]) -> None:
    with backbone.lease.held(), backbone.adapters.answering():
        sessions, most = [attempt.session for attempt in waiting], [attempt.wanted_tokens or 1 for attempt in waiting]
        generate_together(sessions, most, is_cancelled)
    for attempt in waiting:
        attempt.wanted_tokens = None


def _rollout(attempt: _Attempt, trace: Trace) -> Rollout:
    assert attempt.recorded is not None  # the loop closes its conversation
    ids, sampled, log_probs, shown = attempt.recorded
    return Rollout(trace, attempt.prompt_tokens, ids, sampled, log_probs, shown)
