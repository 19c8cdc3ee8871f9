"""Rollouts: traces sampled for training, by THE loop, with the tokens that were said and what they were given.

    ids        [n]     the whole conversation; the first `prompt_tokens` are system, pictures and question
    sampled    [n]     True where the model said the token itself: what carries loss. Never an observation, a question, or
                       an end of turn that we said for it
    log_probs  [n]     log softmax(logits / temperature) of the sampled tokens as they were sampled, 0 elsewhere

Pictures are not kept: the first `shown` views of the trace are cut again when they are needed
(`engine.training.rollout_batch`), so that many rollouts fit into memory and into a checkpoint.

Algorithm: the environment is `engine.reasoning.reason` over our own operations, so that a rollout, an answer on the screen
and an evaluation are the same thing; `engine.drivers.together` lets them speak in one batch, and the G rollouts of a prompt
share what its pictures cost.

Not covered: rewards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from engine.backbone.loading import Backbone
from engine.drivers.together import Prompt, run_together
from engine.errors import StudioError
from engine.policies.base import never
from engine.policies.local import LocalConversation, LocalPolicy
from engine.policies.vllm import Generating, ServedPolicy
from engine.reasoning import Limits
from engine.trace import Trace, first_views

__all__ = ["Rollout", "RolloutsStopped", "as_rollout", "roll_out", "taught_at"]

_MOST_ROWS = 64


class RolloutsStopped(StudioError):
    """Rolling out was cancelled; nothing of it is used."""


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


def roll_out(
    backbone: Backbone,
    prompts: Sequence[Prompt],
    limits: Limits,
    *,
    temperature: float = 1.0,
    is_cancelled: Callable[[], bool] = never,
    most_rows: int = _MOST_ROWS,
    server: Generating | None = None,
) -> list[list[Rollout]]:
    """The rollouts of each prompt, in the order of its seeds, by whichever adapter answers on `backbone` (see
    `engine.training.candidate`), or by `server`, which has the same weights. At most `most_rows` speak at once.

    Raises RolloutsStopped where `is_cancelled` became true, and whatever the pixels raise.
    """
    found: dict[tuple[int, int], Rollout] = {}
    here = LocalPolicy(backbone, temperature)
    policy = here if server is None else ServedPolicy(backbone, temperature, server=server)
    for ended in run_together(policy, prompts, limits, at_once=most_rows, is_cancelled=is_cancelled):
        if ended.finished.trace.stop_reason == "cancelled" or is_cancelled():
            raise RolloutsStopped("rolling out was stopped")
        assert isinstance(ended.conversation, LocalConversation)  # the policy's own
        found[ended.prompt, ended.rollout] = as_rollout(ended.finished.trace, ended.conversation)
    return [[found[k, rollout] for rollout in range(len(prompt.seeds))] for k, prompt in enumerate(prompts)]


def as_rollout(trace: Trace, conversation: LocalConversation) -> Rollout:
    """An attempt and the conversation that it was made in, which is still open."""
    session = conversation.session
    sampled = torch.zeros(session.ids.shape[1], dtype=torch.bool)
    log_probs = torch.zeros(session.ids.shape[1])
    sampled[session.sampled_at] = True
    log_probs[session.sampled_at] = torch.tensor(session.sampled_log_probs)
    return Rollout(
        trace, conversation.opening_tokens, session.network_ids[0], sampled, log_probs, conversation.views_shown
    )


def taught_at(rollout: Rollout, places: Sequence[bool]) -> Rollout:
    """With loss on some of what was said after the opening alone, and cut behind the last of them, since nothing depends on
    what follows: pictures that were shown later are not shown."""
    opening = rollout.prompt_tokens
    taught = rollout.sampled.clone()
    taught[opening:] &= torch.tensor(places)
    end = max([opening, *taught.nonzero().flatten().tolist()]) + 1
    said = rollout.sampled[:end].int()
    turns = int((said.diff(prepend=said.new_zeros(1)) == 1).sum())
    looked_at = [step.observation for step in rollout.trace.steps[: turns - 1] if step.observation is not None]
    shown = len(first_views(rollout.trace.media)) + sum(len(one.views) for one in looked_at)
    return replace(
        rollout,
        ids=rollout.ids[:end],
        sampled=taught[:end],
        log_probs=rollout.log_probs[:end].where(taught[:end], 0.0),
        shown=shown,
    )
