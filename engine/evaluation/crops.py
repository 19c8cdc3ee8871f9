"""Crops that show something else: does a model read what it cuts?

    real      what the box holds
    black     black pixels of the same size
    random    an equally large region elsewhere of the same picture, chosen by a seed

The idea: an attempt is made as ever, with boxes, sizes and words as they are; only the pixels of a crop are not what was
asked for. What the score loses is what the model had from its crops.

Algorithm, ours: of 32 placements drawn uniformly in the picture, the one that overlaps the box least is shown, the first of
equals; the same seed, picture, frame and box give the same place.

Invariants: the first views are as they are; a crop has the size of the real one. Not covered: what `select_frames` brings, and
a zoom into a whole picture, which cannot be told from its first view.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal, get_args

from PIL import Image

from engine.errors import InvalidInput
from engine.media import LoadedMedia, Pictures
from engine.trace import Box

__all__ = ["CROPS", "Crops", "showing"]

Crops = Literal["real", "black", "random"]
CROPS: tuple[Crops, ...] = get_args(Crops)

_PLACEMENTS = 32

Pixels = tuple[int, int, int, int]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True, eq=False)
class _Elsewhere(LoadedMedia):
    """Media whose crops are black, or with a seed from elsewhere."""

    seed: int | None = None

    def crop(self, frame: int | None, box: Box) -> Image.Image:
        # Named in full: a slotted dataclass is made anew, and plain super() would still mean the first one.
        real = LoadedMedia.crop(self, frame, box)
        if box == Box.full():
            return real
        if self.seed is None:
            return Image.new("RGB", real.size)
        picture = self.picture(frame)
        return picture.crop(self._place(frame, box.to_pixels(picture.size), picture.size))

    def _place(self, frame: int | None, real: Pixels, size: tuple[int, int]) -> Pixels:
        draw = random.Random(f"{self.seed}/{self.media.sha256}/{frame}/{real}")
        width, height = real[2] - real[0], real[3] - real[1]
        corners = [(draw.randint(0, size[0] - width), draw.randint(0, size[1] - height)) for _ in range(_PLACEMENTS)]
        placed = [(left, top, left + width, top + height) for left, top in corners]
        return min(placed, key=lambda one: _overlap(one, real))


def _overlap(one: Pixels, other: Pixels) -> int:
    """In pixels."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, width) * max(0, height)


def showing(pictures: Pictures, crops: str, seed: int) -> Pictures:
    """The pictures, whose crops are `crops` (one of CROPS). Raises InvalidInput."""
    if crops not in CROPS:
        raise InvalidInput(f"crops are one of {', '.join(CROPS)}, not {crops!r}")
    if crops == "real":
        return pictures
    chosen = seed if crops == "random" else None
    return {
        sha256: _Elsewhere(loaded.media, loaded.frames, loaded.times_s, chosen) for sha256, loaded in pictures.items()
    }
