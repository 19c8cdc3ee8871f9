"""4-bit weights unpacked once: on a CPU they are otherwise unpacked at every multiplication.

The idea: bitsandbytes has no kernel of its own for CPUs here; each layer turns its NF4 codes back into numbers, multiplies,
and throws them away. One token of the embedded reasoner took half its time for it. Long work (a training, an evaluation)
unpacks what is small enough once and throws it away at the end.

Invariants: the numbers are the very ones that bitsandbytes multiplies by, so results are equal bit for bit, gradients too;
the packed weights stay where they are, and afterwards the layers are as before. Nothing is done on a GPU, whose kernels
unpack as they multiply, nor where the numbers would take more than `most_bytes`.

Not covered: 8 bit, whose matrices are multiplied as they are stored.

Shapes: layer [N, K], input [..., K], output [..., N].
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from bitsandbytes.functional import dequantize_4bit
from bitsandbytes.nn import Linear4bit
from torch.nn.functional import linear

__all__ = ["MOST_BYTES", "unpacked"]

MOST_BYTES = 512 * 2**20
"""The embedded reasoner takes 9 MB; a model of 7B would take 14 GB and stays packed."""


@contextmanager
def unpacked(network: torch.nn.Module, most_bytes: int = MOST_BYTES) -> Iterator[None]:
    """While this holds, the 4-bit layers of `network` on a CPU multiply by what they were unpacked to, unless all of them
    together would take more than `most_bytes`."""
    layers: list[Any] = [one for one in network.modules() if isinstance(one, Linear4bit) and _is_packed(one)]
    if sum(layer.weight.quant_state.shape.numel() * layer.compute_dtype.itemsize for layer in layers) > most_bytes:
        layers = []
    for layer in layers:
        layer.forward = _multiplying(layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


def _is_packed(layer: Any) -> bool:
    """On a CPU, unpacked in a way that is known beforehand, and not already by somebody else."""
    is_here = layer.weight.device.type == "cpu" and layer.weight.quant_state is not None
    return is_here and layer.compute_dtype is not None and "forward" not in vars(layer)


def _multiplying(layer: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    dtype = layer.compute_dtype
    weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state).to(dtype)
    bias = None if layer.bias is None else layer.bias.data.to(dtype)

    def multiply(x: torch.Tensor) -> torch.Tensor:
        return linear(x.to(dtype), weight, bias).to(x.dtype)

    return multiply
