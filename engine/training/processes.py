"""Several processes that train one adapter, as `accelerate launch` starts them: which one this is, and what all go by.

The idea: the first process is the studio's own command, with the store, the curve and the measuring before and after. The others
follow: they train on the same record of the job, each on its share of every optimiser step, and say nothing. Gradients are
averaged by torch's DistributedDataParallel, or by FSDP (accelerate wraps the network, `engine.training.shards`), so all learn the
same adapter.

    step's examples     micro-batch j of process k of n is micro-batch j * n + k of one process, so a step sees the same examples

Invariant: with one process nothing here imports torch or sends anything.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from typing import Any, TypeVar

__all__ = ["agreed", "join", "process_count", "process_index"]

T = TypeVar("T")

_PATIENCE = timedelta(hours=12)
"""The others wait while the first one measures."""


def process_count() -> int:
    """How many have met (`join`). Not what the environment says: a studio that is started where a launcher's variables are set
    trains alone."""
    return distributed.get_world_size() if (distributed := _met()) else 1


def process_index() -> int:
    """From 0, which is the first."""
    return distributed.get_rank() if (distributed := _met()) else 0


def _met() -> Any:
    """torch.distributed where processes have met, else None; whoever met has loaded it."""
    distributed = sys.modules.get("torch.distributed")
    return (
        distributed if distributed is not None and distributed.is_available() and distributed.is_initialized() else None
    )


def join(device: str) -> None:
    """Meet the other processes, and take this one's GPU where `device`, as STUDIO_DEVICE, allows one. Before the weights are
    loaded."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        import torch
        from accelerate import PartialState

        PartialState(cpu=device == "cpu" or not torch.cuda.is_available(), timeout=_PATIENCE)


def agreed(value: T) -> T:
    """What the first process gives, in all of them; all must ask."""
    if process_count() == 1:
        return value
    from accelerate.utils import broadcast_object_list

    return broadcast_object_list([value])[0]  # type: ignore[no-any-return]
