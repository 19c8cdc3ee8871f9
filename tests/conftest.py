"""Fixtures that several rooms share: small random-weight models of the real architectures, saved as a Hub folder is.

They are made once a session, from fixed seeds, and load through AutoProcessor and AutoModelForImageTextToText.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["HF_HUB_OFFLINE"] = "1"

# A busy machine is slow, not wrong.
settings.register_profile("studio", deadline=None)
settings.load_profile("studio")

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
CORPUS = (
    *["What is written on the red disc? It says KX7421. I will zoom in. user assistant system"] * 3,
    *[
        'The disc is small. {"name": "zoom_in", "arguments": {"bbox_2d": [0.25, 0.25, 0.75, 0.75], "target_image": 1}}',
        "Here is the cropped image (Image Size: 70x56):",
        r"I read it. I guess. \boxed{17}",
    ]
    * 2,
)
"""Where the vocabulary comes from: what tests let a small model say is few tokens, as it is for a real one."""


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """random_model("qwen3_vl") or random_model("qwen2_5_vl"): the folder of a tiny model with random weights."""
    made: dict[str, Path] = {}

    def make(kind: str) -> Path:
        if kind not in made:
            made[kind] = _save_random_model(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return make


def _save_random_model(kind: str, folder: Path) -> Path:
    import torch
    from transformers import (
        GenerationConfig,
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
        Qwen3VLConfig,
        Qwen3VLForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    tokenizer = _random_tokenizer()
    ids = {name: tokenizer.convert_tokens_to_ids(name) for name in SPECIAL_TOKENS}
    shared = {
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "tie_word_embeddings": False,
    }
    text = {
        "hidden_size": 128,
        "num_hidden_layers": 2,
        "intermediate_size": 256,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": (len(tokenizer) + 63) // 64 * 64,
        "max_position_embeddings": 8192,
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "bos_token_id": None,
    }
    vision = {"depth": 2, "hidden_size": 64, "intermediate_size": 128, "num_heads": 4, "out_hidden_size": 128}
    torch.manual_seed(0)
    if kind == "qwen3_vl":
        rope = {"rope_type": "default", "mrope_section": [6, 5, 5], "mrope_interleaved": True, "rope_theta": 10000.0}
        model = Qwen3VLForConditionalGeneration(
            Qwen3VLConfig(
                text_config=text | {"head_dim": 32, "rope_parameters": rope},
                vision_config=vision
                | {"patch_size": 14, "num_position_embeddings": 400, "deepstack_visual_indexes": [0, 1]},
                **shared,
            )
        )
        processor = Qwen3VLProcessor(
            image_processor=Qwen2VLImageProcessor(patch_size=14, min_pixels=4 * 784, max_pixels=64 * 784),
            tokenizer=tokenizer,
            video_processor=Qwen3VLVideoProcessor(),
        )
    else:
        rope = {"rope_type": "default", "type": "default", "mrope_section": [4, 6, 6], "rope_theta": 10000.0}
        model = Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig(
                text_config=text | {"rope_parameters": rope},
                vision_config=vision | {"patch_size": 14, "window_size": 112, "fullatt_block_indexes": [1]},
                **shared,
            )
        )
        processor = Qwen2_5_VLProcessor(
            image_processor=Qwen2VLImageProcessor(min_pixels=4 * 784, max_pixels=64 * 784),
            tokenizer=tokenizer,
            video_processor=Qwen2VLVideoProcessor(),
        )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                # The default spread of 0.02 gives nearly equal logits; differences must be visible to be tested.
                parameter.mul_(4)
    model.generation_config = GenerationConfig(eos_token_id=ids["<|im_end|>"], pad_token_id=ids["<|endoftext|>"])
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _random_tokenizer():
    from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, trainers
    from tokenizers.models import BPE
    from transformers import Qwen2Tokenizer

    core = Tokenizer(BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=512, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    core.train_from_iterator(CORPUS, trainer)
    import json

    model = json.loads(core.to_str())["model"]
    tokenizer = Qwen2Tokenizer(
        vocab=model["vocab"],
        merges=[tuple(merge) for merge in model["merges"]],
        unk_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        bos_token=None,
    )
    tokenizer.add_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIAL_TOKENS])
    tokenizer.add_tokens(
        [AddedToken(name, special=False, normalized=False) for name in ("<tool_call>", "</tool_call>")]
    )
    return tokenizer
