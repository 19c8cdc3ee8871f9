"""Weights that FSDP has cut among several processes, put together again: for a checkpoint, and when training is over.

The idea: weights are cut while they train and no longer. Every process loads the backbone whole, and the first one measures and
answers alone before and after, which a cut network cannot: each of its layers is answered for by all. All processes make both
calls, at the same place:

    gathered(state)       the weights or an optimiser's state, as one process would have them
    make_whole(network)   from here on every process has all weights, and exchanges nothing when a layer is called

By `FSDPModule.unshard` and a DTensor's `full_tensor` (torch 2.14, FSDP2). Where nothing is cut, nothing happens.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._pytree import tree_map

from engine.training.processes import process_count

__all__ = ["gathered", "make_whole"]


def gathered(state: Any) -> Any:
    """`state`, a nest of lists and dictionaries, with every tensor whole."""
    if process_count() == 1:
        return state
    from torch.distributed.tensor import DTensor

    return tree_map(lambda one: one.full_tensor() if isinstance(one, DTensor) else one, state)


def make_whole(network: torch.nn.Module) -> None:
    """For good: the network trains no more."""
    if process_count() == 1:
        return
    from torch.distributed.fsdp import FSDPModule

    for module in [one for one in network.modules() if isinstance(one, FSDPModule)]:
        module.set_reshard_after_forward(False, recurse=False)
        module.unshard()
        for one in module.modules():
            one._state_dict_pre_hooks.clear()  # they would cut it again when it is saved
