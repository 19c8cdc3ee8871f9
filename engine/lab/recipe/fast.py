"""A faster road through the same network, for training on one core.

Idea: the stock forward loops over pictures in the vision attention and convolves patches; here pictures of one size are
batched and their patches multiplied. The stock root-mean-square norms take eight passes over memory; here they are
written out with their gradient. Forwards are replaced on the instance, so that stock models beside it stay stock.

Invariant: the same function as the stock forward for right-padded sequences without a cache (held by a test).
Shapes: N rows (patches of all views), H heads, D head width, L length.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch.nn import functional
from transformers import Qwen3VLForConditionalGeneration
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLTextRMSNorm, rotate_half

from engine.lab.recipe.sequences import EARLY, LAST, LATE

__all__ = ["AttentionPull", "Normalise", "speed_up"]

IMPLEMENTATION = "studio_training"
_HEADS = {EARLY: ((EARLY, 0), (LAST, 1)), LATE: ((LATE, 0),)}
"""By layer, counted up to LATE: what attention is pulled to, and by which head."""


class _Attention(torch.autograd.Function):
    """softmax(q k^T) v by plain matrix products, which on one core beat the fused kernels at these sizes."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scaling: float,
        is_causal: bool,
    ) -> torch.Tensor:
        # query, key, value: (batch, H, L, D)
        query = (query * scaling).contiguous()
        key, value = key.contiguous(), value.contiguous()
        scores = query @ key.transpose(-1, -2)
        if is_causal:
            length = scores.shape[-1]
            scores += torch.full((length, length), float("-inf"), dtype=scores.dtype).triu_(1)
        weights = torch.softmax(scores, -1)
        ctx.save_for_backward(query, key, value, weights)
        ctx.scaling = scaling
        return weights @ value

    @staticmethod
    def backward(  # type: ignore[override]
        ctx: Any, gradient: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        query, key, value, weights = ctx.saved_tensors
        gradient = gradient.contiguous()
        value_gradient = weights.transpose(-1, -2) @ gradient
        score_gradient = torch._softmax_backward_data(gradient @ value.transpose(-1, -2), weights, -1, weights.dtype)
        query_gradient = (score_gradient @ key) * ctx.scaling
        return query_gradient, score_gradient.transpose(-1, -2) @ query, value_gradient, None, None


class Normalise(torch.autograd.Function):
    """x / rms(x) * weight, with the gradient g' = (g w - n mean(g w n)) / rms, where n = x / rms."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:  # type: ignore[override]
        # x: (..., D), weight: (D,)
        square = torch.linalg.vector_norm(
            x, dim=-1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32)
        ).square_()
        inverse = square.div_(x.shape[-1]).add_(epsilon).rsqrt_().to(x.dtype)
        normal = x * inverse
        ctx.save_for_backward(normal, inverse, weight)
        return normal * weight

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # type: ignore[override]
        normal, inverse, weight = ctx.saved_tensors
        weight_gradient = (gradient * normal).flatten(0, -2).sum(0)
        gradient = gradient * weight
        shared = (gradient * normal).mean(-1, keepdim=True)
        return (gradient - normal * shared).mul_(inverse), weight_gradient, None


def _normalise(self: Any, hidden_states: torch.Tensor) -> torch.Tensor:
    return Normalise.apply(hidden_states, self.weight, self.variance_epsilon)


def _embed_patches(self: Any, pixels: torch.Tensor) -> torch.Tensor:
    weight = self.proj.weight
    return functional.linear(pixels.to(weight.dtype), weight.view(weight.shape[0], -1), self.proj.bias)


def _attend_views(
    self: Any,
    hidden_states: torch.Tensor,
    cu_seqlens: torch.Tensor,
    position_embeddings: tuple[torch.Tensor, torch.Tensor],
    **_: Any,
) -> torch.Tensor:
    # hidden_states: (N, hidden); runs of views of one size share one product
    query, key, value = self.qkv(hidden_states).view(hidden_states.shape[0], 3, self.num_heads, -1).unbind(1)
    cosine, sine = (part.unsqueeze(-2).to(query.dtype) for part in position_embeddings)
    query = query * cosine + rotate_half(query) * sine
    key = key * cosine + rotate_half(key) * sine
    lengths = (cu_seqlens[1:] - cu_seqlens[:-1]).tolist()
    outputs, view, start = [], 0, 0
    while view < len(lengths):
        length, last = lengths[view], view
        while last < len(lengths) and lengths[last] == length:
            last += 1
        count = last - view
        rows = slice(start, start + count * length)
        parts = (part[rows].view(count, length, self.num_heads, -1).transpose(1, 2) for part in (query, key, value))
        outputs.append(_Attention.apply(*parts, self.scaling, False).transpose(1, 2).reshape(count * length, -1))
        view, start = last, rows.stop
    return self.proj(torch.cat(outputs) if len(outputs) > 1 else outputs[0])


class AttentionPull:
    """Training aid: a head of some layers is pulled to the token that a token to be written depends on."""

    def __init__(self) -> None:
        self.pulls: torch.Tensor | None = None  # (A, 4)
        self.losses: list[torch.Tensor] = []
        self.hits: list[float] = []

    def begin(self, pulls: torch.Tensor) -> None:
        self.pulls = pulls if len(pulls) else None
        self.losses, self.hits = [], []

    def __call__(
        self,
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: None,
        scaling: float,
        **_: Any,
    ) -> tuple[torch.Tensor, None]:
        # query: (B, H, L, D), key and value: (B, H / groups, L, D); right padding needs no mask under causality
        for goal, head in _HEADS.get(min(module.layer_idx, LATE), ()):
            pulls = None if self.pulls is None else self.pulls[self.pulls[:, 3] == goal]
            if pulls is None or not len(pulls):
                continue
            sequence, source, target, _goal = pulls.unbind(1)
            # One head of keys serves all of the queries'.
            scores = torch.einsum("ad,ald->al", query[:, head][sequence, source], key[:, 0][sequence]).float() * scaling
            later = torch.arange(key.shape[2])[None] > source[:, None]
            scores = scores.masked_fill(later, float("-inf"))
            self.losses.append(functional.cross_entropy(scores, target))
            self.hits.append((scores.detach().argmax(-1) == target).float().mean().item())
        groups = query.shape[1] // key.shape[1]
        if groups > 1:
            key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
        output = _Attention.apply(query, key, value, scaling, True)
        return output.transpose(1, 2).contiguous(), None


def speed_up(model: Qwen3VLForConditionalGeneration, pull: AttentionPull) -> None:
    """Replace this instance's slow parts. The text model's attention goes through `pull`."""
    visual = model.model.visual
    visual.patch_embed.forward = MethodType(_embed_patches, visual.patch_embed)
    for block in visual.blocks:
        block.attn.forward = MethodType(_attend_views, block.attn)
    norms: list[Any] = [one for one in model.model.language_model.modules() if isinstance(one, Qwen3VLTextRMSNorm)]
    for norm in norms:
        norm.forward = MethodType(_normalise, norm)
    ALL_ATTENTION_FUNCTIONS.register(IMPLEMENTATION, pull)
    ALL_MASK_ATTENTION_FUNCTIONS.register(IMPLEMENTATION, lambda *_, **__: None)
    model.model.language_model.config._attn_implementation = IMPLEMENTATION
