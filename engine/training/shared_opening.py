"""The rollouts of a question share its opening, and so does their update: it is forwarded once, and each goes on from there.

The idea: pictures and question are most of a conversation (sixteen frames are a thousand tokens, what is said of them a
hundred), and G rollouts begin with the same ones. Rolling out forks one prefilled session; this is the same for learning.

    opening      [1, P - 1]    forwarded once; its key-value cache keeps its graph
    rest         [R, C + 1]    the opening's last token and the R completions, on that cache, seen by all rows

The head may be most of the network, so only what was said goes through it: neither the opening nor what came back between two
turns does (TRL scores every position where there is no Triton).

Gradients come back to the opening through the cache, those of all rows added up: what forwarding R whole rows gives, but
for rounding (a test holds log-probabilities and gradients to TRL's own, in fp32).

Gradient checkpointing keeps no cache: there `of_whole_rows` forwards each row from its first token, at the same positions.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from transformers import DynamicCache

from engine.backbone.loading import Backbone
from engine.backbone.positions import row_positions
from engine.backbone.seeing import clip_interval
from engine.training.word_log_probs import word_log_probs

__all__ = ["log_probs_and_entropies", "of_whole_rows"]


def log_probs_and_entropies(
    backbone: Backbone, rows: Mapping[str, Any], temperature: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Of the completions of one group, [R, C] each, 0 where the model did not say the token itself. `rows` is a batch as
    `rollout_batch.batch_tensors` makes it, of rows with the same opening and no padding before it. The adapter that is asked
    must be the one that acts."""
    network = backbone.model.model
    opening, completions = rows["prompt_ids"][:1], rows["completion_ids"]
    count, before = len(completions), opening.shape[1] - 1
    grids, counts = rows["image_grid_thw"], rows["num_images"]
    ids, mask, positions = _laid_out(rows, backbone)
    patches = torch.split(rows["pixel_values"], grids.prod(-1).tolist())
    firsts = [0, *itertools.accumulate(counts)][:-1]
    shared = int(rows["opening_images"][0])
    later = [k for first, images in zip(firsts, counts, strict=True) for k in range(first + shared, first + images)]
    cache = DynamicCache(config=backbone.model.config)
    network(
        input_ids=opening[:, :before],
        position_ids=positions[:, :1, :before],
        cache=cache,
        use_cache=True,
        pixel_values=torch.cat(patches[:shared]),
        image_grid_thw=grids[:shared],
    )
    cache.batch_repeat_interleave(count)
    pictures = {"pixel_values": torch.cat([patches[k] for k in later]), "image_grid_thw": grids[later]} if later else {}
    output = network(
        input_ids=ids[:, before:],
        attention_mask=mask,
        position_ids=positions[:, :, before:],
        cache=cache,
        **pictures,
    )
    return _of_said(backbone, rows, output.last_hidden_state, temperature)


def of_whole_rows(
    backbone: Backbone, rows: Mapping[str, Any], temperature: float = 1.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `log_probs_and_entropies`, of rows of any groups, each forwarded whole."""
    ids, mask, positions = _laid_out(rows, backbone)
    output = backbone.model.model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        use_cache=False,
        pixel_values=rows["pixel_values"],
        image_grid_thw=rows["image_grid_thw"],
    )
    return _of_said(backbone, rows, output.last_hidden_state, temperature)


def _of_said(
    backbone: Backbone, rows: Mapping[str, Any], hidden: torch.Tensor, temperature: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """[R, C] each, of `hidden` [R, at least C + 1, size], whose last C + 1 belong to the completions and the token before."""
    completions, head = rows["completion_ids"], backbone.model.get_output_embeddings()
    is_said = (rows["tool_mask"] * rows["completion_mask"]).bool()
    log_probs, entropies = word_log_probs(
        hidden[:, -completions.shape[1] - 1 : -1][is_said],
        head.weight,
        head.bias,
        completions[is_said],
        temperature,
    )
    nothing = log_probs.new_zeros(is_said.shape)
    return nothing.masked_scatter(is_said, log_probs), nothing.masked_scatter(is_said, entropies)


def _laid_out(rows: Mapping[str, Any], backbone: Backbone) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids and mask [R, P + C], and the positions [3, R, P + C] at which the session said them."""
    ids = torch.cat([rows["prompt_ids"], rows["completion_ids"]], dim=1)
    mask = torch.cat([rows["prompt_mask"], rows["completion_mask"]], dim=1)
    merge, interval = backbone.processor.image_processor.merge_size, clip_interval(backbone) or 1
    seen, grids, counts = rows["mm_token_type_ids"], rows["image_grid_thw"], rows["num_images"]
    return ids, mask, row_positions(seen, mask, grids, counts, merge, interval)
