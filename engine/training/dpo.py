r"""Direct preference optimisation of a LoRA adapter (Rafailov et al. 2023, arXiv 2305.18290), on whole conversations.

    loss = - mean over pairs of log sigmoid(beta * (r(chosen) - r(rejected)))
    r(y) = sum over y's tokens of log p(token) - log p_ref(token)

The tokens of a side are those of the model's own turns from where the two sides part; what came back in between carries
pictures and no loss (`engine.training.dataset`). p_ref is the adapter as it began, which PEFT calls "ref".

Through TRL's DPOTrainer. Its own collator takes pictures in the prompt alone (seen in trl 1.16.0), so a crop that a later turn
brought would be lost; its loss does not care who made the batch. So the batch is ours, the sequences that SFT learns from, the
chosen sides first and then the rejected ones; TRL computes and steps.

Invariants: those of `engine.training.on_backbone`; "ref" is gone afterwards. Not covered: other losses than the sigmoid.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from torch.utils.data import SequentialSampler
from trl import DPOConfig, DPOTrainer

from engine.backbone.adapters import load_adapter, lora_config
from engine.backbone.loading import Backbone
from engine.errors import InvalidInput
from engine.trace_json import trace_to_json
from engine.training.arguments import shared_arguments
from engine.training.checkpoints import Fingerprint, latest_checkpoint
from engine.training.dataset import IGNORED, Collator, PictureLoader, TrainingExample
from engine.training.dpo_config import DpoConfig
from engine.training.leased import Leased, Quantum
from engine.training.on_backbone import Trained, adapter_on
from engine.training.sft import OnMetric, example_order
from engine.training.snapshot import weights_hash

__all__ = ["DPO_NAMES", "PairCollator", "run_dpo"]

DPO_NAMES = {
    "loss": "loss",
    "learning_rate": "learning_rate",
    "grad_norm": "gradient_norm",
    "rewards/accuracies": "preferred_share",
    "rewards/margins": "margin",
}
"""TRL's names of what it logs, and ours."""

PreferencePair = tuple[TrainingExample, TrainingExample]
"""The better side and the worse one."""


@dataclass(frozen=True, slots=True)
class PairCollator:
    """Rows `{"example": index}` -> the batch of both sides of those pairs, as DPOTrainer's loss takes it: inputs of the model,
    the chosen sides in the first half, and completion_mask [2 * rows, n], 1 at tokens that carry loss."""

    pairs: Sequence[PreferencePair]
    collator: Collator
    """Of all sides: the chosen ones first, then the rejected ones."""

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        chosen = [{"example": row["example"]} for row in rows]
        rejected = [{"example": row["example"] + len(self.pairs)} for row in rows]
        batch = self.collator([*chosen, *rejected])
        labels = batch.pop("labels")
        return batch | {"completion_mask": (labels != IGNORED).long()}


class LeasedDpoTrainer(Leased, DPOTrainer):
    """DPOTrainer on the shared backbone."""

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        # The rows are in training order already; see example_order.
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)  # type: ignore[arg-type]


def run_dpo(
    backbone: Backbone,
    pairs: Sequence[PreferencePair],
    config: DpoConfig,
    *,
    load_pictures: PictureLoader,
    on_metric: OnMetric,
    should_stop: Callable[[], bool],
    checkpoint_dir: Path,
    resume: bool = False,
    start_from: Path | None = None,
) -> Trained:
    """Train the adapter in training on `pairs`; as `engine.training.sft.run_sft`. `start_from` is the folder of an adapter
    whose weights it begins with, and is held to; its rank and alpha then count. `on_metric` hears loss, preferred_share (of
    pairs whose better side gained more), margin (r(chosen) - r(rejected), times beta), learning_rate, gradient_norm, seconds
    and passes."""
    if not pairs:
        raise InvalidInput("there is nothing to train on: correct or compare some attempts first")
    total = config.total_steps(len(pairs))
    sides = [[trace_to_json(one.trace), one.first_step] for pair in pairs for one in pair]
    fingerprint = Fingerprint.of(backbone, sides, {"dpo": config.as_json(), "from": weights_hash(start_from)})
    checkpoint = latest_checkpoint(checkpoint_dir, fingerprint) if resume else None
    quantum = Quantum(backbone, config.seed, should_stop, on_metric, len(pairs) / config.batch_size, DPO_NAMES)
    warm = None if start_from is None else load_adapter(start_from, start_from.name)
    lora = lora_config(config.rank, config.alpha) if warm is None else warm.config
    lora.inference_mode = False
    started = time.time()
    collator = Collator(
        [*(chosen for chosen, _ in pairs), *(rejected for _, rejected in pairs)],
        backbone,
        load_pictures,
        config.max_tokens,
    )
    order = example_order(len(pairs), config.seed, total * config.batch_size)

    def make_trainer(network: PeftModel) -> LeasedDpoTrainer:
        return LeasedDpoTrainer(
            model=network,
            args=_arguments(backbone, config, total, checkpoint_dir),
            # TRL prepares no rows that have pictures; ours come with the batch.
            train_dataset=Dataset.from_dict({"example": order, "images": [""] * len(order)}),
            data_collator=PairCollator(pairs, collator),
            processing_class=backbone.processor,
            callbacks=[quantum],
        )

    try:
        with adapter_on(
            backbone, lora, make_trainer, seed=config.seed, quantum=quantum, fingerprint=fingerprint, warm_start=warm
        ) as trainer:
            trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
            steps = trainer.state.global_step
    finally:
        with backbone.lease.held():
            backbone.adapters.drop_reference()
    return Trained(steps, total, quantum.first_step, time.time() - started, is_stopped=steps < total)


def _arguments(backbone: Backbone, config: DpoConfig, steps: int, checkpoint_dir: Path) -> DPOConfig:
    return DPOConfig(
        **shared_arguments(backbone, config, steps, checkpoint_dir),
        lr_scheduler_type="linear",
        beta=config.beta,
        max_length=None,
    )
