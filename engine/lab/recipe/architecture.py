"""The model's sizes: transformers' Qwen3-VL, made small, and the throw-away heads of training.

Idea: every linear layer's input is a multiple of 64 wide, so that bitsandbytes' NF4 blocks fit. One temporal patch,
no deepstack: a tower of six layers has no depths to stack. The position grid is 20x20 and is stretched over any
picture, so that a token knows its place in shares of the picture, which is what coordinates are.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from engine.lab.recipe import views
from engine.lab.world import signs, words

__all__ = ["BINS", "VISION", "Probes", "build_config", "build_model", "order_coordinates", "working_type"]

TEXT = {
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 3,
    "num_key_value_heads": 1,
    "head_dim": 64,
    "max_position_embeddings": 8192,
    "initializer_range": 0.02,
}
VISION_HIDDEN = 192
VISION = {
    "depth": 6,
    "hidden_size": VISION_HIDDEN,
    "intermediate_size": 512,
    "num_heads": 3,
    "patch_size": 14,
    "temporal_patch_size": 1,
    "spatial_merge_size": 2,
    "num_position_embeddings": 400,
    "deepstack_visual_indexes": [],
}
BINS = 101


def build_config(vocabulary: int, token_ids: dict[str, int]) -> Qwen3VLConfig:
    """`token_ids` names Qwen's special tokens; the vocabulary is rounded up to a multiple of 64."""
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [12, 10, 10], "mrope_interleaved": True}
    return Qwen3VLConfig(
        text_config={
            **TEXT,
            "vocab_size": -(-vocabulary // 64) * 64,
            "rope_parameters": rope,
            "pad_token_id": token_ids["<|endoftext|>"],
            "bos_token_id": None,
            "eos_token_id": token_ids["<|im_end|>"],
            "tie_word_embeddings": True,
        },
        vision_config={**VISION, "out_hidden_size": TEXT["hidden_size"]},
        image_token_id=token_ids["<|image_pad|>"],
        video_token_id=token_ids["<|video_pad|>"],
        vision_start_token_id=token_ids["<|vision_start|>"],
        vision_end_token_id=token_ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )


def working_type() -> torch.dtype:
    """bf16 where the processor multiplies it, fp32 elsewhere, where bf16 is emulated and slower."""
    has_bf16 = (
        getattr(torch.cpu, "_is_avx512_bf16_supported", bool)() or getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    )
    return torch.bfloat16 if has_bf16 else torch.float32


def build_model(config: Qwen3VLConfig) -> Qwen3VLForConditionalGeneration:
    """Fresh weights from the current torch seed, with a place in the picture written into the position embedding."""
    model = Qwen3VLForConditionalGeneration(config)
    _add_sinusoid(model.model.visual.pos_embed.weight)
    return model


@torch.no_grad()
def _add_sinusoid(weight: torch.Tensor, scale: float = 0.8) -> None:
    """Nothing forces absolute position into the features of a fresh tower; a loud 2-D sinusoid does.

    weight: (side * side, hidden)
    """
    side = math.isqrt(weight.shape[0])
    steps = torch.arange(side) / (side - 1)
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    frequencies = torch.tensor([0.25, 0.5, 1.0, 2.0, 3.0, 4.0])
    waves = torch.cat(
        [
            wave(2 * math.pi * axis.reshape(-1, 1) * frequencies)
            for axis in (columns, rows)
            for wave in (torch.sin, torch.cos)
        ],
        1,
    )
    field = waves @ torch.randn(waves.shape[1], weight.shape[1])
    weight.add_(field / field.std() * scale)


@torch.no_grad()
def order_coordinates(weight: torch.Tensor, coordinate_ids: list[int]) -> None:
    """Give the tokens 0.00 to 1.00 embeddings that lie on a smooth curve. weight: (vocabulary, hidden)."""
    place = torch.arange(float(BINS)) / BINS
    frequencies = torch.arange(1, 13).float()
    angles = math.pi * place[:, None] * frequencies
    waves = torch.cat([torch.cos(angles), torch.sin(angles)], 1) / frequencies.repeat(2).sqrt()
    curve = waves @ torch.randn(waves.shape[1], weight.shape[1])
    weight[coordinate_ids] = curve / curve.std() * 0.02


class Probes(nn.Module):
    """Heads that only training uses: they press dense knowledge into the vision tower's features."""

    def __init__(self) -> None:
        super().__init__()
        hidden, vision_hidden = int(TEXT["hidden_size"]), VISION_HIDDEN
        classes = 1 + len(words.CHARACTERS)
        self.color = nn.Linear(hidden, 1 + len(signs.COLORS))
        self.shape = nn.Linear(hidden, 1 + len(signs.SHAPES))
        self.box = nn.Linear(hidden, 4 * BINS)
        self.patch_character = nn.Linear(vision_hidden, classes)
        self.token_characters = nn.Linear(hidden, 4 * classes)
        self.token_orders = nn.Linear(hidden, 4 * words.LONGEST)
        self.owner_color = nn.Linear(hidden, len(signs.COLORS))
        self.owner_shape = nn.Linear(hidden, len(signs.SHAPES))
        kinds, hues = 1 + len(views.THINGS), 1 + len(signs.COLORS)
        self.patch_kind = nn.Linear(vision_hidden, kinds)
        self.patch_hue = nn.Linear(vision_hidden, hues)
        self.token_kinds = nn.Linear(hidden, 4 * kinds)
        self.token_hues = nn.Linear(hidden, 4 * hues)
        self.patch_middle = nn.Linear(vision_hidden, 2)
        self.token_middles = nn.Linear(hidden, 4 * 2)
        # They join a tower that is trained already: heads that shout at random would first undo it.
        things = self.patch_kind, self.patch_hue, self.patch_middle
        for head in (*things, self.token_kinds, self.token_hues, self.token_middles):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
