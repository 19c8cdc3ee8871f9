"""RL runs on the random-weight backbone: the least settings, a reward that is easy to follow, and what a step computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from engine.policies.base import never
from engine.training.grpo_config import GrpoConfig
from engine.training.rewards import Reward

if TYPE_CHECKING:
    import torch

    from engine.training.leased_grpo import LeasedGrpoTrainer

CONFIG = GrpoConfig(
    steps=3,
    queries_a_step=2,
    rollouts=4,
    micro_batch_size=4,
    learning_rate=5e-3,
    warmup_share=0,
    max_turns=2,
    max_tokens=100,
    max_turn_tokens=70,
    rank=4,
    alpha=8,
    replay_groups=4,
    averaged_share=0.5,
    checkpoint_every=100,
    seed=4,
)


def operating_is_right(traces, example) -> list[Reward]:
    return [Reward(float(trace.has_operation), 0.0, 0.0) for trace in traces]


def train_only(backbone, examples, load_pictures, folder, config=CONFIG, *, resume=False, between=None, **options):
    """(result, numbers by step); the adapter is still on the backbone."""
    from engine.training.grpo import run_grpo

    seen: list[dict] = []

    def on_metric(step, total, numbers):
        seen.append(dict(numbers))
        if between is not None:
            between(step)

    options = {"should_stop": never, "reward": operating_is_right} | options
    result = run_grpo(
        backbone,
        examples,
        config,
        load_pictures=load_pictures,
        on_metric=on_metric,
        checkpoint_dir=folder,
        resume=resume,
        **options,
    )
    return result, seen


def train(backbone, *arguments, **options):
    """(result, numbers by step, weights of the adapter); the adapter is dropped again."""
    result, seen = train_only(backbone, *arguments, **options)
    with backbone.lease.held():
        weights = {name: value.clone() for name, value in backbone.adapters.training_state().items()}
        backbone.adapters.drop_training()
    return result, seen, weights


def steady(seen: list[dict]) -> list[dict]:
    """Without what depends on the clock."""
    return [{k: v for k, v in numbers.items() if not k.endswith("seconds")} for numbers in seen]


def losses(
    backbone,
    examples,
    load_pictures,
    folder,
    config: GrpoConfig,
    change: Callable[[LeasedGrpoTrainer], None] | None = None,
    **options,
) -> tuple[list[dict], list[float], list[torch.Tensor]]:
    """(micro-batches, the loss of each, gradients of the adapter after the first step's backward passes, one a
    parameter); `change` is given the trainer before each."""
    import torch

    from engine.training.leased_grpo import LeasedGrpoTrainer

    parts, values, gradients = [], [], []
    original = LeasedGrpoTrainer._compute_loss

    def spy(self, model, inputs):
        parts.append(inputs)
        if change is not None:
            change(self)
        loss = original(self, model, inputs)
        values.append(float(loss.detach()))
        return loss

    def clip(parameters, *given, **named):
        gradients.extend(value.grad.clone() for value in parameters if value.grad is not None)
        return torch.tensor(1.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LeasedGrpoTrainer, "_compute_loss", spy)
        patch.setattr("accelerate.Accelerator.clip_grad_norm_", lambda self, *given, **named: clip(*given, **named))
        train(backbone, examples, load_pictures, folder, config, **options)
    return parts, values, gradients
