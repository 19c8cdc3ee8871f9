"""An animated WebP, PNG or AVIF, sampled like a video: FFmpeg reads none of the three whole, Pillow reads them all.

Algorithm: one pass reads how long each frame is shown, a second keeps the sampled frames; both decode, since frames are
drawn onto the one before. So what is decoded is bounded beforehand, as frames times pixels.

Not covered: animated GIFs (`video`: FFmpeg seeks in them), animated JPEG XL (refused), how often an animation repeats.
"""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image

from engine.errors import InvalidMedia
from engine.media.formats import Format, MediaLimits
from engine.media.picture import open_picture, reading, require_size, to_rgb
from engine.media.sampling import Sampling, require_duration, sampled

__all__ = ["decode_animation", "is_animated"]

_ANIMATED = {"WEBP", "PNG", "AVIF"}
"""Pillow's names. Other formats' frames are pages of a document, or a camera's second lens."""

_ASKING_FOR_NO_TIME_S, _SHOWN_INSTEAD_S = 0.01, 0.1
"""Browsers show a frame that asks for so little time or less for a tenth of a second, and FFmpeg does so for GIFs."""


def is_animated(file: BinaryIO, format: Format, limits: MediaLimits) -> bool:
    """Whether a picture file holds several frames. Raises InvalidMedia where its header is damaged or too large."""
    if format.decoder not in _ANIMATED:
        return False
    image = open_picture(file, format, limits)
    return reading(format, lambda: len(_frames(image)) > 1)


def decode_animation(
    file: BinaryIO, format: Format, limits: MediaLimits, sampling: Sampling
) -> tuple[tuple[Image.Image, ...], tuple[float, ...]]:
    """(frames, times): CLIP_FRAMES RGB pictures laid on white, and their times in seconds from the first frame.
    Raises InvalidMedia with one sentence."""
    image = open_picture(file, format, limits)
    require_size(image.size, "frame of an animation", limits.max_frame_pixels, limits)
    numbers = _frames(image)
    pixels = len(numbers) * image.width * image.height
    if len(numbers) > limits.max_frames or pixels > limits.max_animation_pixels:
        raise InvalidMedia(
            f"This animation has {len(numbers):,} frames of {image.width:,} by {image.height:,} pixels, "
            f"{pixels / 1e6:,.0f} megapixels in all; at most {limits.max_frames:,} frames and "
            f"{limits.max_animation_pixels / 1e6:,.0f} megapixels are accepted. Save it as MP4 or WebM."
        )
    starts, end_s = [], 0.0
    for number in numbers:
        reading(format, lambda number=number: _load(image, number))  # type: ignore[misc]
        asked_s = float(image.info.get("duration") or 0) / 1000
        starts.append(end_s)
        end_s += asked_s if asked_s > _ASKING_FOR_NO_TIME_S else _SHOWN_INSTEAD_S
        require_duration(end_s, limits)
    chosen = sampled(starts, sampling)
    image = open_picture(file, format, limits)
    kept: dict[int, Image.Image] = {}
    for index, number in enumerate(numbers):
        reading(format, lambda number=number: _load(image, number))  # type: ignore[misc]
        if index in chosen:
            kept[index] = reading(format, lambda: to_rgb(image))
            kept[index].info = {}
    return tuple(kept[index] for index in chosen), tuple(starts[index] for index in chosen)


def _frames(image: Image.Image) -> range:
    """The numbers of the frames. A PNG's first picture may be there for those alone who cannot animate."""
    return range(1 if image.info.get("default_image") else 0, getattr(image, "n_frames", 1))


def _load(image: Image.Image, number: int) -> None:
    image.seek(number)
    image.load()
