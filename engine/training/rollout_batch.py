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
from engine.backbone.seeing import clip_interval, encode_seen
from engine.backbone.session import IMAGE_PAD
from engine.media import Pictures
from engine.policies.local import seen
from engine.protocols import PicturePart, picture_role, seen_together
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
    shown = [_shown(backbone, one, load_pictures(one.trace.media), known) for one in rollouts]
    pictures = [picture for some in shown for picture in some]
    return {
        "prompt_ids": prompt_ids.to(device),
        "prompt_mask": prompt_mask.to(device),
        "completion_ids": completion_ids.to(device),
        "completion_mask": completion_mask.to(device),
        "tool_mask": pad_sequence(said, batch_first=True).to(device),
        "mm_token_type_ids": is_picture.int().to(device),
        "pixel_values": torch.cat([pixels for pixels, _ in pictures]).to(device, backbone.model.dtype),
        "image_grid_thw": torch.cat([grid for _, grid in pictures]).to(device),
        "num_images": [len(some) for some in shown],
        "opening_images": torch.tensor([len(_together(backbone, one, first_only=True)) for one in rollouts]),
    }


def shown_pictures(backbone: Backbone, rollout: Rollout, pictures: Pictures) -> list[Shown]:
    """The pictures of a rollout as they were shown, in order."""
    return _shown(backbone, rollout, pictures, {})


def _shown(
    backbone: Backbone, rollout: Rollout, pictures: Pictures, known: dict[tuple[Any, ...], Shown]
) -> list[Shown]:
    found = []
    for some in _together(backbone, rollout):
        key = tuple((part.view.sha256, part.view.frame, part.view.box, part.role) for part in some)
        if key not in known:
            (one,) = seen(some, backbone, pictures)
            (known[key],) = encode_seen(backbone, [one])
        found.append(known[key])
    return found


def _together(backbone: Backbone, rollout: Rollout, *, first_only: bool = False) -> list[tuple[PicturePart, ...]]:
    """What was shown, a picture or a clip each; only what the question opened with where `first_only`."""
    openings = len(first_views(rollout.trace.media))
    views = rollout.trace.views[: openings if first_only else rollout.shown]
    parts = [PicturePart(view, picture_role(view, is_opening=view.number <= openings)) for view in views]
    return seen_together(parts, is_one_video=clip_interval(backbone) is not None)
