"""Media in memory: `load_media` turns a file of any accepted format into upright RGB pictures, or one clear refusal.

Invariants: the format is what the content says; every limit is checked before the work that it limits; the media's
name is the SHA-256 of its bytes, unchanged; `crop` cuts the original's pixels at full resolution.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from PIL import Image

from engine.errors import InvalidMedia, NotFound
from engine.media.animation import decode_animation, is_animated
from engine.media.formats import DEFAULT_LIMITS, GIF, Format, MediaLimits, accepted_sentence, read_head, sniff
from engine.media.picture import decode_picture, open_picture
from engine.media.sampling import Sampling
from engine.media.video import decode_clip, has_several_frames
from engine.trace import Box, Media

__all__ = ["LoadedMedia", "Pictures", "decode_file", "load_media", "open_regular", "require_bytes"]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedMedia:
    """Media with its pixels: `frames` are RGB and upright, 1 for an image, CLIP_FRAMES for a video; `times_s` are their
    times in seconds from the start of a video, () for an image. The pictures are shared: never draw on them."""

    media: Media
    frames: tuple[Image.Image, ...]
    times_s: tuple[float, ...] = ()

    def picture(self, frame: int | None) -> Image.Image:
        """The picture of a view: the image (None), or a frame of the clip, from 1. Raises NotFound otherwise."""
        if self.media.kind == "image":
            if frame is not None:
                raise NotFound(f"An image has no frame {frame}.")
            return self.frames[0]
        if frame is None or not 1 <= frame <= len(self.frames):
            raise NotFound(f"This video has frames 1 to {len(self.frames)}, and no frame {frame}.")
        return self.frames[frame - 1]

    def crop(self, frame: int | None, box: Box) -> Image.Image:
        """The original pixels inside `box`, at full resolution: a copy, or the shared picture where the box is the full one."""
        picture = self.picture(frame)
        return picture if box == Box.full() else picture.crop(box.to_pixels(picture.size))

    @property
    def memory_bytes(self) -> int:
        """Bytes of decoded pixels, of which Pillow keeps four for each; a repeated frame counts once."""
        return sum(4 * image.width * image.height for image in {id(f): f for f in self.frames}.values())


Pictures = Mapping[str, LoadedMedia]
"""Loaded media by their SHA-256."""


def load_media(
    source: Path | str | bytes,
    limits: MediaLimits = DEFAULT_LIMITS,
    sampling: Sampling | None = "time",
    make_room: Callable[[int], None] = lambda size_bytes: None,
) -> LoadedMedia:
    """Reads, validates and decodes a file (or its bytes). `sampling` says which frames of a clip are taken; None is how
    version 0.1.0 did: a clip by index, and of a moving or paged picture the first. Raises InvalidMedia: one sentence that
    says what was wrong, the value seen, and what is accepted."""
    if isinstance(source, bytes):
        require_bytes(len(source), limits)
        return decode_file(io.BytesIO(source), hashlib.sha256(source).hexdigest(), limits, sampling, make_room)[0]
    with open_regular(source) as file:
        require_bytes(os.fstat(file.fileno()).st_size, limits)
        return decode_file(file, hashlib.file_digest(file, "sha256").hexdigest(), limits, sampling, make_room)[0]


def decode_file(
    file: BinaryIO,
    sha256: str,
    limits: MediaLimits,
    sampling: Sampling | None = "time",
    make_room: Callable[[int], None] = lambda size_bytes: None,
) -> tuple[LoadedMedia, Format]:
    """Decodes an open file whose hash is known; its size has been checked. `make_room` as in `decode_picture`. Raises
    InvalidMedia."""
    format = sniff(read_head(file))
    if format is GIF:
        open_picture(file, format, limits)  # the canvas is checked before a second frame is looked for
    if format.kind == "video" or (format is GIF and has_several_frames(file, format)):
        frames, times_s = decode_clip(file, format, limits, sampling or "index")
    elif sampling is not None and is_animated(file, format, limits):
        frames, times_s = decode_animation(file, format, limits, sampling)
    else:
        picture = decode_picture(file, format, limits, sampling is None, make_room)
        return LoadedMedia(Media(sha256, "image", *picture.size), (picture,)), format
    return LoadedMedia(Media(sha256, "video", *frames[0].size), frames, times_s), format


def open_regular(path: Path | str) -> io.BufferedReader:
    """Opens a regular file for reading; a pipe or a device would never end. Raises InvalidMedia."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidMedia(f"The file {str(path)!r} cannot be opened: {reason}.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidMedia(f"{str(path)!r} is not a regular file; {accepted_sentence()}.")
    return cast(io.BufferedReader, os.fdopen(descriptor, "rb"))


def require_bytes(size: int, limits: MediaLimits) -> None:
    if size > limits.max_bytes:
        raise InvalidMedia(
            f"This file has {size / 2**20:,.1f} MiB; at most {limits.max_bytes / 2**20:,.1f} MiB are accepted."
        )
