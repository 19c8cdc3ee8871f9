"""Weights on their way from files into a network: read piece by piece, named by a hash, counted for progress.

The idea: transformers takes a table name -> tensor that is only read when its turn comes (`tensor[...]`). Ours reads with
plain reads instead of a memory map, so that what was read is given back at once: of a 3B in NF4 the whole bf16 file stays
resident otherwise, beside what was made of it (docs/libraries.md). Every byte passes here, so it is hashed on the way.

Hash: SHA-256 over the lines "NAME DTYPE SHAPE SHA-256 of the bytes" of all tensors in the files, sorted by name. It depends
on neither sharding nor quantisation, and on every value: a merged model has another than its parent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

__all__ = ["Weights"]

_VERSION = "sha256:"


class Weights(Mapping[str, Any]):
    """The tensors in `files` (safetensors), by name. `on_progress` hears the share in [0, 1] of all bytes that were read.

    Raises OSError or SafetensorError for a file that cannot be read.
    """

    def __init__(self, files: tuple[Path, ...], on_progress: Callable[[float], None] = lambda share: None) -> None:
        self._slices: dict[str, Any] = {}
        for file in files:
            opened = safe_open(file, framework="pt", device="cpu", backend="pread")
            self._slices |= {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
        self._total_bytes = sum(file.stat().st_size for file in files)
        self._read_bytes = 0
        self._digests: dict[str, str] = {}
        self._on_progress = on_progress

    def __getitem__(self, name: str) -> _Lazy:
        return _Lazy(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._slices)

    def __len__(self) -> int:
        return len(self._slices)

    def read(self, name: str) -> torch.Tensor:
        """The tensor of that name, from the disk."""
        tensor = self._slices[name][...]
        if name not in self._digests:
            content = hashlib.sha256(tensor.contiguous().reshape(-1).view(torch.uint8).numpy()).hexdigest()
            shape = "x".join(map(str, tensor.shape))
            self._digests[name] = f"{name} {str(tensor.dtype).removeprefix('torch.')} {shape} {content}"
            self._read_bytes += tensor.nbytes
            self._on_progress(min(1.0, self._read_bytes / max(1, self._total_bytes)))
        return tensor

    def hash(self) -> str:
        """Names these weights; see the module. Reads what was not read yet."""
        for name in self._slices.keys() - self._digests.keys():
            self.read(name)
        lines = "\n".join(self._digests[name] for name in sorted(self._digests))
        return _VERSION + hashlib.sha256(lines.encode()).hexdigest()


class _Lazy:
    """What transformers asks of a tensor that it has not read yet."""

    def __init__(self, weights: Weights, name: str) -> None:
        self._weights, self._name = weights, name

    def __getitem__(self, key: Any) -> torch.Tensor:
        return self._weights.read(self._name)[key]

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._weights._slices[self._name], attribute)
