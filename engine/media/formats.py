"""What may come in: the accepted formats, their limits, and recognising a file by its content alone.

Invariant: a name or an extension given by a person is never believed; `sniff` looks at the first bytes only, decodes
nothing, and either returns one accepted `Format` or raises one sentence that says what the file is instead.

Not covered: whether the rest of the file is whole (`picture`, `video`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO

from engine.errors import InvalidMedia
from engine.trace import MediaKind

__all__ = [
    "ACCEPTED",
    "ACCEPTED_EXTENSIONS",
    "DEFAULT_LIMITS",
    "IMAGE_FORMATS",
    "VIDEO_FORMATS",
    "Format",
    "MediaLimits",
    "accepted_sentence",
    "read_head",
    "sniff",
]

HEAD_BYTES = 4096
"""How many bytes of a file `sniff` needs."""

_MAX_EMPTY_BOXES = 16
"""How many boxes that hold nothing may come before the first that counts, as editors of MP4 files leave them."""


@dataclass(frozen=True, slots=True)
class Format:
    """One accepted format. `decoder` is the name that Pillow (images) or FFmpeg's demuxer (videos) knows it by;
    `extension` is what stored files end in, `extensions` what people's files may end in."""

    name: str
    kind: MediaKind
    decoder: str
    mime_type: str
    extensions: tuple[str, ...]

    @property
    def extension(self) -> str:
        return self.extensions[0]


PNG = Format("PNG", "image", "PNG", "image/png", (".png",))
JPEG = Format("JPEG", "image", "JPEG", "image/jpeg", (".jpg", ".jpeg"))
WEBP = Format("WebP", "image", "WEBP", "image/webp", (".webp",))
GIF = Format("GIF", "image", "GIF", "image/gif", (".gif",))
BMP = Format("BMP", "image", "BMP", "image/bmp", (".bmp",))
TIFF = Format("TIFF", "image", "TIFF", "image/tiff", (".tif", ".tiff"))
AVIF = Format("AVIF", "image", "AVIF", "image/avif", (".avif",))
JPEG_XL = Format("JPEG XL", "image", "JXL", "image/jxl", (".jxl",))
HEIC = Format("HEIC", "image", "HEIF", "image/heic", (".heic", ".heif"))
MP4 = Format("MP4", "video", "mov", "video/mp4", (".mp4", ".m4v"))
WEBM = Format("WebM", "video", "matroska", "video/webm", (".webm",))
MOV = Format("MOV", "video", "mov", "video/quicktime", (".mov",))

IMAGE_FORMATS = (PNG, JPEG, WEBP, GIF, BMP, TIFF, HEIC, AVIF, JPEG_XL)
VIDEO_FORMATS = (MP4, WEBM, MOV)
ACCEPTED = IMAGE_FORMATS + VIDEO_FORMATS
ACCEPTED_EXTENSIONS = tuple(extension for format in ACCEPTED for extension in format.extensions)
"""For file pickers: ".png", ".jpg", ... A convenience for people; only the content decides."""


@dataclass(frozen=True, slots=True)
class MediaLimits:
    """What is too much. `max_pixels` is for a still picture, `max_frame_pixels` for each frame of a video (the default
    admits 4096x2160: 16 such frames are 425 MB decoded); `max_frames` counts a video's encoded frames and a TIFF's
    pages count against `max_pages`; `max_animation_pixels` is for all frames of an animated picture together, which are
    decoded one on another; `max_aspect_ratio` is what the Qwen-VL picture processors refuse beyond."""

    max_bytes: int = 200 * 2**20
    max_pixels: int = 64_000_000
    max_frame_pixels: int = 9_000_000
    max_duration_s: float = 600.0
    max_frames: int = 40_000
    max_pages: int = 64
    max_animation_pixels: int = 2_000_000_000
    max_aspect_ratio: float = 200.0


DEFAULT_LIMITS = MediaLimits()


def accepted_sentence() -> str:
    """The clause that ends a refusal: what is accepted."""
    images, videos = ([f.name for f in formats] for formats in (IMAGE_FORMATS, VIDEO_FORMATS))
    return (
        f"{', '.join(images[:-1])} and {images[-1]} pictures and "
        f"{', '.join(videos[:-1])} and {videos[-1]} videos are accepted"
    )


def read_head(file: BinaryIO) -> bytes:
    """The first HEAD_BYTES bytes, without empty boxes before them."""
    position = 0
    for _ in range(_MAX_EMPTY_BOXES):
        file.seek(position)
        head = file.read(HEAD_BYTES)
        length = int.from_bytes(head[:4], "big")
        if head[4:8] not in (b"free", b"skip") or length < 8:
            break
        position += length
    return head


def sniff(head: bytes) -> Format:
    """The format that the bytes of `read_head` announce. Raises InvalidMedia where it is none of ACCEPTED."""
    if not head:
        raise InvalidMedia(f"This file is empty (0 bytes); {accepted_sentence()}.")
    if format := _signature(head):
        return format
    raise InvalidMedia(f"This file is {_name_of_refused(head)}, which cannot be taken; {accepted_sentence()}.")


def _signature(head: bytes) -> Format | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TIFF
    # Plain text may begin with "BM" too; a bitmap has one of the known sizes of its second header there.
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in (12, 40, 52, 56, 64, 108, 124):
        return BMP
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return WEBM if b"\x42\x82\x84webm" in head[:64] else None
    if head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return JPEG_XL
    return _base_media_format(head)


def _base_media_format(head: bytes) -> Format | None:
    """MP4, MOV, HEIC and AVIF share one container: boxes of (length, type, content), told apart by the brands in "ftyp"."""
    box_type = head[4:8]
    if box_type in (b"moov", b"mdat", b"wide"):  # QuickTime files older than the "ftyp" box
        return MOV
    if box_type != b"ftyp":
        return None
    brands = {head[8:12]} | {head[i : i + 4] for i in range(16, min(int.from_bytes(head[:4], "big"), len(head)) - 3, 4)}
    if brands & {b"avif", b"avis"}:
        return AVIF
    if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}:
        return HEIC
    if head[8:12] == b"qt  ":
        return MOV
    return None if head[8:11] in (b"M4A", b"M4B", b"M4P", b"crx") else MP4


def _name_of_refused(head: bytes) -> str:
    names = (
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a ZIP archive or an office document"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x1a\x45\xdf\xa3", "a Matroska video (MKV)"),
        (b"ID3", "an MP3 sound"),
        (b"OggS", "an Ogg sound or video"),
        (b"8BPS", "a Photoshop document"),
        (b"\x7fELF", "a program"),
        (b"MZ", "a program"),
        (b"\x00\x00\x01\x00", "an icon (ICO)"),
    )
    for signature, name in names:
        if head.startswith(signature):
            return name
    if head.startswith(b"RIFF"):
        return {b"AVI ": "an AVI video", b"WAVE": "a WAV sound"}.get(head[8:12], "a RIFF file of an unknown kind")
    if head[4:8] == b"ftyp":
        return "sound or raw camera data in an MP4 container"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "plain text"
    try:
        # A multi-byte character may be cut at the end of the head.
        text = head.decode("utf-8-sig", "strict" if len(head) < HEAD_BYTES else "ignore").lstrip().lower()
    except UnicodeDecodeError:
        text = ""
    if re.match(r"(<!--.*?-->|<\?xml.*?\?>|<!doctype svg.*?>|\s)*<svg", text, re.DOTALL):
        return "an SVG drawing"
    if re.match(r"(<!--.*?-->|<\?xml.*?\?>|\s)*<(!doctype html|html|head|body|script)", text, re.DOTALL):
        return "an HTML page"
    if text.startswith("<?xml"):
        return "an XML document"
    if text and "\0" not in text:
        return "plain text"
    return f"of an unknown kind (it begins with the bytes {head[:8].hex(' ')})"
