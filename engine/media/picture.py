"""One still picture, decoded upright to 8-bit RGB.

Invariants: dimensions are checked from the header before a pixel is decoded; what comes out has the pixels of the
original, at its size, changed only by what showing it needs: EXIF orientation is applied, transparency is laid on
white, colours go through the ICC profile where there is one that is not sRGB, as browsers do, and depths above 8 bit are
scaled to 8.

Not covered: animations (`animation`), several pages of a TIFF (refused: which one is meant, only a person knows).
"""

from __future__ import annotations

import importlib
import io
import math
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, BinaryIO, TypeVar, cast

import av
import numpy as np
from av.container import InputContainer
from PIL import ExifTags, Image, ImageCms, ImageOps

from engine.errors import InvalidMedia
from engine.media.formats import AVIF, HEIC, JPEG, JPEG_XL, TIFF, WEBP, Format, MediaLimits
from engine.media.jpeg_xl import read_header
from engine.media.webp import decode_webp

__all__ = ["decode_picture", "flatten", "open_picture", "reading", "require_size", "to_rgb"]

T = TypeVar("T")

_NEW_SUBFILE_TYPE, _BITS_PER_SAMPLE, _PHOTOMETRIC = 254, 258, 262
_WHITE_IS_ZERO = 0
_LARGE_PIXELS = 16_000_000
_BUDGET = 6
"""Bytes that decoding may take for each pixel of the largest picture that is accepted: 600 MB of a hundred megapixels."""
_DECODING = {(AVIF, "RGB"): 9.5, (AVIF, "RGBA"): 13.5, (WEBP, "RGBA"): 7.25, (HEIC, "RGB"): 7.25, (HEIC, "RGBA"): 8.25}
_DECODING_JPEG_XL = 8.25
"""Bytes for each pixel that decoding takes, where it is more, measured on files with chroma of half the width and height. The
pixels themselves, as Pillow keeps them, are four."""
_USUAL, _CONVERTED, _TURNED, _READ_AGAIN = 5, 8, 8, 16
"""Likewise of others, where colours of four bytes go to RGB, where it is turned, and where 16 bits a colour are read again."""


def decode_picture(
    file: BinaryIO,
    format: Format,
    limits: MediaLimits,
    is_first_enough: bool = False,
    make_room: Callable[[int], None] = lambda size_bytes: None,
) -> Image.Image:
    """The picture in `file`, upright, RGB, fully in memory; of several pages the first, where that is enough. `make_room` is told
    the bytes that decoding takes, before. Raises InvalidMedia with one sentence."""
    image = open_picture(file, format, limits, make_room)
    try:
        if format is TIFF and not is_first_enough:
            _require_one_page(image, limits)
        image = reading(format, lambda: _loaded(image, file, format))
        image = reading(format, lambda: _filled(image, file, limits))
        rgb = reading(format, lambda: _to_rgb_sparingly(_upright(image, limits)))
        # Where it was taken, and a profile that the pixels no longer are in, must not go into crops.
        rgb.info = {}
        return rgb
    except InvalidMedia as error:
        refusal = str(error)
        del image
    # Said anew, since a traceback, and what caused it, would hold the pixels for as long as somebody has the refusal.
    raise InvalidMedia(refusal)


def open_picture(
    file: BinaryIO, format: Format, limits: MediaLimits, make_room: Callable[[int], None] = lambda size_bytes: None
) -> Image.Image:
    """Only the header is read and checked against the limits; no pixel is decoded yet, but of a JPEG XL. `make_room` as in
    `decode_picture`."""
    if format is JPEG_XL:
        size = _require_still_jpeg_xl(file, limits)
        make_room(round(_DECODING_JPEG_XL * size[0] * size[1]))
    image = reading(format, lambda: _open(file, format))
    require_size(image.size, "picture", limits.max_pixels, limits)
    decoding_bytes = _decoding_bytes(image, format)
    _require_affordable(image.size, decoding_bytes, limits)
    if format is not JPEG_XL:
        make_room(round(decoding_bytes * image.width * image.height))
    return image


def _loaded(image: Image.Image, file: BinaryIO, format: Format) -> Image.Image:
    """With its pixels."""
    if format is WEBP and image.width * image.height >= _LARGE_PIXELS:
        decoded = decode_webp(file)
        decoded.info = dict(image.info)
        return decoded
    image.load()
    return image


def _decoding_bytes(image: Image.Image, format: Format) -> float:
    """For each pixel, at the most. A progressive JPEG's coefficients are all held, two bytes each, until its end is read."""
    usual = _CONVERTED if image.mode in ("CMYK", "LAB", "LA", "PA", "YCbCr") else _USUAL
    least = _DECODING.get((format, image.mode), usual)
    if format is JPEG and image.info.get("progressive"):
        sampled = [across * down for _, across, down, _ in cast(Any, image).layer]
        return max(least, 4 + 2 * sum(sampled) / max(sampled))
    return least


def _require_affordable(size: tuple[int, int], decoding_bytes: float, limits: MediaLimits) -> None:
    """Raises InvalidMedia where decoding takes more than the budget."""
    pixels = size[0] * size[1]
    if pixels * decoding_bytes > limits.max_pixels * _BUDGET:
        raise InvalidMedia(
            f"Decoding this picture of {pixels / 1e6:,.1f} megapixels takes {pixels * decoding_bytes / 1e6:,.0f} MB; at most "
            f"{limits.max_pixels * _BUDGET / 1e6:,.0f} MB are accepted. Save it upright, in 8-bit RGB, as PNG or a baseline JPEG."
        )


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


def reading(format: Format, read: Callable[[], T]) -> T:
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
    if format is HEIC:
        return _plug_in("pillow_heif", "pillow-heif", format).HeifImageFile(file)
    if format is JPEG_XL:
        _plug_in("pillow_jxl", "pillow-jxl-plugin", format)
    return Image.open(file, formats=[format.decoder])


def _require_still_jpeg_xl(file: BinaryIO, limits: MediaLimits) -> tuple[int, int]:
    """Its size. The plug-in decodes the whole first frame while it opens a file, and knows no others."""
    size, is_animated = reading(JPEG_XL, lambda: read_header(file))
    require_size(size, "picture", limits.max_pixels, limits)
    _require_affordable(size, _DECODING_JPEG_XL, limits)
    if is_animated:
        raise InvalidMedia("This JPEG XL is animated; a still one is needed. Save the animation as MP4, WebM or WebP.")
    return size


def _plug_in(module: str, package: str, format: Format) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InvalidMedia(
            f"This is a {format.name} picture, and the package {package} that reads those is not installed here; "
            "install it, or save the picture as JPEG or PNG."
        ) from error


def _require_one_page(image: Image.Image, limits: MediaLimits) -> None:
    """Walks the pages' headers, and never further than the limit: a forged TIFF chains pages without end. Small copies of
    the first page (NewSubfileType, bit 0) are no pages."""
    pages = 1
    for page in range(1, limits.max_pages + 1):
        try:
            image.seek(page)
        except Exception:  # the end of the file, or a damaged page that is never decoded
            break
        pages += not cast(Any, image).tag_v2.get(_NEW_SUBFILE_TYPE, 0) & 1
    else:
        raise InvalidMedia(
            f"This TIFF has more than {limits.max_pages} pages; at most {limits.max_pages} are accepted."
        )
    if pages > 1:
        raise InvalidMedia(
            f"This TIFF has {pages} pages; one is needed. Save the page that is asked about as a picture of its own."
        )
    image.seek(0)


def _upright(image: Image.Image, limits: MediaLimits) -> Image.Image:
    if image.format == "JXL" and not getattr(image, "jpeg", False):
        return image  # turned by its own header; by the standard, EXIF's turn counts only in a JPEG kept inside
    # Damaged EXIF data may raise anything, and every viewer shows the sound pixels beside it as they are stored.
    try:
        turn = image.getexif().get(ExifTags.Base.Orientation, 1)
        _require_affordable(image.size, _TURNED if turn in range(2, 9) and image.mode in ("RGB", "RGBA") else 0, limits)
        ImageOps.exif_transpose(image, in_place=True)  # without a copy of what is upright already
    except InvalidMedia:
        raise
    except Exception:
        pass
    return image


def _to_rgb_sparingly(image: Image.Image) -> Image.Image:
    """`to_rgb` of an image that nobody else uses. A large one is not copied where nothing has to be changed, and else a strip at
    a time, where its pixels lie if they have four bytes in Pillow as RGB has: what is done to one pixel does not depend on others
    but for depths above 8 bit."""
    if image.mode == "RGB" and not image.has_transparency_data and not image.info.get("icc_profile"):
        return cast(Any, image)._new(image.im)  # the same pixels, and no hold on the file
    if image.width * image.height < _LARGE_PIXELS:
        return to_rgb(image)
    if image.mode == "F" or image.mode.startswith("I"):
        grey = _grey(image)
        image.im = Image.new("L", (1, 1)).im  # let go before there are four bytes for each pixel
        return _to_srgb(grey, image.info.get("icc_profile")).convert("RGB")
    is_in_place = image.mode in ("RGB", "RGBA")
    made = image if is_in_place else Image.new("RGB", image.size)
    rows = _rows_at_once(image.width)
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(image.height, top + rows)))
        made.paste(to_rgb(strip), (0, top))
    if is_in_place:
        image.im.setmode("RGB")  # every pixel is opaque
        return cast(Any, image)._new(image.im)
    return made


def to_rgb(image: Image.Image) -> Image.Image:
    """Any Pillow mode to RGB: depths to 8 bit, colours to sRGB, transparency laid on white."""
    if image.mode == "F" or image.mode.startswith("I"):
        return _to_srgb(_grey(image), image.info.get("icc_profile")).convert("RGB")
    if image.mode == "LAB":
        return _converted(image, ImageCms.createProfile("LAB"))
    profile = image.info.get("icc_profile")
    if image.mode == "CMYK":
        return _to_srgb(image, profile).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
        opaque = _to_srgb(image.convert("RGB"), profile)
        opaque.putalpha(image.getchannel("A"))
        return flatten(opaque)
    if image.mode != "L" or not profile:
        # A copy even of RGB: what comes out must not hold on to the file.
        image = image.convert("RGB") if image.mode != "RGB" else image.copy()
    return _to_srgb(image, profile).convert("RGB")


def _grey(image: Image.Image) -> Image.Image:
    """Of a depth above 8 bit, a strip at a time, scaled by the values of the whole."""
    low, high = math.inf, -math.inf
    for _, values in _strips(image):
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    made = Image.new("L", image.size)
    for top, values in _strips(image):
        made.paste(Image.fromarray(_to_eight_bits(values, image.mode, low, high)), (0, top))
    return ImageOps.invert(made) if _tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO else made


def _strips(image: Image.Image) -> Iterator[tuple[int, np.ndarray]]:
    """(top row, values), what is no number as 0."""
    rows = _rows_at_once(image.width)
    for top in range(0, image.height, rows):
        values = np.asarray(image.crop((0, top, image.width, min(image.height, top + rows))))
        yield top, np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0) if image.mode == "F" else values


def _rows_at_once(width: int) -> int:
    return max(1, _LARGE_PIXELS // 16 // width)


def _tag(image: Image.Image, number: int) -> Any:
    """A tag of a TIFF; None for other formats."""
    return getattr(image, "tag_v2", {}).get(number)


def _to_eight_bits(values: np.ndarray, mode: str, low: float, high: float) -> np.ndarray:
    """Values of more than 8 bits, from `low` to `high` in the whole picture, scaled to 8. 16-bit values fill their full range,
    unless all fit into 12, 10 or 8 bits: cameras and microscopes write those into 16-bit files as they are. 32-bit integers and
    floats have no agreed white: those within [0, 1] (floats), [0, 255] or [0, 65535] are taken to fill that range, others are
    stretched from least to most."""
    if mode.startswith("I;16"):
        return ((values.astype(np.uint32) * 255 + (white := _white_of(high)) // 2) // white).astype(np.uint8)
    values = values.astype(np.float64)
    if low >= 0 and high <= 65535:
        white_level = 1.0 if mode == "F" and high <= 1 else 255.0 if high <= 255 else 65535.0
        return np.rint(values * (255.0 / white_level)).astype(np.uint8)
    return np.rint((values - low) * (255.0 / max(high - low, 1e-300))).astype(np.uint8)


def _white_of(largest: float) -> int:
    """The white of 16-bit values whose largest is this."""
    return next(white for white in (255, 1023, 4095, 65535) if largest <= white)


def _filled(image: Image.Image, file: BinaryIO, limits: MediaLimits) -> Image.Image:
    """A picture of 16 bits a colour, read again where its values fit into 12 bits. Pillow keeps the upper 8 bits of each
    colour, which are then nearly black; FFmpeg reads all 16."""
    bands = image.getextrema() if image.mode in ("RGB", "RGBA") and image.format in ("PNG", "TIFF") else None
    if bands is None or max(high for _, high in bands[:3]) > 15 or not _is_deep(image, file):  # type: ignore[index, misc]
        return image
    _require_affordable(image.size, _READ_AGAIN, limits)
    file.seek(0)
    demuxer = "png_pipe" if image.format == "PNG" else "tiff_pipe"
    with cast(InputContainer, av.open(file, format=demuxer)) as container:
        frame = next(container.decode(video=0))
    [plane], kind = frame.planes, re.fullmatch("(rgb48|rgba64)([bl])e", frame.format.name)
    assert kind is not None, frame.format.name
    order, samples = "<>"[kind[2] == "b"], 3 if kind[1] == "rgb48" else 4
    values = np.frombuffer(cast(Any, plane), f"{order}u2").reshape(image.height, plane.line_size // 2)
    values = values[:, : samples * image.width].reshape(image.height, image.width, samples)[..., :3]
    strips = [
        slice(top, top + _rows_at_once(image.width)) for top in range(0, image.height, _rows_at_once(image.width))
    ]
    white = _white_of(max(int(values[rows].max()) for rows in strips))
    filled = Image.new("RGB", image.size)
    for rows in strips:
        filled.paste(Image.fromarray(np.rint(values[rows] * (255.0 / white)).astype(np.uint8)), (0, rows.start))
    if image.mode == "RGBA":
        filled.putalpha(image.getchannel("A"))
    filled.info = dict(image.info)
    return filled


def _is_deep(image: Image.Image, file: BinaryIO) -> bool:
    """Whether the file holds 16 bits a colour: byte 24 of a PNG's header, BitsPerSample of a TIFF."""
    if image.format == "TIFF":
        return max(_tag(image, _BITS_PER_SAMPLE) or (8,)) == 16
    file.seek(24)
    return file.read(1) == b"\x10"


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture with its colours in sRGB; as it is without a usable profile, or where the profile is sRGB already."""
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return image
        return _converted(image, source)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _converted(image: Image.Image, profile: Any) -> Image.Image:
    converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None  # only in-place conversion returns None
    return converted
