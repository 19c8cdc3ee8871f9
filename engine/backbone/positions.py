"""Multimodal rotary positions (M-RoPE) of a sequence of words, pictures and clips, as the models were trained.

Algorithm (Qwen2-VL, arXiv 2409.12191; Qwen2.5-VL, arXiv 2502.13923, for time): words advance all three axes by one. What is
seen begins where the words before it ended: the patch at (t, y, x) of a grid stands at (t * interval, y, x) from there, and
the words after it go on one past its greatest position on any axis. Of a picture t is 0. Of a clip the interval is the
positions of a second times the seconds of a temporal patch, two frames; the released training told no times, so that a
patch lasts a second whatever the clip.

Different from transformers 5.24: there the words after a clip begin past its sides alone, in the midst of its time; up to
4.57 they were as here and as in training (tests/peers/positions.py).

Shapes: n tokens, k grids (temporal patches, patch rows, patch columns), positions [3, n]: temporal, height, width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import torch

__all__ = ["rope_positions", "row_positions"]


def rope_positions(
    is_seen: torch.Tensor, grids: Iterable[torch.Tensor], merge: int, interval: int = 1
) -> tuple[torch.Tensor, int]:
    """Positions [3, n], and delta: a word at index i >= n stands at i + delta. `is_seen` [n] marks the tokens of pictures
    and clips, each of which stands apart from the next; `grids` are theirs, in order; `merge` patches a side make a token."""
    coming, parts, place = iter(grids), [], 0
    for seen, group in groupby(is_seen.bool().tolist()):
        count = sum(1 for _ in group)
        if seen:
            times, rows, columns = (int(side) for side in next(coming).flatten())
            patches = torch.cartesian_prod(
                torch.arange(times) * interval, torch.arange(rows // merge), torch.arange(columns // merge)
            )
            part = patches.T
            if part.shape[1] != count:
                raise ValueError(f"a grid of {part.shape[1]} tokens does not fit {count} placeholders")
        else:
            part = torch.arange(count).expand(3, -1)
        parts.append(part + place)
        place = int(parts[-1].max()) + 1
    return torch.cat(parts, dim=1), place - len(is_seen)


def row_positions(
    is_seen: torch.Tensor, mask: torch.Tensor, grids: torch.Tensor, counts: Sequence[int], merge: int, interval: int = 1
) -> torch.Tensor:
    """Positions [3, rows, n] of a batch: `is_seen` and `mask` are [rows, n], 0 in padding, whose positions are 0; row k shows
    `counts[k]` of the `grids`."""
    positions = torch.zeros((3, *is_seen.shape), dtype=torch.long)
    for row, (some, real) in enumerate(zip(grids.cpu().split(list(counts)), mask.bool().cpu(), strict=True)):
        positions[:, row, real], _ = rope_positions(is_seen[row].cpu()[real], some, merge, interval)
    return positions.to(is_seen.device)
