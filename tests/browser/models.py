"""A model that a browser test can afford: random weights of the real architecture, shown pictures small."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

__all__ = ["small_model"]


def small_model(source: Path, folder: Path) -> Path:
    """A copy of the model in `source` that speaks the studio's protocol and sees few pixels, so that an optimiser step
    takes a fraction of a second."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    budget = {"min_pixels": 4 * 784, "max_pixels": 8 * 784}
    budgets = {role: budget for role in ("image", "crop", "frame", "selected_frame")}
    (folder / "studio.json").write_text(json.dumps({"protocol": "studio", "pixel_budgets": budgets}))
    return folder
