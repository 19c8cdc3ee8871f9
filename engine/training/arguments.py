"""What every run tells TRL in the same way, so that SFT and RL differ only where their methods do.

The idea: one process, one leased backbone, nothing printed, nothing reported elsewhere, two checkpoints kept; the adapter
trains in its own fp32 while the backbone computes in its own type; a large network keeps no activations. Not covered: what
is learned from.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from engine.backbone.loading import Backbone
from engine.errors import InvalidInput
from engine.training.configuration import TrainingConfig
from engine.training.processes import process_count

__all__ = ["FEW_WEIGHTS", "MANY_WEIGHTS", "micro_batch_size", "shared_arguments"]

MANY_WEIGHTS = 10**9
"""A network of more computes its activations twice, whatever is asked for: kept, those of one step of a 3B on a conversation of
1,500 tokens took 14 GB beside weights of 3.4 GB."""


FEW_WEIGHTS = 5 * 10**7
"""A network of fewer takes several rows of a step at once, unless it is told otherwise: what a row costs it is the calling of its
layers. Of a larger one it is one row at a time, since whoever asks waits for so long."""
_ROWS = 2
"""At four, whoever asked the embedded reasoner beside a run waited up to 0.56 s for a turn (p95, two cores)."""


def micro_batch_size(backbone: Backbone, config: TrainingConfig) -> int:
    """How many rows go through the network at a time in this process."""
    if config.micro_batch_size is not None:
        return config.micro_batch_size
    return math.gcd(config.batch_size // process_count(), _ROWS) if backbone.model.num_parameters() < FEW_WEIGHTS else 1


def shared_arguments(backbone: Backbone, config: TrainingConfig, steps: int, checkpoint_dir: Path) -> dict[str, Any]:
    """Keyword arguments of transformers' TrainingArguments for `steps` optimiser steps. A step is as large however many
    processes share it; raises InvalidInput where they cannot."""
    rows, processes = micro_batch_size(backbone, config), process_count()
    parts = config.batch_size // rows
    if parts % processes:
        raise InvalidInput(
            f"{processes} processes cannot share a step of {parts} micro-batches (batch_size {config.batch_size}, "
            f"micro_batch_size {rows}): choose a multiple of {processes * rows}"
        )
    return {
        "output_dir": str(checkpoint_dir),
        "use_cpu": backbone.device.type == "cpu",
        "bf16": False,
        "fp16": False,
        "seed": config.seed,
        "max_steps": steps,
        "per_device_train_batch_size": rows,
        "gradient_accumulation_steps": parts // processes,
        "ddp_find_unused_parameters": False,
        "ddp_broadcast_buffers": False,
        "learning_rate": config.learning_rate,
        "warmup_steps": round(config.warmup_share * steps),
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_gradient_norm,
        "optim": "adamw_torch",
        "gradient_checkpointing": config.is_checkpointing_gradients or backbone.model.num_parameters() > MANY_WEIGHTS,
        "remove_unused_columns": False,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": False,
        "logging_strategy": "steps",
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "steps",
        "save_steps": config.checkpoint_every,
        "save_total_limit": 2,
        "eval_strategy": "no",
        "report_to": [],
        "disable_tqdm": True,
    }
