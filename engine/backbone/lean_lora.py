"""A LoRA layer that costs little beside the layer it changes: one product more, added where the layer's own result lies.

    y = x W^T + s (x A^T) B^T        x [..., in], A [rank, in], B [out, rank], s = alpha / rank

The idea: PEFT multiplies the whole of what it adds by s, and adds it in a third pass over memory (a fourth where W is of 4
bits); gradients pass by the same way back. Where the network is small, or one token is said at a time, that costs as much as the
products. Here s goes with the product (`addmm`), so that what is large is written once.

Differs from PEFT's in rounding: by the order of two multiplications, and where the layer computes in half precision, the sum
is rounded to it once and not its parts. Whatever else PEFT's layers can do is left to them: several adapters at once, dropout
in training, DoRA and other variants, autocast. Installed by PEFT's own way for layers of one's own.
"""

from __future__ import annotations

from typing import Any

import bitsandbytes
import torch
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from peft.tuners.lora.bnb import Linear4bit
from peft.tuners.lora.layer import Linear
from torch.nn.functional import linear

__all__ = ["LeanLora", "LeanLora4bit", "made_lean"]


class _Lean(LoraLayer):
    """The way of multiplying, in front of one of PEFT's layers."""

    def forward(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        slot = None if args or kwargs or self.disable_adapters or self.merged else self._alone()
        if slot is None or torch.is_autocast_enabled(x.device.type):
            left: torch.Tensor = super().forward(x, *args, **kwargs)  # type: ignore[misc]
            return left
        down: Any = self.lora_A[slot].weight
        up: Any = self.lora_B[slot].weight
        flat = x.reshape(-1, x.shape[-1])
        result: torch.Tensor = self.get_base_layer()(flat)
        changed = result.to(down.dtype).addmm_(linear(flat.to(down.dtype), down), up.t(), alpha=self.scaling[slot])
        return changed.to(result.dtype).view(*x.shape[:-1], -1)

    def _alone(self) -> str | None:
        """The adapter that acts, where it is the only one and plain."""
        acting = [name for name in self.active_adapters if name in self.lora_A]
        if len(acting) != 1 or acting[0] in self.lora_variant or self.lora_B[acting[0]].bias is not None:
            return None
        dropout = self.lora_dropout[acting[0]]
        return acting[0] if isinstance(dropout, torch.nn.Identity) or not dropout.training else None


class LeanLora(_Lean, Linear):
    """PEFT's layer around a `torch.nn.Linear`."""


class LeanLora4bit(_Lean, Linear4bit):
    """PEFT's layer around a linear layer of bitsandbytes' 4 bits."""


_LAYERS: dict[type[torch.nn.Module], type[torch.nn.Module]] = {
    bitsandbytes.nn.Linear4bit: LeanLora4bit,
    torch.nn.Linear: LeanLora,
}
"""By what they wrap; the first is also one of the second."""


def made_lean(config: LoraConfig, network: torch.nn.Module) -> LoraConfig:
    """`config`, which afterwards tells PEFT to wrap the linear layers of `network` like this, where all are of a known kind."""
    if {type(one) for one in network.modules() if isinstance(one, torch.nn.Linear)} <= set(_LAYERS):
        config._register_custom_module(dict(_LAYERS))
    return config
