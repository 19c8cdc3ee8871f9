r"""The log-probabilities of words that were said, and their gradient, in one pass over the vocabulary that keeps no logits.

    z_v = (h W_v + b_v) / T                                  h hidden [N, size], W [V, size], y the word said
    log p_y = -softplus(a)        a = m + log s - z_y        s = sum_{v != y} exp(z_v - m), m their largest
    H       = H(q) + q (log s - t / s)                       q = sigmoid(a) = 1 - p_y, t = sum_{v != y} exp(z_v - m) (z_v - m)
    d log p_y / d h = q (W_y - r / s) / T                    r = sum_{v != y} exp(z_v - m) W_v

The idea: the vocabulary is walked in tiles that stay in the processor's cache, with the running maximum of an online softmax
(Milakov and Gimelshein 2018, arXiv 1805.02867). The gradient of a log-probability by h needs nothing from above but a factor, so
it is made on the way: two products where a backward pass that computes the logits again makes three. What was said is left out
of the sums, so that nothing cancels where it is all but certain.

Differs from `ChunkedLogProbFunction` of TRL, whose numbers these are (a test compares): no gradient for W or b, which are
frozen here, nor of the entropy, which is only looked at.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import logsigmoid, softplus

__all__ = ["word_log_probs"]

_ROWS = 1024
_CACHED_WORDS, _MANY_WORDS = 512, 32_768
"""Words of a tile: on a CPU what stays in its cache, elsewhere what fills the device."""
_LOWEST = -1e30


def word_log_probs(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    words: torch.Tensor,
    temperature: float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of `words` [N] and entropies, in nats, [N] each, in fp32 at the least; `hidden` [N, size], `weight`
    [V, size] and `bias` [V] of the head. Only the log-probabilities have a gradient, only by `hidden`."""
    found: tuple[torch.Tensor, torch.Tensor] = _WordLogProbs.apply(hidden, weight, bias, words, temperature)
    return found


class _WordLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        words: torch.Tensor,
        temperature: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        exact = torch.promote_types(hidden.dtype, torch.float32)
        log_probs, entropies = (torch.empty(len(hidden), dtype=exact, device=hidden.device) for _ in range(2))
        slopes = torch.empty_like(hidden, dtype=exact)
        for start in range(0, len(hidden), _ROWS):
            rows = slice(start, start + _ROWS)
            found = _of_rows(hidden[rows], weight, bias, words[rows], temperature)
            log_probs[rows], entropies[rows], slopes[rows] = found
        ctx.save_for_backward(slopes)
        ctx.dtype = hidden.dtype
        ctx.mark_non_differentiable(entropies)
        return log_probs, entropies

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None, None, None]:
        (slopes,) = ctx.saved_tensors
        return (gradients[0][:, None] * slopes).to(ctx.dtype), None, None, None, None


def _of_rows(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    words: torch.Tensor,
    temperature: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Log-probabilities [n], entropies [n] and d log p / d h [n, size] of some rows, as the module docstring has them."""
    exact = torch.promote_types(hidden.dtype, torch.float32)
    tile = _CACHED_WORDS if hidden.device.type == "cpu" else _MANY_WORDS
    rows = torch.arange(len(hidden), device=hidden.device)
    highest = torch.full((len(hidden), 1), _LOWEST, dtype=exact, device=hidden.device)
    total, inner, said = (torch.zeros_like(highest) for _ in range(3))
    others = torch.zeros_like(hidden, dtype=exact)
    for start in range(0, len(weight), tile):
        part = weight[start : start + tile].to(hidden.dtype)
        logits = (hidden @ part.t()).to(exact)
        if bias is not None:
            logits += bias[start : start + tile]
        if temperature != 1:
            logits /= temperature
        here = rows[(words >= start) & (words < start + len(part))]
        said[here, 0] = logits[here, words[here] - start]
        logits[here, words[here] - start] = _LOWEST
        before, highest = highest, torch.maximum(highest, logits.amax(1, keepdim=True))
        lower = before - highest
        shrink = lower.exp()
        logits -= highest
        weights = logits.exp()
        inner = (inner + total * lower) * shrink + torch.linalg.vecdot(weights, logits)[:, None]
        total = total * shrink + weights.sum(1, keepdim=True)
        if bool((lower < 0).any()):
            others *= shrink
        if others.dtype == part.dtype:
            others.addmm_(weights, part)
        else:
            others += weights.to(part.dtype) @ part
    log_total = total.log()
    odds = highest + log_total - said
    share, log_share, log_rest = odds.sigmoid(), logsigmoid(odds), logsigmoid(-odds)
    entropy = -share * log_share - (1 - share) * log_rest + share * (log_total - inner / total)
    slope = share * (weight[words] - others / total) / temperature
    return -softplus(odds)[:, 0], entropy[:, 0], slope
