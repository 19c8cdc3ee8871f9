"""One still picture, decoded upright to 8-bit RGB.

Invariants: dimensions are checked from the header before a pixel is decoded; what comes out has the pixels of the
original, at its size, changed only by what showing it needs: EXIF orientation is applied, transparency is laid on
white, colours go through the ICC profile where there is one that is not sRGB, as browsers do, and depths above 8 bit are
scaled to 8.

Not covered: animations (`animation`), several pages of a TIFF (refused: which one is meant, only a person knows).
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any, BinaryIO, TypeVar, cast

import av
import numpy as np
from av.container import InputContainer
from PIL import Image, ImageCms, ImageOps

from engine.errors import InvalidMedia
from engine.media.formats import HEIC, JPEG_XL, TIFF, Format, MediaLimits
from engine.media.jpeg_xl import read_header

__all__ = ["decode_picture", "flatten", "open_picture", "reading", "require_size", "to_rgb"]

T = TypeVar("T")

_NEW_SUBFILE_TYPE, _BITS_PER_SAMPLE, _PHOTOMETRIC = 254, 258, 262
_WHITE_IS_ZERO = 0
_LARGE_PIXELS = 16_000_000


def decode_picture(
    file: BinaryIO,
    format: Format,
    limits: MediaLimits,
    is_first_enough: bool = False,
    make_room: Callable[[int], None] = lambda size_bytes: None,
) -> Image.Image:
    """The picture in `file`, upright, RGB, fully in memory; of several pages the first, where that is enough. `make_room` is told
    the bytes of its pixels before one is decoded. Raises InvalidMedia with one sentence."""
    image = open_picture(file, format, limits)
    make_room(4 * image.width * image.height)
    if format is TIFF and not is_first_enough:
        _require_one_page(image, limits)
    reading(format, image.load)
    image = reading(format, lambda: _filled(image, file))
    rgb = reading(format, lambda: _to_rgb_sparingly(_upright(image)))
    # Where it was taken, and a profile that the pixels no longer are in, must not go into crops.
    rgb.info = {}
    return rgb


def open_picture(file: BinaryIO, format: Format, limits: MediaLimits) -> Image.Image:
    """Only the header is read and checked against the limits; no pixel is decoded yet."""
    if format is JPEG_XL:
        _require_still_jpeg_xl(file, limits)
    image = reading(format, lambda: _open(file, format))
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


def _require_still_jpeg_xl(file: BinaryIO, limits: MediaLimits) -> None:
    """The plug-in decodes the whole first frame while it opens a file, and knows no others."""
    size, is_animated = reading(JPEG_XL, lambda: read_header(file))
    require_size(size, "picture", limits.max_pixels, limits)
    if is_animated:
        raise InvalidMedia("This JPEG XL is animated; a still one is needed. Save the animation as MP4, WebM or WebP.")


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


def _upright(image: Image.Image) -> Image.Image:
    if image.format == "JXL" and not getattr(image, "jpeg", False):
        return image  # turned by its own header; by the standard, EXIF's turn counts only in a JPEG kept inside
    # Damaged EXIF data may raise anything, and every viewer shows the sound pixels beside it as they are stored.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)  # without a copy of what is upright already
    return image


def _to_rgb_sparingly(image: Image.Image) -> Image.Image:
    """`to_rgb` of an image that nobody else uses. A large one is not copied where nothing has to be changed, and else a strip at
    a time, where its pixels lie if they have four bytes in Pillow as RGB has: what is done to one pixel does not depend on others
    but for depths above 8 bit."""
    if image.mode == "RGB" and not image.has_transparency_data and not image.info.get("icc_profile"):
        return cast(Any, image)._new(image.im)  # the same pixels, and no hold on the file
    if image.width * image.height < _LARGE_PIXELS or image.mode == "F" or image.mode.startswith("I"):
        return to_rgb(image)
    is_in_place = image.mode in ("RGB", "RGBA")
    made = image if is_in_place else Image.new("RGB", image.size)
    rows = max(1, _LARGE_PIXELS // 16 // image.width)
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
        grey = _grey(image)
        if _tag(image, _PHOTOMETRIC) == _WHITE_IS_ZERO:
            grey = ImageOps.invert(grey)
        return _to_srgb(grey, image.info.get("icc_profile")).convert("RGB")
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
    """Of a depth above 8 bit; a large one of 16 bits a strip at a time, its white that of the whole."""
    if not image.mode.startswith("I;16") or image.width * image.height < _LARGE_PIXELS:
        return Image.fromarray(_to_eight_bits(np.asarray(image), image.mode), "L")
    white = _white_of(int(cast(Any, image.getextrema())[1]))
    made, rows = Image.new("L", image.size), max(1, _LARGE_PIXELS // 16 // image.width)
    for top in range(0, image.height, rows):
        values = np.asarray(image.crop((0, top, image.width, min(image.height, top + rows))))
        made.paste(Image.fromarray(_scaled(values, white), "L"), (0, top))
    return made


def _tag(image: Image.Image, number: int) -> Any:
    """A tag of a TIFF; None for other formats."""
    return getattr(image, "tag_v2", {}).get(number)


def _to_eight_bits(values: np.ndarray, mode: str) -> np.ndarray:
    """Values of more than 8 bits, scaled to 8. 16-bit values fill their full range, unless all fit into 12, 10 or 8 bits:
    cameras and microscopes write those into 16-bit files as they are. 32-bit integers and floats have no agreed white:
    those within [0, 1] (floats), [0, 255] or [0, 65535] are taken to fill that range, others are stretched from least to
    most."""
    if mode.startswith("I;16"):
        return _scaled(values, _white_of(int(values.max())))
    values = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 65535:
        white_level = 1.0 if mode == "F" and high <= 1 else 255.0 if high <= 255 else 65535.0
        return np.rint(values * (255.0 / white_level)).astype(np.uint8)
    return np.rint((values - low) * (255.0 / max(high - low, 1e-300))).astype(np.uint8)


def _scaled(values: np.ndarray, white: int) -> np.ndarray:
    """16-bit values to 8 bits, `white` to 255, rounded."""
    return ((values.astype(np.uint32) * 255 + white // 2) // white).astype(np.uint8)


def _white_of(largest: int) -> int:
    """The white of 16-bit values whose largest is this."""
    return next(white for white in (255, 1023, 4095, 65535) if largest <= white)


def _filled(image: Image.Image, file: BinaryIO) -> Image.Image:
    """A picture of 16 bits a colour, read again where its values fit into 12 bits. Pillow keeps the upper 8 bits of each
    colour, which are then nearly black; FFmpeg reads all 16."""
    bands = image.getextrema() if image.mode in ("RGB", "RGBA") and image.format in ("PNG", "TIFF") else None
    if bands is None or max(high for _, high in bands[:3]) > 15 or not _is_deep(image, file):  # type: ignore[index, misc]
        return image
    file.seek(0)
    demuxer = "png_pipe" if image.format == "PNG" else "tiff_pipe"
    with cast(InputContainer, av.open(file, format=demuxer)) as container:
        frame = next(container.decode(video=0))
        values = frame.to_ndarray(format="rgb48le")
    white = _white_of(int(values.max()))
    filled = Image.fromarray(np.rint(values * (255.0 / white)).astype(np.uint8), "RGB")
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
