r"""Supervised fine-tuning of a LoRA adapter on accepted traces (warm-start instruction tuning, paper, section 4.1).

    loss = - sum_{t in M} log p(token_t | everything before it) / |M|      over the examples of one optimiser step

M are the tokens that carry loss (`engine.training.dataset`): the model's own turns, without erroneous or failed ones and
without what came back. The order of examples is shuffled anew each pass from the seed, and every step sees exactly
`batch_size` examples, forwarded `micro_batch_size` at a time; a small network takes them all at once.

Different from the paper: LoRA on the language model over frozen quantised weights instead of full fine-tuning; a batch of
4 instead of 128 and a learning rate of 1e-4 instead of 1e-6, since an adapter starts at zero and the data are dozens of
traces, not 7,500; linear decay after the same 10% warm-up. The masks are the paper's, per turn.

One backbone: the lease is lent after each micro-batch to whoever waits for it, so answers go on in between, and they do
not change what is trained: data order, initialisation and dropout draw from seeds of their own, step by step, so that
an interleaved, a resumed and an undisturbed run are bit-identical (tests/training/test_sft.py).

Invariants: those of `engine.training.on_backbone`; of several processes (`engine.training.processes`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from datasets import Dataset
from peft import PeftModel
from trl import SFTConfig

from engine.backbone.adapters import lora_config
from engine.backbone.loading import Backbone
from engine.errors import InvalidInput
from engine.media import Pictures
from engine.protocols import protocol_named
from engine.trace_json import trace_to_json
from engine.training.arguments import shared_arguments
from engine.training.checkpoints import Fingerprint, latest_checkpoint
from engine.training.dataset import IGNORED, Collator, PictureLoader, TrainingExample
from engine.training.leased import LeasedSftTrainer, Quantum
from engine.training.moved import moved
from engine.training.on_backbone import Trained, adapter_on
from engine.training.sft_config import SftConfig

__all__ = ["OnMetric", "example_order", "run_sft", "validation_loss"]

OnMetric = Callable[[int, int, Mapping[str, float]], None]
"""(step, of how many, numbers by name): loss (nats a token), token_accuracy and entropy over the tokens that carry loss,
learning_rate, gradient_norm, seconds (wall time since the step before), passes (over the data)."""


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
) -> Trained:
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
    protocol = protocol_named(backbone.protocol_name)

    def variant(example: TrainingExample, pictures: Pictures, k: int) -> TrainingExample:
        return moved(example, pictures, protocol, f"{config.seed} {example.name} {k}")

    def make_trainer(network: PeftModel) -> LeasedSftTrainer:
        return LeasedSftTrainer(
            model=network,
            args=_arguments(backbone, config, total, checkpoint_dir),
            train_dataset=Dataset.from_dict(
                {"example": example_order(len(examples), config.seed, total * config.batch_size, config.box_variants)}
            ),
            data_collator=Collator(examples, backbone, load_pictures, config.max_tokens, variant=variant),
            processing_class=backbone.processor,
            callbacks=[quantum],
        )

    lora = lora_config(config.rank, config.alpha, config.dropout)
    with adapter_on(
        backbone, lora, make_trainer, seed=config.seed, quantum=quantum, fingerprint=fingerprint
    ) as trainer:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        steps = trainer.state.global_step
    return Trained(steps, total, quantum.first_step, time.time() - started, is_stopped=steps < total)


def validation_loss(
    backbone: Backbone, examples: Sequence[TrainingExample], load_pictures: PictureLoader, max_tokens: int
) -> float:
    """The loss of the adapter in training, in nats a token, on examples that it does not learn from; changes nothing, so the
    run goes on as without it. Takes the lease for one example at a time. Not a number where nothing carries loss."""
    total, count = 0.0, 0
    for example in examples:
        batch = Collator([example], backbone, load_pictures, max_tokens)([{"example": 0}])
        labels = batch.pop("labels")[:, 1:]
        inputs = {name: value.to(backbone.device) for name, value in batch.items()}
        with backbone.lease.held(), backbone.adapters.answering_with_training() as network, torch.no_grad():
            logits = network(**inputs, use_cache=False).logits[:, :-1]
        said = labels != IGNORED
        logits = logits[0, said[0].to(logits.device)].float()
        total += float(torch.nn.functional.cross_entropy(logits, labels[said].to(logits.device), reduction="sum"))
        count += int(said.sum())
    return total / count if count else float("nan")


def example_order(count: int, seed: int, length: int, variants: int = 0) -> list[int]:
    """Which of `count` examples is seen when, `length` indices: shuffled passes, one after another. With `variants`, the k-th
    pass (from 0) has the variant k % (variants + 1) of each, an index of `Collator`."""
    generator = torch.Generator().manual_seed(seed)
    order: list[int] = []
    for k in itertools.count():
        if len(order) >= length:
            break
        order += (torch.randperm(count, generator=generator) + count * (k % (variants + 1))).tolist()
    return order[:length]


def _arguments(backbone: Backbone, config: SftConfig, steps: int, checkpoint_dir: Path) -> SFTConfig:
    return SFTConfig(
        **shared_arguments(backbone, config, steps, checkpoint_dir),
        lr_scheduler_type="linear",
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
