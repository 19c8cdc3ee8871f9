"""The vision tower looks at a picture once: what it makes of it is remembered while an adapter trains.

The idea: adapters are on the language model alone (`adapters.lora_config`), so that a picture's features are the same in every
pass of SFT and in every rollout of a question. With the embedded reasoner the tower was a third of a training step.

Invariants: features are those of the picture seen alone, whatever stands beside it in a batch, so that a training that was
resumed gives what an uninterrupted one gives; a tower that learns is refused.

Not covered: remembering between trainings, and the sessions of those who ask, whose key-value cache already holds it.

Shapes: P patches of a call, I pictures, T tokens.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

__all__ = ["MEMORY_BYTES", "remembered"]

MEMORY_BYTES = 256 * 2**20
"""About 20,000 tokens of a model of 7B, or 300,000 of the embedded one."""

Key = tuple[bytes | int, ...]
Features = tuple[torch.Tensor, ...]
"""What the language model gets of a picture, [T, hidden], then what it adds to its first layers, each [T, hidden]."""


@contextmanager
def remembered(tower: torch.nn.Module, most_bytes: int = MEMORY_BYTES) -> Iterator[None]:
    """While this holds, the `visual` module of a Qwen model looks at each picture once, and forgets the one that it was longest
    not asked for when its features take more than `most_bytes`. Raises ValueError for a tower that learns, whose features
    change."""
    if any(weight.requires_grad for weight in tower.parameters()):
        raise ValueError("the vision tower has weights that learn: what it sees changes and cannot be remembered")
    look, replaced = tower.forward, vars(tower).get("forward")
    known: OrderedDict[Key, Features] = OrderedDict()
    kind: type[Any] = object

    def look_once(pixels: torch.Tensor, grid_thw: torch.Tensor, **options: Any) -> Any:
        """pixels: [P, values of a patch], grid_thw: [I, 3] in patches."""
        nonlocal kind
        seen: list[Features] = []
        for part, grid in zip(torch.split(pixels, grid_thw.prod(-1).tolist()), grid_thw, strict=True):
            key = _key(part, grid)
            if key not in known:
                with torch.no_grad():
                    output = look(part, grid_thw=grid[None], **options)
                kind, deeper = type(output), getattr(output, "deepstack_features", None) or ()
                known[key] = (output.pooler_output, *deeper)
            known.move_to_end(key)
            seen.append(known[key])
        while len(known) > 1 and sum(map(_bytes, known.values())) > most_bytes:
            known.popitem(last=False)
        pooled, *deeper = (torch.cat(parts) for parts in zip(*seen, strict=True))
        return kind(
            pooler_output=pooled, **({"deepstack_features": deeper} if hasattr(kind, "deepstack_features") else {})
        )

    tower.forward = look_once  # type: ignore[method-assign]
    try:
        yield
    finally:
        del tower.forward
        if replaced is not None:
            tower.forward = replaced


def _key(pixels: torch.Tensor, grid: torch.Tensor) -> Key:
    content = pixels.detach().cpu().contiguous().view(torch.uint8).numpy()
    return hashlib.blake2b(content.data, digest_size=16).digest(), *grid.tolist()


def _bytes(features: Features) -> int:
    return sum(part.nbytes for part in features)
