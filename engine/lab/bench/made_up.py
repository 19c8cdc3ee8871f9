"""A network of random weights with a vocabulary of real size: what a token costs does not depend on what it says.

The shape is Qwen3-VL's with 160 million parameters, of which the 151,936 words of Qwen's vocabulary take 97; the words are made
up. The vision tower is a stub unless it is asked for: of 6 layers it has 8 million more, the share of Qwen3-VL's 4B.
"""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import AddedToken, pre_tokenizers
from transformers import (
    Qwen2Tokenizer,
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from engine.backbone.adapters import Adapters
from engine.backbone.loading import PUBLISHED_BUDGETS, Backbone

__all__ = ["VOCABULARY", "made_up_backbone"]

VOCABULARY = 151_936
_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
_CALLS = ("<tool_call>", "</tool_call>")


def made_up_backbone(
    layers: int = 13, hidden_size: int = 640, vocabulary: int = VOCABULARY, *, tower_layers: int = 0
) -> Backbone:
    """In fp32 on the CPU, from a fixed seed; `tower_layers` of 0 for a stub that sees nothing. It answers in the wire format
    `studio`."""
    tokenizer = _tokenizer(vocabulary)
    ids: dict[str, Any] = {name: tokenizer.convert_tokens_to_ids(name) for name in _SPECIAL}
    rope = {"rope_type": "default", "mrope_section": [12, 10, 10], "mrope_interleaved": True, "rope_theta": 10000.0}
    config = Qwen3VLConfig(
        text_config={
            "hidden_size": hidden_size,
            "num_hidden_layers": layers,
            "intermediate_size": 3 * hidden_size,
            "num_attention_heads": hidden_size // 64,
            "num_key_value_heads": hidden_size // 128,
            "head_dim": 64,
            "rope_parameters": rope,
            "vocab_size": vocabulary,
            "max_position_embeddings": 8192,
            "eos_token_id": ids["<|im_end|>"],
            "pad_token_id": ids["<|endoftext|>"],
            "bos_token_id": None,
            "tie_word_embeddings": True,
        },
        vision_config={
            "depth": tower_layers or 1,
            "hidden_size": hidden_size // 2 if tower_layers else 64,
            "intermediate_size": 2 * hidden_size if tower_layers else 64,
            "num_heads": hidden_size // 128 if tower_layers else 1,
            "out_hidden_size": hidden_size,
            "num_position_embeddings": 2304 if tower_layers else 16,
            "deepstack_visual_indexes": [0, tower_layers // 2, tower_layers - 1] if tower_layers else [],
        },
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network: Any = Qwen3VLForConditionalGeneration(config)
    network.config._attn_implementation = "sdpa"
    network.requires_grad_(False)
    network.eval()
    count = sum(weight.numel() for weight in network.parameters())
    name = f"made-up-{count / 1e6:.0f}m"
    return Backbone(
        name=name,
        model=network,
        processor=Qwen3VLProcessor(
            image_processor=Qwen2VLImageProcessor(patch_size=network.config.vision_config.patch_size),
            tokenizer=tokenizer,
            video_processor=Qwen3VLVideoProcessor(),
        ),
        device=torch.device("cpu"),
        quantization="none",
        protocol_name="studio",
        protocol_reason="it was made up so",
        budgets=PUBLISHED_BUDGETS,
        base_hash=name,
        adapters=Adapters(network, name),
    )


def _tokenizer(vocabulary: int) -> Qwen2Tokenizer:
    """Every byte, then words of three letters of the byte alphabet, and last what is special."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = vocabulary - len(_SPECIAL) - len(_CALLS)
    size, spelled = len(letters), list(letters)
    for number in range(max(0, words - size)):
        spelled.append(letters[number // size**2] + letters[number // size % size] + letters[number % size])
    tokenizer = Qwen2Tokenizer(
        vocab={word: number for number, word in enumerate(spelled[:words])},
        merges=[],
        unk_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        bos_token=None,
    )
    tokenizer.add_tokens([AddedToken(name, special=True, normalized=False) for name in _SPECIAL])
    tokenizer.add_tokens([AddedToken(name, special=False, normalized=False) for name in _CALLS])
    return tokenizer
