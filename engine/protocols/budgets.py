"""At how many pixels a picture is shown to a model, by its role, and the size that follows from it.

The published budgets are those of docs/paper.md: originals at evaluation 401,408 to 4,014,080 pixels; the released code shows
crops and selected frames at 256 to 5,120 visual tokens of 28 x 28 pixels; 16 frames share the context, so a frame gets 400
tokens at most.

`smart_resize` is the algorithm of Qwen's image processors (transformers, qwen2_vl/image_processing_qwen2_vl.py): both sides
become multiples of a factor, their product stays within the budget, their ratio about as it was. Different from the source:
slivers of more than 199 to 1 are shown a little wider instead of refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PUBLISHED_BUDGETS", "PixelBudget", "smart_resize", "within_aspect"]


@dataclass(frozen=True, slots=True)
class PixelBudget:
    """Least and most pixels at which a picture is shown to the model (smart_resize keeps within them)."""

    min_pixels: int
    max_pixels: int


PUBLISHED_BUDGETS: Mapping[str, PixelBudget] = {
    "image": PixelBudget(401_408, 4_014_080),
    "crop": PixelBudget(256 * 784, 5_120 * 784),
    "frame": PixelBudget(16 * 784, 400 * 784),
    "selected_frame": PixelBudget(256 * 784, 5_120 * 784),
}

_MAX_ASPECT = 199
"""Qwen's processors refuse pictures whose sides differ by more than 200 times."""


def within_aspect(size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) of a sliver a little wider, so that it can be shown; of any other picture as it is."""
    width, height = size
    if max(width, height) <= _MAX_ASPECT * min(width, height):
        return size
    return max(width, -(-height // _MAX_ASPECT)), max(height, -(-width // _MAX_ASPECT))


def smart_resize(size: tuple[int, int], budget: PixelBudget, factor: int) -> tuple[int, int]:
    """(width, height) in pixels, multiples of `factor`, at which a picture of `size` is shown within its budget."""
    width, height = within_aspect(size)
    shown = [round(side / factor) * factor for side in (width, height)]
    if math.prod(shown) > budget.max_pixels:
        shrinking = math.sqrt(width * height / budget.max_pixels)
        shown = [max(factor, math.floor(side / shrinking / factor) * factor) for side in (width, height)]
    elif math.prod(shown) < budget.min_pixels:
        growing = math.sqrt(budget.min_pixels / (width * height))
        shown = [math.ceil(side * growing / factor) * factor for side in (width, height)]
    return shown[0], shown[1]
