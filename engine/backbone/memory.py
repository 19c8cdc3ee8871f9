"""How much memory a model takes, told from its files' headers before anything is read, against what is free.

Estimate: linear layers of the language model at 4.127 bits a value in 4 bit (NF4 with doubly quantised constants, blocks of
64 and 256: 4 + 8/64 + 32/(64 * 256)), at 8 bits in 8 bit; everything else at the computation type's width. On top a tenth,
and 300 MB, for the largest layer while it is quantised and for a conversation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path

import psutil
import torch
from safetensors import safe_open

__all__ = ["free_bytes", "needed_bytes", "shortage"]

_LINEAR = re.compile(r"(?:^|\.)layers\.\d+\..*(?:proj|fc\d?|gate|up|down)\w*\.weight$")
_TOWER = re.compile(r"visual|vision|merger|projector")
_BITS = {"4bit": 4 + 8 / 64 + 32 / (64 * 256), "8bit": 8.0}


def needed_bytes(files: Iterable[Path], quantization: str, compute: torch.dtype) -> int:
    """About what the tensors in `files` (safetensors) take once they are loaded."""
    bits = 0.0
    for file in files:
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118
                values = math.prod(opened.get_slice(name).get_shape())
                is_quantized = quantization in _BITS and _LINEAR.search(name) and not _TOWER.search(name)
                bits += values * (_BITS[quantization] if is_quantized else 8 * compute.itemsize)
    return int(bits / 8 * 1.1) + 300_000_000


def free_bytes(device: torch.device) -> int:
    """What another process could have now."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def shortage(
    name: str, files: Iterable[Path], quantization: str, compute: torch.dtype, device: torch.device
) -> str | None:
    """A sentence that says what is lacking and what would fit; None where the model fits."""
    files, free = tuple(files), free_bytes(device)
    needed = {one: needed_bytes(files, one, compute) for one in ("none", "8bit", "4bit")}
    if needed[quantization] <= free:
        return None
    fitting = next((f"it would fit with STUDIO_QUANTIZATION={one}" for one, n in needed.items() if n <= free), None)
    return (
        f"{name} needs about {_gb(needed[quantization])} of memory ({quantization}), and {_gb(free)} are free on {device}; "
        + (fitting or f"even in 4 bit it needs {_gb(needed['4bit'])}: choose a smaller model")
    )


def _gb(n: int) -> str:
    return f"{n / 1e9:.1f} GB"
