"""From pictures to the rows of pixels that the vision tower eats, exactly as the stock processor makes them.

Idea: training must not pay for the stock processor, yet must see what it makes. `test_training_path` holds the two
together.

Shapes: a picture of (H, W) pixels, resized to multiples of 28, becomes (H/14 * W/14, 588) bytes: patches in blocks
of 2x2 (the four of one merged token follow each other), each as channel, row, column. Normalisation to [-1, 1] is
left to the model's side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["AREA", "BUDGETS", "FACTOR", "PATCH", "Budget", "patch_index", "patchify", "resize", "smart_resize"]

PATCH = 14
FACTOR = 28
AREA = FACTOR * FACTOR


@dataclass(frozen=True, slots=True)
class Budget:
    """How many pixels a picture may keep; one merged token is 784 of them."""

    min_pixels: int
    max_pixels: int


BUDGETS = {
    "image": Budget(60 * AREA, 80 * AREA),
    "crop": Budget(88 * AREA, 112 * AREA),
    "frame": Budget(12 * AREA, 20 * AREA + AREA // 2),
    "selected_frame": Budget(320 * AREA, 440 * AREA),
}


def smart_resize(height: int, width: int, budget: Budget) -> tuple[int, int]:
    """Qwen's rule: both sides multiples of 28, the area within the budget, the aspect about kept."""
    height_, width_ = max(FACTOR, round(height / FACTOR) * FACTOR), max(FACTOR, round(width / FACTOR) * FACTOR)
    if height_ * width_ > budget.max_pixels:
        beta = math.sqrt(height * width / budget.max_pixels)
        height_ = max(FACTOR, math.floor(height / beta / FACTOR) * FACTOR)
        width_ = max(FACTOR, math.floor(width / beta / FACTOR) * FACTOR)
    elif height_ * width_ < budget.min_pixels:
        beta = math.sqrt(budget.min_pixels / (height * width))
        height_ = math.ceil(height * beta / FACTOR) * FACTOR
        width_ = math.ceil(width * beta / FACTOR) * FACTOR
    return height_, width_


def resize(picture: Image.Image, budget: Budget) -> Image.Image:
    height, width = smart_resize(picture.height, picture.width, budget)
    return picture.resize((width, height), Image.Resampling.BICUBIC)


def patchify(picture: Image.Image) -> np.ndarray:
    """(H/14 * W/14, 588) bytes of a picture whose sides are multiples of 28."""
    rows, columns = picture.height // PATCH, picture.width // PATCH
    field = np.asarray(picture).reshape(rows // 2, 2, PATCH, columns // 2, 2, PATCH, 3)
    return np.ascontiguousarray(field.transpose(0, 3, 1, 4, 6, 2, 5)).reshape(rows * columns, 3 * PATCH * PATCH)


def patch_index(row: int, column: int, columns: int) -> int:
    """Where the patch at (row, column) of a grid `columns` patches wide stands in `patchify`'s order."""
    return ((row // 2) * (columns // 2) + column // 2) * 4 + (row % 2) * 2 + column % 2
