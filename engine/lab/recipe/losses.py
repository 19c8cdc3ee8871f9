"""What a step minimises: the answer tokens, and what the throw-away heads should see.

Idea: coordinates are ordinal, so their targets are softened by a Gaussian of one hundredth; everything else is
cross-entropy. The heads' losses keep the tower's features full of characters, names and places while the language
model learns to use them.

Shapes: as in `batches`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional
from transformers import Qwen3VLForConditionalGeneration

from engine.lab.recipe.architecture import BINS, Probes
from engine.lab.recipe.batches import Batch
from engine.lab.recipe.fast import AttentionPull
from engine.lab.recipe.views import UNKNOWN

__all__ = ["Vocabulary", "normalise", "step_losses"]

NOTHING_CHARACTER = 0.3
NOTHING_SIGN = 0.2
WORDING = 0.3


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the losses must know of the tokenizer."""

    coordinate_ids: torch.Tensor  # (101,)
    is_coordinate: torch.Tensor  # (vocabulary,)
    coordinate_value: torch.Tensor  # (vocabulary,)
    is_character: torch.Tensor  # (vocabulary,)
    is_value: torch.Tensor  # (vocabulary,): words that tell what was seen
    box_id: int  # the token that an answer follows


def normalise(pixels: torch.Tensor) -> torch.Tensor:
    """Bytes to [-1, 1], as the processor's mean and deviation of 0.5 do."""
    return pixels.float().div_(127.5).sub_(1.0)


def _gaussian_targets(values: torch.Tensor, width: float = 1.0) -> torch.Tensor:
    """(n,) hundredths -> (n, 101) probabilities."""
    distance = torch.arange(float(BINS))[None] - values[:, None]
    weights = torch.exp(-(distance**2) / (2 * width**2))
    return weights / weights.sum(1, keepdim=True)


def _soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return -(targets * functional.log_softmax(logits, -1)).sum(-1)


def _weighted(classes: int, nothing: float) -> torch.Tensor:
    weights = torch.ones(classes)
    weights[0] = nothing
    return weights


def _vision_losses(
    probes: Probes, batch: Batch, patches: torch.Tensor, tokens: torch.Tensor, figures: dict[str, float]
) -> torch.Tensor:
    """patches: (P, vision hidden) before merging; tokens: (T, hidden) after."""
    loss = tokens.new_zeros((), dtype=torch.float32)
    known = batch.characters != UNKNOWN
    if known.any():
        wanted = batch.characters[known]
        seen = probes.patch_character(patches[known]).float()
        classes = seen.shape[1]
        loss = loss + _character_loss(seen, wanted)
        four = batch.characters.view(-1, 4)
        whole = (four != UNKNOWN).all(1)
        merged = probes.token_characters(tokens[whole]).float().view(-1, classes)
        merged_wanted = four[whole].reshape(-1)
        loss = loss + _character_loss(merged, merged_wanted)
        with torch.no_grad():
            is_text = wanted > 0
            if is_text.any():
                figures["patch_character"] = _accuracy(seen[is_text], wanted[is_text])
                figures["patch_nothing"] = _accuracy(seen[~is_text], wanted[~is_text])
                is_text = merged_wanted > 0
                figures["token_character"] = _accuracy(merged[is_text], merged_wanted[is_text])
    loss = loss + _thing_losses(probes, batch, patches, tokens, figures)
    ordered = batch.orders != UNKNOWN
    if ordered.any():
        order = probes.token_orders(tokens).float().view(len(batch.orders), -1)[ordered]
        loss = loss + functional.cross_entropy(order, batch.orders[ordered])
        figures["order"] = _accuracy(order.detach(), batch.orders[ordered])
    owned = batch.owner_colors != UNKNOWN
    if owned.any():
        color, shape = probes.owner_color(tokens[owned]).float(), probes.owner_shape(tokens[owned]).float()
        loss = loss + 0.5 * functional.cross_entropy(color, batch.owner_colors[owned])
        loss = loss + 0.5 * functional.cross_entropy(shape, batch.owner_shapes[owned])
        figures["owner_color"] = _accuracy(color.detach(), batch.owner_colors[owned])
        figures["owner_shape"] = _accuracy(shape.detach(), batch.owner_shapes[owned])
    named = batch.colors != UNKNOWN
    if named.any():
        color, shape = probes.color(tokens[named]).float(), probes.shape(tokens[named]).float()
        colors, shapes = batch.colors[named], batch.shapes[named]
        loss = loss + functional.cross_entropy(color, colors, weight=_weighted(color.shape[1], NOTHING_SIGN))
        loss = loss + 0.5 * functional.cross_entropy(shape, shapes, weight=_weighted(shape.shape[1], NOTHING_SIGN))
        with torch.no_grad():
            is_sign = colors > 0
            if is_sign.any():
                figures["color"] = _accuracy(color[is_sign], colors[is_sign])
                figures["shape"] = _accuracy(shape[is_sign], shapes[is_sign])
                figures["no_sign"] = _accuracy(color[~is_sign], colors[~is_sign])
    if len(batch.boxes):
        bins = probes.box(tokens[batch.boxes[:, 0].long()]).float().view(-1, BINS)
        edges = batch.boxes[:, 1:].reshape(-1)
        loss = loss + 0.5 * _soft_cross_entropy(bins, _gaussian_targets(edges)).mean()
        figures["box_error"] = (bins.detach().argmax(-1) - edges).abs().mean().item()
    return loss


def _thing_losses(
    probes: Probes, batch: Batch, patches: torch.Tensor, tokens: torch.Tensor, figures: dict[str, float]
) -> torch.Tensor:
    """Small things, as characters are told: by every patch before merging, and by the merged token for each of its four."""
    loss = tokens.new_zeros((), dtype=torch.float32)
    parts = (
        ("middle", batch.middles, probes.patch_middle, probes.token_middles, 0.5),
        ("kind", batch.kinds, probes.patch_kind, probes.token_kinds, 1.0),
        ("hue", batch.hues, probes.patch_hue, probes.token_hues, 0.5),
    )
    for name, labels, by_patch, by_token, share in parts:
        known = labels != UNKNOWN
        if not known.any():
            continue
        whole = (labels.view(-1, 4) != UNKNOWN).all(1)
        wanted, merged_wanted = labels[known], labels.view(-1, 4)[whole].reshape(-1)
        seen = by_patch(patches[known]).float()
        merged = by_token(tokens[whole]).float().view(-1, seen.shape[1])
        loss = loss + share * (_character_loss(seen, wanted) + _character_loss(merged, merged_wanted))
        with torch.no_grad():
            is_thing = wanted > 0
            if is_thing.any():
                figures[f"patch_{name}"] = _accuracy(seen[is_thing], wanted[is_thing])
            if not is_thing.all():
                figures["no_thing"] = _accuracy(seen[~is_thing], wanted[~is_thing])
            is_thing = merged_wanted > 0
            if is_thing.any():
                figures[f"token_{name}"] = _accuracy(merged[is_thing], merged_wanted[is_thing])
    return loss


def _character_loss(logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Characters and the nothing between them averaged apart: a crop has fifty times more of the second than of the first."""
    losses = functional.cross_entropy(logits, wanted, reduction="none")
    is_text = wanted > 0
    loss = NOTHING_CHARACTER * losses[~is_text].mean() if (~is_text).any() else losses.new_zeros(())
    return loss + losses[is_text].mean() if is_text.any() else loss


def _accuracy(logits: torch.Tensor, wanted: torch.Tensor) -> float:
    return (logits.argmax(-1) == wanted).float().mean().item()


def _text_losses(
    logits: torch.Tensor,
    wanted: torch.Tensor,
    before: torch.Tensor,
    vocabulary: Vocabulary,
    figures: dict[str, float],
) -> torch.Tensor:
    """logits: (n, vocabulary) at the tokens to be predicted, wanted: (n,), before: (n,) the tokens that they follow.

    What is told (characters, coordinates, values) and how it is worded are averaged apart: a turn has far more of the
    second, and it is learned soon.
    """
    is_coordinate, is_value = vocabulary.is_coordinate[wanted], vocabulary.is_value[wanted]
    is_character = vocabulary.is_character[wanted] | is_value
    rest = ~is_character & ~is_coordinate
    plain = functional.cross_entropy(logits, wanted, reduction="none")
    told = plain[is_character].sum()
    if is_coordinate.any():
        values = vocabulary.coordinate_value[wanted[is_coordinate]]
        share = functional.log_softmax(logits[is_coordinate], -1)[:, vocabulary.coordinate_ids]
        told = told - (_gaussian_targets(values) * share).sum()
    with torch.no_grad():
        guessed = logits.argmax(-1)
        if is_character.any():
            figures["character"] = (guessed == wanted)[is_character].float().mean().item()
        is_answer = before == vocabulary.box_id
        if is_value.any():
            figures["value"] = (guessed == wanted)[is_value].float().mean().item()
        if is_answer.any():
            figures["answer"] = (guessed == wanted)[is_answer].float().mean().item()
        if rest.any():
            figures["wording"] = (guessed == wanted)[rest].float().mean().item()
        if is_coordinate.any():
            guesses = vocabulary.coordinate_value[guessed[is_coordinate]]
            figures["coordinate_error"] = (guesses - values).abs().mean().item()
    loss = told / max(1, len(wanted) - int(rest.sum()))
    return loss + WORDING * plain[rest].mean() if rest.any() else loss


def step_losses(
    model: Qwen3VLForConditionalGeneration,
    probes: Probes,
    batch: Batch,
    vocabulary: Vocabulary,
    pull: AttentionPull,
    is_vision_frozen: bool = False,
) -> tuple[torch.Tensor, dict[str, float]]:
    figures: dict[str, float] = {}
    visual = model.model.visual
    pixels = normalise(batch.pixels).to(visual.dtype)
    if is_vision_frozen:
        with torch.no_grad():
            patches = visual(pixels, grid_thw=batch.grids).last_hidden_state
        tokens = visual.merger(patches)
    else:
        seen = visual(pixels, grid_thw=batch.grids)
        patches, tokens = seen.last_hidden_state, seen.pooler_output
    loss = _vision_losses(probes, batch, patches, tokens, figures)
    figures["vision_loss"] = loss.item()
    if batch.ids.numel():
        text = model.model.language_model
        embedded = text.embed_tokens(batch.ids).flatten(0, 1)
        embedded = embedded.index_copy(0, batch.places, tokens.to(embedded.dtype)).view(*batch.ids.shape, -1)
        pull.begin(batch.pulls)
        hidden = text(
            inputs_embeds=embedded, position_ids=batch.positions, attention_mask=None, use_cache=False
        ).last_hidden_state
        wanted = batch.labels[:, 1:]
        is_wanted = wanted != UNKNOWN
        logits = model.lm_head(hidden[:, :-1][is_wanted]).float()
        text_loss = _text_losses(logits, wanted[is_wanted], batch.ids[:, :-1][is_wanted], vocabulary, figures)
        figures["text_loss"] = text_loss.item()
        loss = loss + text_loss
        if pull.losses:
            pulled = sum(pull.losses) / 2
            figures["pull"] = pull.hits[-1]
            loss = loss + pulled
    figures["loss"] = loss.item()
    return loss, figures
