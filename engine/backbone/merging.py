"""An adapter written into the weights that it was trained on, for whoever serves one model and no adapters.

The idea: what comes out is one folder that loads anywhere. Each matrix W of the language model becomes W + (alpha / r) B A
(LoRA, arXiv 2106.09685, equation 3) and is written as bf16; everything else in the folder stays as it is.

Why from the unquantised base: 4 bit do not merge cleanly. A weight in NF4 is one of 16 values times the scale of its block of
64, and what an adapter adds is mostly smaller than half the step between two of them: written back into the same 16 values,
most of it is rounded away, and the scale of the whole block may move besides. So W is read at full precision, and the sum is
quantised anew, if at all, when it is loaded. The adapter was trained on W as 4 bit leave it, so what the merged model answers
differs a little from base and adapter in 4 bit; evaluate it before it is used.

Invariant: unquantised, the result answers as the base with the adapter on does, up to the rounding to bf16. Needs memory for
the whole model in fp32.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForImageTextToText

from engine.errors import InvalidInput

__all__ = ["merge"]

_WEIGHTS = "*.safetensors"
_CONFIG = "config.json"
_LEFT_OUT = (_WEIGHTS, "*.safetensors.index.json", "evaluation.json")
"""Of the base's folder: its weights, and figures of other weights."""


def merge(folder: Path, adapter: Path, out: Path) -> None:
    """Write `folder` with `adapter` merged into its weights as `out`, a folder that must not exist yet. Raises InvalidInput."""
    if not (adapter / "adapter_config.json").is_file():
        raise InvalidInput(f"{adapter / 'adapter_config.json'} does not exist; the folder of an adapter is needed")
    if not any(folder.glob(_WEIGHTS)):
        raise InvalidInput(f"{folder} holds no weights ({_WEIGHTS}); the folder of a model is needed")
    if out.exists():
        raise InvalidInput(f"{out} exists already; choose a folder that does not")
    model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    merged: Any = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    merged.to(torch.bfloat16)
    shutil.copytree(folder, out, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    merged.save_pretrained(out)
    shutil.copy(folder / _CONFIG, out)  # what was saved names the precision of the sum, which is not the weights'
    for written in out.glob(_WEIGHTS):
        written.chmod(0o644)
