"""The embedded reasoner: the small model that comes with the studio and answers where no other is named.

`weights/` is a folder that transformers opens, with tokenizer, chat template and `studio.json` (protocol and pixel budgets)
beside them; its README.md is the model card. The settings, traces and adapters call the model `tiny`.

Not covered: how it was trained (`engine.lab.recipe`), opening the weights (`engine.backbone.loading`).
"""

from pathlib import Path

__all__ = ["NAME", "weights_folder"]

NAME = "tiny"
"""What `STUDIO_MODEL` and the traces call it."""


def weights_folder() -> Path:
    """The model folder, as `STUDIO_MODEL` could name any other."""
    return Path(__file__).parent / "weights"
