"""A picture with a photograph's weight, made from a seed: nothing has to be fetched to measure with it.

Grain on every scale, the coarse ones strongest, as in photographs (whose spectrum falls with frequency), and hard edges
like those of things. What matters to a bench is that it decodes and compresses as slowly as a photograph does.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["photo_jpeg"]

_GRAIN = ((512, 0.5), (128, 0.25), (32, 0.12), (8, 0.08), (2, 0.05))
"""(size in pixels, share of the contrast)"""


def photo_jpeg(width: int, height: int, seed: int, quality: int = 92) -> bytes:
    """The bytes of a JPEG of `width` x `height` pixels."""
    noise = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for size, share in _GRAIN:
        small = noise.integers(0, 256, (max(2, height // size), max(2, width // size), 3), dtype=np.uint8)
        total += share * np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    picture = Image.fromarray(total.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y = int(noise.integers(width)), int(noise.integers(height))
        w, h = (int(noise.integers(8, max(9, side // 20))) for side in (width, height))
        draw.rectangle((x, y, x + w, y + h), outline=tuple(int(c) for c in noise.integers(0, 256, 3)), width=3)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
