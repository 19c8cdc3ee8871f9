"""The header of a JPEG XL picture: its size, and whether it is animated, without decoding a pixel.

The plug-in that decodes JPEG XL decodes the whole picture when it opens one, so its size must be known before.
After ISO/IEC 18181-1, D.2 (SizeHeader) and D.3 (ImageMetadata); bits are read from the lowest up.

Not covered: animation behind a preview picture (neither is written by common encoders).
"""

from __future__ import annotations

import os
from typing import BinaryIO

__all__ = ["read_header"]

_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
"""Width to height, by the number that stands for it."""


def read_header(file: BinaryIO) -> tuple[tuple[int, int], bool]:
    """((width, height), is animated). Raises ValueError where the file ends before."""
    bits = _Bits(_codestream(file))
    width, height = _size(bits)
    is_animated = False
    if not bits.take(1) and bits.take(1):  # not all is default, and there are extra fields
        bits.take(3)  # orientation: the decoder turns the picture
        if bits.take(1):
            _size(bits)
        is_animated = not bits.take(1) and bool(bits.take(1))
    return (width, height), is_animated


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise ValueError("the header is cut off")
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return taken


def _size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.take(1)
    height = _side(bits, is_small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, is_small), height
    across, down = _RATIOS[ratio]
    return height * across // down, height


def _side(bits: _Bits, is_small: int) -> int:
    return (bits.take(5) + 1) * 8 if is_small else bits.take((9, 13, 18, 30)[bits.take(2)]) + 1


def _codestream(file: BinaryIO) -> bytes:
    """The first bytes of the codestream, which may lie in a container of boxes as MP4's. Raises ValueError."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(32)
    position = 0
    while not head.startswith(b"\xff\x0a"):
        kind, length, skipped = head[4:8], int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, skipped = int.from_bytes(head[8:16], "big"), 16
        if kind in (b"jxlc", b"jxlp"):
            skipped += 4 if kind == b"jxlp" else 0  # a part of the codestream begins with its number
            head = head[skipped:]
            break
        if length < 8 or position + length >= end:
            raise ValueError("there is no codestream")
        position += length
        file.seek(position)
        head = file.read(32)
    if not head.startswith(b"\xff\x0a"):
        raise ValueError("there is no codestream")
    return head[2:]
