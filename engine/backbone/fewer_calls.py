"""The same network in fewer calls: where transformers makes many small ones, parts of a network are replaced.

    attention      of the vision tower, within pieces of the patches: pictures, frames, windows of 8 x 8
    patches        the convolution that makes them vectors, on a CPU

Algorithm of the attention: pieces of one length that follow each other become a batch, [pieces, heads, length, d], and are
attended to by one call. transformers makes a call for each piece, of which a clip has 16, and a picture of Qwen2.5-VL, most of
whose layers see windows, some hundreds.

Algorithm of the patches: transformers gives each patch to the convolution as a picture of its own, of which oneDNN makes a
product of matrices with one row. Laid side by side they are one picture, and the product has a row for each: the same sums in
the same order, in a fifth of the time. (A product without a convolution would be quicker still; it sums in another order, and
flips near-ties in bf16.)

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
    """Replace these parts of a loaded network of the Qwen-VL families."""
    network.config.vision_config._attn_implementation = _NAME
    network.model.visual.patch_embed.proj.__class__ = _SideBySide  # which pickles, as a function of its own would not


class _SideBySide(torch.nn.Conv3d):
    """A convolution whose kernel is as large as each of its inputs, [P, channels, t, h, w]; returns [P, d, 1, 1, 1]."""

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        if patches.device.type != "cpu":
            return super().forward(patches)
        count, width = patches.shape[0], patches.shape[-1]
        one = patches.permute(1, 2, 3, 0, 4).reshape(1, *patches.shape[1:4], count * width)
        return super().forward(one).view(-1, count).T.contiguous().view(count, -1, 1, 1, 1)


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
