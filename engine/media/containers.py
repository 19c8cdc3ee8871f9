"""Whether a video file is whole, from the lengths that its own container announces; nothing is decoded.

FFmpeg plays what is left of a truncated file without a word, so the sampled clip would silently lack the end.

Not covered: damage in the middle of a whole file (the decoder reports that).
"""

from __future__ import annotations

import os
from typing import BinaryIO

from engine.errors import InvalidMedia
from engine.media.formats import GIF, WEBM, Format

__all__ = ["require_whole"]

_EBML_SEGMENT = 0x18538067


def require_whole(file: BinaryIO, format: Format) -> None:
    """Raises InvalidMedia where the file ends before its container says it does. The file's position is not kept."""
    size = file.seek(0, os.SEEK_END)
    if format is GIF:
        _require_whole_gif(file, size)
        return
    announced = _ebml_end(file, size) if format is WEBM else _boxes_end(file, size)
    if announced > size:
        raise InvalidMedia(
            f"This {format.name} video is truncated: {announced:,} bytes are announced and {size:,} are there; "
            f"a whole {format.name} file is needed."
        )


def _require_whole_gif(file: BinaryIO, size: int) -> None:
    """Walks the blocks. A file that ends between two blocks lacks nothing but its end mark, and every browser shows it."""
    file.seek(0)
    position = 13 + _colour_table_bytes(file.read(13)[10:11])
    while position < size:
        file.seek(position)
        block = file.read(10)
        if block[:1] not in (b"\x21", b"\x2c"):  # the end mark, or padding that no reader looks at
            return
        # An extension has a label, a picture has its place, its size, perhaps colours, and the length of its codes.
        position += 2 if block[:1] == b"\x21" else 11 + _colour_table_bytes(block[9:10])
        while True:
            file.seek(position)
            length = file.read(1)
            if not length:
                raise InvalidMedia("This GIF is truncated: it ends inside a picture; a whole GIF file is needed.")
            position += 1 + length[0]
            if length == b"\0":
                break


def _colour_table_bytes(flags: bytes) -> int:
    return 3 * 2 ** ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Where the last top-level box of an MP4 or MOV file ends."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        # 0: up to the end of the file. Other short lengths and unprintable types: padding after the last box.
        if length < 8 or not header[4:8].isascii() or not header[4:8].decode("ascii").isprintable():
            return size
        position += length
    return position


def _ebml_end(file: BinaryIO, size: int) -> int:
    """Where the segment of a WebM file ends; `size` where a live recorder left its length open."""
    position = 0
    while position < size:
        file.seek(position)
        head = file.read(12)
        id_length = _vint_length(head)
        size_length = _vint_length(head[id_length:])
        field = int.from_bytes(head[id_length : id_length + size_length], "big")
        value = field & ~(1 << (7 * size_length))
        is_open = value == (1 << (7 * size_length)) - 1
        position += id_length + size_length + value
        if int.from_bytes(head[:id_length], "big") == _EBML_SEGMENT:
            return size if is_open else position
    return size


def _vint_length(data: bytes) -> int:
    """Length in bytes (1 to 8) of EBML's variable-length number: one more than its leading zero bits."""
    return 9 - data[0].bit_length() if data and data[0] else 8
