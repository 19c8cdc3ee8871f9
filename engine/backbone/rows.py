"""One token of several conversations in one forward: the weights are read once for all of them, each attends to its own cache.

    tokens     [B]            the newest token of each row, which its cache does not hold yet
    places     [B]            the rotary position of each (all three axes: generated tokens are text)
    caches     B              one a row, each of its own length
    logits     [B, vocabulary]

Algorithm: rows lie in the batch dimension with one token each. Everything but attention works on all rows at once; attention is
asked row by row, with that row's keys and values alone. So there is no padding, no mask and no copy of a cache, rows come and
go between two tokens, and what a row computes is what it would alone, but for the order in which a matrix product sums up.
(A padded batch, as in transformers' `generate`, copies all caches when one row joins or leaves, and computes the padding too.)

transformers lets a function of one's own attend, by name; the network's own setting is put back after each forward, so that
training and the forward of a whole prompt never meet this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import pad, scaled_dot_product_attention
from transformers import AttentionInterface, Cache

__all__ = ["forward_rows"]

_NAME = "row_by_row"
_FEW_ROWS, _FULL_ROWS = 5, 16
"""MKL multiplies 16 rows by a vocabulary of 150,000 in the time of 5, and takes up to twice as long for those between."""


@torch.inference_mode()
def forward_rows(
    network: Any, tokens: Sequence[int], places: Sequence[int], caches: Sequence[Cache], device: torch.device
) -> torch.Tensor:
    """Logits after `tokens`, in the network's own type, where it computes; the caches hold the tokens afterwards. Made in
    inference mode, as all that goes into a cache must be."""
    with _attending_row_by_row(network):
        output = network.model(
            input_ids=torch.tensor(tokens, device=device).view(-1, 1),
            position_ids=torch.tensor(places, device=device).view(1, -1, 1).expand(3, -1, 1),
            use_cache=False,
            rows=caches,
        )
    return _logits(network.get_output_embeddings(), output.last_hidden_state[:, -1])


def _logits(head: Any, hidden: torch.Tensor) -> torch.Tensor:
    """[B, vocabulary] of hidden [B, size]. In fp32 on a CPU a few rows are made up to `_FULL_ROWS`, of zeros."""
    count = len(hidden)
    if hidden.device.type == "cpu" and hidden.dtype == torch.float32 and _FEW_ROWS <= count < _FULL_ROWS:
        hidden = pad(hidden, (0, 0, 0, _FULL_ROWS - count))
    logits: torch.Tensor = head(hidden)[:count]
    return logits


@contextmanager
def _attending_row_by_row(network: Any) -> Iterator[None]:
    config = network.config.text_config
    before, config._attn_implementation = config._attn_implementation, _NAME
    try:
        yield
    finally:
        config._attn_implementation = before


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    *,
    scaling: float,
    rows: Sequence[Cache],
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """query [B, heads, 1, d], key and value [B, key heads, 1, d]; returns [B, 1, heads, d]. No mask comes: the newest token
    sees everything before it. No key is copied for the heads that share it. On a CPU each head is asked by itself, whose sums are
    those of the stock network to the bit; elsewhere the heads that share keys are asked as if they were tokens.
    """
    is_by_head = query.device.type == "cpu"
    grouped = query if is_by_head else query.reshape(len(rows), key.shape[1], -1, query.shape[-1])
    attended = []
    for cache, its_query, its_key, its_value in zip(rows, grouped.split(1), key.split(1), value.split(1), strict=True):
        keys, values = cache.layers[module.layer_idx].update(its_key, its_value)  # type: ignore[index, union-attr]
        attended.append(scaled_dot_product_attention(its_query, keys, values, scale=scaling, enable_gqa=is_by_head))
    together = attended[0] if len(attended) == 1 else torch.cat(attended)
    return together.reshape(len(rows), 1, *query.shape[1::2]), None


AttentionInterface.register(_NAME, _attend)
