"""What a trainer leaves behind, and taking it back: patched forwards, settings, random states.

The idea: TRL and transformers assume that a model is theirs. Ours goes on answering, so both contexts put back what they
found: `untouched` the network's attributes and configurations, `seeded` and `unseeded` the random generators.

Not covered: adapters (`engine.backbone.adapters`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

__all__ = ["random_state", "scoring_what_was_said", "seeded", "set_random_state", "unseeded", "untouched"]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, torch draws from `seed`; afterwards it goes on where it was."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def random_state() -> list[torch.Tensor]:
    """Where torch's generators are, the CPU's and then each GPU's."""
    return [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]


def set_random_state(state: list[torch.Tensor]) -> None:
    """Go on drawing from there."""
    torch.set_rng_state(state[0])
    torch.cuda.set_rng_state_all(state[1:])


@contextmanager
def unseeded() -> Iterator[None]:
    """Afterwards Python's and NumPy's generators go on where they were: TRL seeds them for the whole process, and ours
    also gives out names to other threads."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


@contextmanager
def scoring_what_was_said() -> Iterator[None]:
    """Inside, TRL's head (`add_fused_lm_head`) scores the positions that carry loss and no others, as it does on a GPU; on a CPU
    it scores all, and with a vocabulary of real size that is most of a step."""
    from trl.trainer import utils

    asked = utils._use_triton
    utils._use_triton = lambda device: True
    try:
        yield
    finally:
        utils._use_triton = asked


@contextmanager
def untouched(network: Any) -> Iterator[None]:
    """Afterwards the network has the forward, configurations, tags and hooks that it came with, and is in eval mode."""
    configs = [network.config, *(c for c in vars(network.config).values() if hasattr(c, "model_type"))]
    configs += [network.generation_config] if getattr(network, "generation_config", None) is not None else []
    before = [(config, dict(vars(config))) for config in configs]
    added = {"forward", "model_tags", "_require_grads_hook", "_require_grads_hooks"} - set(vars(network))
    try:
        yield
    finally:
        if network.is_activation_checkpointing:
            network.activation_checkpointing_disable()
        if getattr(network, "_require_grads_hooks", None) or hasattr(network, "_require_grads_hook"):
            network.disable_input_require_grads()
        for config, values in before:
            vars(config).clear()
            vars(config).update(values)
        # "forward": TRL's fused head wraps the bound method on the instance, once more for every trainer.
        for name in added:
            vars(network).pop(name, None)
        network.zero_grad(set_to_none=True)
        network.eval()
