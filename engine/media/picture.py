"""One still picture, decoded upright to 8-bit RGB.

Invariants: dimensions are checked from the header before a pixel is decoded; what comes out has the pixels of the
original, at its size, changed only by what showing it needs: EXIF orientation is applied, transparency is laid on
white, CMYK goes through its ICC profile where there is one, and depths above 8 bit are scaled to 8.

Not covered: RGB profiles other than sRGB are not converted (the models were trained on the raw values), animations
(an animated GIF is a video; of an animated WebP or PNG the first frame is taken), pages of a TIFF after the first.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from typing import BinaryIO, TypeVar

import numpy as np
from PIL import Image, ImageCms, ImageOps

from engine.errors import InvalidMedia
from engine.media.formats import HEIC, TIFF, Format, MediaLimits

__all__ = ["decode_picture", "flatten", "open_picture", "require_size"]

T = TypeVar("T")


def decode_picture(file: BinaryIO, format: Format, limits: MediaLimits) -> Image.Image:
    """The picture in `file`, upright, RGB, fully in memory. Raises InvalidMedia with one sentence."""
    image = open_picture(file, format, limits)
    if format is TIFF:
        _require_pages(image, limits)
    _reading(format, image.load)
    rgb = _reading(format, lambda: _to_rgb(_upright(image)))
    # Where it was taken, and a profile that the pixels no longer are in, must not go into crops.
    rgb.info = {}
    return rgb


def open_picture(file: BinaryIO, format: Format, limits: MediaLimits) -> Image.Image:
    """Only the header is read and checked against the limits; no pixel is decoded yet."""
    image = _reading(format, lambda: _open(file, format))
    require_size(image.size, "picture", limits.max_pixels, limits)
    return image


def require_size(size: tuple[int, int], noun: str, max_pixels: int, limits: MediaLimits) -> None:
    """Raises InvalidMedia unless `size` (width, height in pixels, from the header) is within the limits."""
    width, height = size
    if min(size) < 1:
        raise InvalidMedia(f"This {noun} is {width} by {height} pixels; at least 1 by 1 is needed.")
    if width * height > max_pixels:
        raise InvalidMedia(
            f"This {noun} has {width:,} by {height:,} pixels, {width * height / 1e6:,.1f} megapixels; "
            f"at most {max_pixels / 1e6:,.1f} megapixels are accepted."
        )
    if max(size) > limits.max_aspect_ratio * min(size):
        raise InvalidMedia(
            f"This {noun} is too narrow, {width:,} by {height:,} pixels; a longer side of at most "
            f"{limits.max_aspect_ratio:g} times the shorter one is accepted."
        )


def flatten(image: Image.Image) -> Image.Image:
    """RGBA laid on white; opaque pixels keep their values exactly."""
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _reading(format: Format, read: Callable[[], T]) -> T:
    """Runs a decoder on bytes that anybody may have made."""
    try:
        return read()
    except (InvalidMedia, MemoryError):
        raise
    except Image.DecompressionBombError as error:  # Pillow's own limit, which no setting of ours can exceed
        seen, limit = (int(number) / 1e6 for number in re.findall(r"(\d+) pixels", str(error))[:2])
        raise InvalidMedia(f"This picture has {seen:,.1f} megapixels; at most {limit:,.1f} can be decoded.") from error
    # Which exceptions the decoders raise on damaged bytes is not documented; dozens of types have been seen.
    except Exception as error:
        detail = " ".join(str(error).split())[:120].rstrip(". ") or type(error).__name__
        raise InvalidMedia(
            f"This {format.name} picture is damaged or truncated ({detail}); a whole {format.name} file is needed."
        ) from error


def _open(file: BinaryIO, format: Format) -> Image.Image:
    file.seek(0)
    if format is not HEIC:
        return Image.open(file, formats=[format.decoder])
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise InvalidMedia(
            "This is a HEIC picture, and the package pillow-heif that reads those is not installed here; "
            "install it, or save the picture as JPEG or PNG."
        ) from error
    return HeifImageFile(file)


def _require_pages(image: Image.Image, limits: MediaLimits) -> None:
    """Walks the pages' headers, and never further than the limit: a forged TIFF chains pages without end."""
    for page in range(1, limits.max_pages + 1):
        try:
            image.seek(page)
        except Exception:  # the end of the file, or a damaged page that is never decoded
            break
    else:
        raise InvalidMedia(
            f"This TIFF has more than {limits.max_pages} pages; at most {limits.max_pages} are accepted."
        )
    image.seek(0)


def _upright(image: Image.Image) -> Image.Image:
    # Damaged EXIF data may raise anything, and every viewer shows the sound pixels beside it as they are stored.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)  # without a copy of what is upright already
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow mode to RGB."""
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_to_eight_bits(np.asarray(image), image.mode), "L").convert("RGB")
    if image.mode in ("CMYK", "LAB"):
        return _through_profile(image)
    if image.has_transparency_data:
        return flatten(image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA"))
    # A copy even of RGB: what comes out must not hold on to the file.
    return image.convert("RGB") if image.mode != "RGB" else image.copy()


def _to_eight_bits(values: np.ndarray, mode: str) -> np.ndarray:
    """16-bit values are scaled from their full range. 32-bit integers and floats have no agreed white: those within
    [0, 1] (floats), [0, 255] or [0, 65535] are taken to fill that range, others are stretched from least to most."""
    if mode.startswith("I;16"):
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 65535:
        white = 1.0 if mode == "F" and high <= 1 else 255.0 if high <= 255 else 65535.0
        return np.rint(values * (255.0 / white)).astype(np.uint8)
    return np.rint((values - low) * (255.0 / max(high - low, 1e-300))).astype(np.uint8)


def _through_profile(image: Image.Image) -> Image.Image:
    """CMYK and LAB by their colour profile; CMYK without a usable one by Pillow's plain inversion."""
    embedded = image.info.get("icc_profile") or b""
    if image.mode == "CMYK" and not embedded:
        return image.convert("RGB")
    try:
        source = ImageCms.createProfile("LAB") if image.mode == "LAB" else io.BytesIO(embedded)
        profile = ImageCms.ImageCmsProfile(source)
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        if image.mode == "LAB":
            raise
        return image.convert("RGB")
    assert converted is not None  # only in-place conversion returns None
    return converted
