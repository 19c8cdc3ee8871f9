"""Rollouts as one batch of tensors, in the shape that TRL's GRPO loss takes.

    prompt_ids, prompt_mask            [B, P]      padded on the left
    completion_ids, completion_mask    [B, C]      padded on the right: everything after the opening, observations too
    tool_mask                          [B, C]      1 where the model said the token, 0 elsewhere (and 0 in padding)
    mm_token_type_ids                  [B, P + C]  1 at picture placeholders
    pixel_values [p, d], image_grid_thw [k, 3]     of all pictures, row after row; num_images says how many a row has
    opening_images                     [B]         how many of a row's pictures stand in its prompt

Invariant: a picture is cut and resized exactly as when it was shown (a test compares). Each is processed once a batch,
however many rows show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from engine.backbone.loading import Backbone
from engine.backbone.session import IMAGE_PAD, Picture, encode_picture
from engine.media import Pictures
from engine.operations import cut
from engine.protocols import picture_role
from engine.trace import first_views
from engine.training.dataset import PictureLoader
from engine.training.rollouts import Rollout

__all__ = ["batch_tensors", "shown_pictures"]

Shown = tuple[torch.Tensor, torch.Tensor]
"""pixels [p, d], grid [1, 3] of one picture."""


def batch_tensors(backbone: Backbone, rollouts: Sequence[Rollout], load_pictures: PictureLoader) -> dict[str, Any]:
    """Shapes in the module docstring; on the backbone's device."""
    tokenizer, device = backbone.tokenizer, backbone.device
    padding = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    prompts = [one.ids[: one.prompt_tokens].flip(0) for one in rollouts]
    completions = [one.ids[one.prompt_tokens :] for one in rollouts]
    said = [one.sampled[one.prompt_tokens :].long() for one in rollouts]
    # Left padding is right padding of what is turned round.
    prompt_ids = pad_sequence(prompts, batch_first=True, padding_value=padding).flip(1)
    prompt_mask = pad_sequence([torch.ones_like(ids) for ids in prompts], batch_first=True).flip(1)
    completion_ids = pad_sequence(completions, batch_first=True, padding_value=padding)
    completion_mask = pad_sequence([torch.ones_like(ids) for ids in completions], batch_first=True)
    everything = torch.cat([prompt_ids, completion_ids], dim=1)
    is_real = torch.cat([prompt_mask, completion_mask], dim=1).bool()
    is_picture = (everything == tokenizer.convert_tokens_to_ids(IMAGE_PAD)) & is_real
    known: dict[tuple[Any, ...], Shown] = {}
    shown = [picture for one in rollouts for picture in _shown(backbone, one, load_pictures(one.trace.media), known)]
    return {
        "prompt_ids": prompt_ids.to(device),
        "prompt_mask": prompt_mask.to(device),
        "completion_ids": completion_ids.to(device),
        "completion_mask": completion_mask.to(device),
        "tool_mask": pad_sequence(said, batch_first=True).to(device),
        "mm_token_type_ids": is_picture.int().to(device),
        "pixel_values": torch.cat([pixels for pixels, _ in shown]).to(device, backbone.model.dtype),
        "image_grid_thw": torch.cat([grid for _, grid in shown]).to(device),
        "num_images": [one.shown for one in rollouts],
        "opening_images": torch.tensor([len(first_views(one.trace.media)) for one in rollouts]),
    }


def shown_pictures(backbone: Backbone, rollout: Rollout, pictures: Pictures) -> list[Shown]:
    """The pictures of a rollout as they were shown, in order."""
    return _shown(backbone, rollout, pictures, {})


def _shown(
    backbone: Backbone, rollout: Rollout, pictures: Pictures, known: dict[tuple[Any, ...], Shown]
) -> list[Shown]:
    found, openings = [], len(first_views(rollout.trace.media))
    for view in rollout.trace.views[: rollout.shown]:
        role = picture_role(view, is_opening=view.number <= openings)
        key = (view.sha256, view.frame, view.box, role)
        if key not in known:
            known[key] = encode_picture(backbone, Picture(cut(view, pictures), backbone.budgets[role]))
        found.append(known[key])
    return found
