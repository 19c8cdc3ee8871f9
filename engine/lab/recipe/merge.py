"""An adapter written into the weights it was trained on: `python -m engine.lab.recipe.merge FOLDER ADAPTER OUT`.

The idea: what ships is one folder that loads anywhere. Each matrix W of the language model becomes W + (alpha / r) B A
(LoRA, arXiv 2106.09685, equation 3) and is written as bf16; everything else in the folder stays as it is.

Invariant: unquantised, OUT answers as FOLDER with the adapter on does, up to the rounding to bf16. Not covered: 4 bit. There
the adapter was trained on W as 4 bit leave it, and the sum is rounded anew when it is loaded; what that changes is measured
(`engine.lab.recipe.measure`), not argued.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForImageTextToText

from engine.errors import InvalidInput

__all__ = ["merge"]

_WEIGHTS = "model.safetensors"
_CONFIG = "config.json"


def merge(folder: Path, adapter: Path, out: Path) -> None:
    """Write `folder` with `adapter` merged into its weights as `out`, a folder that must not exist yet. Raises InvalidInput."""
    for needed in (folder / _WEIGHTS, adapter / "adapter_config.json"):
        if not needed.is_file():
            raise InvalidInput(f"{needed} does not exist; the folder of a model and that of an adapter are needed")
    if out.exists():
        raise InvalidInput(f"{out} exists already; choose a folder that does not")
    model: Any = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    merged: Any = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    merged.to(torch.bfloat16)
    shutil.copytree(folder, out, ignore=shutil.ignore_patterns(_WEIGHTS, "evaluation.json"))
    merged.save_pretrained(out)
    shutil.copy(folder / _CONFIG, out)  # what was saved names the precision of the sum, which is not the weights'
    (out / _WEIGHTS).chmod(0o644)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engine.lab.recipe.merge", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    try:
        merge(options.folder, options.adapter, options.out)
    except InvalidInput as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
