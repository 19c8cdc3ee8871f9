r"""Supervised fine-tuning of a LoRA adapter on accepted traces (warm-start instruction tuning, paper, section 4.1).

    loss = - sum_{t in M} log p(token_t | everything before it) / |M|      over the examples of one optimiser step

M are the tokens that carry loss (`engine.training.dataset`): the model's own turns, without erroneous or failed ones and
without what came back. The order of examples is shuffled anew each pass from the seed, and every step sees exactly
`batch_size` examples, forwarded `micro_batch_size` at a time.

Different from the paper: LoRA on the language model over frozen quantised weights instead of full fine-tuning; a batch of
4 instead of 128 and a learning rate of 1e-4 instead of 1e-6, since an adapter starts at zero and the data are dozens of
traces, not 7,500; linear decay after the same 10% warm-up. The masks are the paper's, per turn.

One process, one backbone: the lease is held for one optimiser step at a time, so answers go on in between, and they do
not change what is trained: data order, initialisation and dropout draw from seeds of their own, step by step, so that
an interleaved, a resumed and an undisturbed run are bit-identical (tests/training/test_sft.py).

Invariants: those of `engine.training.on_backbone`. Not covered: several processes or machines.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from trl import SFTConfig

from engine.backbone.adapters import lora_config
from engine.backbone.loading import Backbone
from engine.errors import InvalidInput
from engine.trace_json import trace_to_json
from engine.training.arguments import shared_arguments
from engine.training.checkpoints import Fingerprint, latest_checkpoint
from engine.training.configuration import config_from_json
from engine.training.dataset import Collator, PictureLoader, TrainingExample
from engine.training.leased import LeasedSftTrainer, Quantum
from engine.training.on_backbone import adapter_on

__all__ = ["OnMetric", "SftConfig", "SftResult", "example_order", "run_sft"]

OnMetric = Callable[[int, int, Mapping[str, float]], None]
"""(step, of how many, numbers by name): loss (nats a token), token_accuracy and entropy over the tokens that carry loss,
learning_rate, gradient_norm, seconds (wall time since the step before), passes (over the data)."""


@dataclass(frozen=True, slots=True)
class SftConfig:
    """`steps` overrides `passes` over the data. `batch_size` examples an optimiser step, forwarded `micro_batch_size` at
    a time. `max_tokens` is the longest conversation. Raises InvalidInput for impossible values."""

    passes: float = 3.0
    steps: int | None = None
    batch_size: int = 4
    micro_batch_size: int = 1
    learning_rate: float = 1e-4
    warmup_share: float = 0.1
    weight_decay: float = 0.0
    max_gradient_norm: float = 1.0
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    seed: int = 0
    checkpoint_every: int = 10
    max_tokens: int = 16_384
    is_checkpointing_gradients: bool = False

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is {getattr(self, name)!r}"
            for name, is_right in (
                ("passes", self.passes > 0),
                ("steps", self.steps is None or self.steps > 0),
                ("batch_size", self.batch_size > 0),
                ("micro_batch_size", 0 < self.micro_batch_size <= self.batch_size),
                ("learning_rate", 0 < self.learning_rate < 1),
                ("warmup_share", 0 <= self.warmup_share < 1),
                ("weight_decay", 0 <= self.weight_decay < 1),
                ("max_gradient_norm", self.max_gradient_norm > 0),
                ("rank", 0 < self.rank <= 1024),
                ("alpha", self.alpha > 0),
                ("dropout", 0 <= self.dropout < 1),
                ("seed", 0 <= self.seed < 2**32),
                ("checkpoint_every", self.checkpoint_every > 0),
                ("max_tokens", self.max_tokens > 0),
            )
            if not is_right
        ]
        if wrong or self.batch_size % self.micro_batch_size:
            raise InvalidInput(
                "SFT cannot run like this: " + "; ".join(wrong or ["batch_size must be a multiple of micro_batch_size"])
            )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SftConfig:
        """From plain JSON, as recorded with a job. Raises InvalidInput for unknown names and wrong types."""
        return config_from_json(cls, data, "SFT")

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def total_steps(self, examples: int) -> int:
        """Optimiser steps for that many examples."""
        return self.steps or max(1, math.ceil(examples * self.passes / self.batch_size))


@dataclass(frozen=True, slots=True)
class SftResult:
    """`steps` of `total_steps` are done, `first_step` of them by an earlier run; the losses are those of the first and
    last step of this run, None where it made no step; `seconds` of wall time."""

    steps: int
    total_steps: int
    first_step: int
    first_loss: float | None
    last_loss: float | None
    seconds: float
    is_stopped: bool


def run_sft(
    backbone: Backbone,
    examples: Sequence[TrainingExample],
    config: SftConfig,
    *,
    load_pictures: PictureLoader,
    on_metric: OnMetric,
    should_stop: Callable[[], bool],
    checkpoint_dir: Path,
    resume: bool = False,
) -> SftResult:
    """Train a fresh adapter "default" on `examples`; with `resume`, go on from the latest checkpoint in
    `checkpoint_dir` where there is one.

    Afterwards the adapter is still on the backbone, so that the caller can measure, save and drop it; where this raises
    it is gone. `should_stop` is asked once a step; a stopped run leaves a checkpoint. `on_metric` is called without the
    lease. Must not run twice at once on one backbone.

    Raises InvalidInput where there is nothing to train on, a conversation is too long, or the loss stopped being a
    number; Unavailable where the checkpoint belongs to another run.
    """
    if not examples:
        raise InvalidInput("there is nothing to train on: accept some traces first")
    total = config.total_steps(len(examples))
    traces = [[trace_to_json(example.trace), list(example.example.options)] for example in examples]
    fingerprint = Fingerprint.of(backbone, traces, {"sft": config.as_json()})
    checkpoint = latest_checkpoint(checkpoint_dir, fingerprint) if resume else None
    quantum = Quantum(backbone, config.seed, should_stop, on_metric, len(examples) / config.batch_size)
    started = time.time()

    def make_trainer(network: PeftModel) -> LeasedSftTrainer:
        return LeasedSftTrainer(
            model=network,
            args=_arguments(backbone, config, total, checkpoint_dir),
            train_dataset=Dataset.from_dict({"example": example_order(len(examples), config, total)}),
            data_collator=Collator(examples, backbone, load_pictures, config.max_tokens),
            processing_class=backbone.processor,
            callbacks=[quantum],
        )

    lora = lora_config(config.rank, config.alpha, config.dropout)
    with adapter_on(
        backbone, lora, make_trainer, seed=config.seed, quantum=quantum, fingerprint=fingerprint
    ) as trainer:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        steps = trainer.state.global_step
    return SftResult(
        steps=steps,
        total_steps=total,
        first_step=quantum.first_step,
        first_loss=quantum.losses[0] if quantum.losses else None,
        last_loss=quantum.losses[-1] if quantum.losses else None,
        seconds=time.time() - started,
        is_stopped=steps < total,
    )


def example_order(count: int, config: SftConfig, steps: int) -> list[int]:
    """Which example is seen when, `steps * batch_size` indices: shuffled passes, one after another."""
    generator = torch.Generator().manual_seed(config.seed)
    order: list[int] = []
    while len(order) < steps * config.batch_size:
        order += torch.randperm(count, generator=generator).tolist()
    return order[: steps * config.batch_size]


def _arguments(backbone: Backbone, config: SftConfig, steps: int, checkpoint_dir: Path) -> SFTConfig:
    return SFTConfig(
        **shared_arguments(backbone, config, steps, checkpoint_dir),
        lr_scheduler_type="linear",
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
