"""The mean of the weights after each of a run's last steps (Polyak averaging; arXiv 1803.05407 for networks).

    mean_n = mean_(n-1) + (weights - mean_(n-1)) / n        after every step beyond (1 - share) of them

The idea: gradients of single groups hardly agree (docs/rl.md), so that weights walk at random around where they are drawn to; the
mean of where they were walks less. Rollouts are of the weights themselves: only what a run hands back is the mean.

Invariant: a run that goes on from a checkpoint has the mean of an undisturbed one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

__all__ = ["Averaging"]

_COUNT = "count"


class Averaging(TrainerCallback):
    """Of the weights that are trained, over the last `share` of the steps, in [0, 1]; 0 averages nothing."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._mean: dict[str, torch.Tensor] = {}
        self._count = 0

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        if state.global_step <= (1 - self._share) * state.max_steps:
            return
        self._count += 1
        for name, value in model.named_parameters():
            if value.requires_grad:
                mean = self._mean.setdefault(name, value.detach().clone())
                mean += (value.detach() - mean) / self._count

    def put_into(self, model: torch.nn.Module) -> None:
        """Make the mean the weights of `model`, where there is one."""
        with torch.no_grad():
            for name, value in model.named_parameters():
                if name in self._mean:
                    value.copy_(self._mean[name])

    def save(self, path: Path) -> None:
        save_file({name: mean.cpu() for name, mean in self._mean.items()} | {_COUNT: torch.tensor(self._count)}, path)

    def load(self, path: Path, model: torch.nn.Module) -> None:
        found = load_file(path)
        self._count = int(found.pop(_COUNT))
        self._mean = {name: mean.to(dict(model.named_parameters())[name].device) for name, mean in found.items()}
