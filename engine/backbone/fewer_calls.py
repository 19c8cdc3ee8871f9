"""The same network in fewer calls: where transformers makes many small ones, parts of a network are replaced.

    attention      of the vision tower, within pieces of the patches: pictures, frames, windows of 8 x 8

Algorithm of the attention: pieces of one length that follow each other become a batch, [pieces, heads, length, d], and are
attended to by one call. transformers makes a call for each piece, of which a clip has 16, and a picture of Qwen2.5-VL, most of
whose layers see windows, some hundreds.

Invariants: the function is that of the stock network, gradients included, and the weights keep their names; a piece attends to
itself alone. Only instances are touched: other networks stay stock.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

__all__ = ["spare_calls"]

_NAME = "flash_within_pieces"
"""transformers tells the bounds of the pieces only to what calls itself flash."""


def spare_calls(network: Any) -> None:
    """Replace this part of a loaded network of the Qwen-VL families. (The product of patches in place of their convolution would
    be quicker still, and flips near-ties in bf16.)"""
    network.config.vision_config._attn_implementation = _NAME


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    *,
    scaling: float,
    dropout: float,
    cu_seq_lens_q: torch.Tensor,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """query, key, value [1, heads, P, d]; returns [1, P, heads, d]. `cu_seq_lens_q` [pieces + 1] are where the pieces begin,
    and last where they end."""
    attended, start = [], 0
    for length, alike in groupby(cu_seq_lens_q.diff().tolist()):
        pieces = sum(1 for _ in alike)
        end = start + pieces * length
        queries, keys, values = (
            one[0, :, start:end].unflatten(1, (pieces, length)).transpose(0, 1) for one in (query, key, value)
        )
        made = scaled_dot_product_attention(queries, keys, values, dropout_p=dropout, scale=scaling)
        attended.append(made.transpose(1, 2).flatten(0, 1))
        start = end
    return torch.cat(attended)[None], None


AttentionInterface.register(_NAME, _attend)
