"""A checkpoint of the recipe as a folder that transformers loads: `python -m engine.lab.recipe.export DIR/last.pt FOLDER`.

Invariant: weights are bf16 and loading them back gives the same bytes; `AutoProcessor` and
`AutoModelForImageTextToText` open the folder. `studio.json` says what the engine must know beyond that: the
protocol and each kind of picture's pixel budget.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    Qwen2VLImageProcessor,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from engine.lab.recipe import architecture, patches
from engine.lab.recipe import tokenizer as words

__all__ = ["build_processor", "export", "load_model"]

PROCESSED: dict[str, Any] = {
    "patch_size": architecture.VISION["patch_size"],
    "temporal_patch_size": architecture.VISION["temporal_patch_size"],
    "merge_size": architecture.VISION["spatial_merge_size"],
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def build_processor() -> Qwen3VLProcessor:
    """The stock processor with our tokenizer, template and sizes. Its default budget is a picture's first view."""
    tokenizer = words.build_tokenizer()
    budget = patches.BUDGETS["image"]
    size = {"shortest_edge": budget.min_pixels, "longest_edge": budget.max_pixels}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, **PROCESSED),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(**PROCESSED),
        chat_template=words.CHAT_TEMPLATE,
    )


def settings() -> dict:
    budgets = {kind: asdict(budget) for kind, budget in patches.BUDGETS.items()}
    return {"name": "tiny", "protocol": "studio", "pixel_budgets": budgets}


def load_model(checkpoint: Path) -> Qwen3VLForConditionalGeneration:
    """The stock fp32 model of a checkpoint."""
    tokenizer = words.build_tokenizer()
    model = architecture.build_model(architecture.build_config(len(tokenizer), words.special_ids(tokenizer)))
    loaded = torch.load(checkpoint)
    fresh = model.model.language_model.embed_tokens.weight.detach()
    state = words.fitted(loaded["state"], words.tokens_in(loaded), words.tokens_of(tokenizer), fresh)
    own = {name.removeprefix("model."): weight for name, weight in state.items() if name.startswith("model.")}
    missing, unknown = model.load_state_dict(own, strict=False)
    if unknown or set(missing) - {"lm_head.weight"}:
        raise ValueError(f"{checkpoint} is of another architecture: {unknown or missing}")
    model.eval()
    return model


def export(checkpoint: Path, folder: Path) -> None:
    model: Any = load_model(checkpoint)
    model.to(torch.bfloat16)
    model.generation_config = GenerationConfig(
        do_sample=False,
        eos_token_id=model.config.text_config.eos_token_id,
        pad_token_id=model.config.text_config.pad_token_id,
    )
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    build_processor().save_pretrained(folder)
    (folder / "studio.json").write_text(json.dumps(settings(), indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.lab.recipe.export", description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    export(options.checkpoint, options.folder)


if __name__ == "__main__":
    main()
