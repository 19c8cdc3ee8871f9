"""Still pictures as one animated PNG that loses nothing and leaves nothing out.

    signature, IHDR, acTL(frames), then for each frame fcTL and its data: IDAT for the first, fdAT for the others, IEND

Source: the third edition of the PNG specification (W3C), sections 11.3.6. Pillow writes such files, too, but puts frames
that repeat into one, and a clip has sixteen frames whether or not they differ.

Not covered: reading (`engine.media.animation`).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Sequence

from PIL import Image

__all__ = ["animated_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def animated_png(frames: Sequence[Image.Image], frame_s: int = 1) -> bytes:
    """The bytes of an animation that shows each frame (RGB, of one size) for `frame_s` seconds. Raises ValueError on no
    frames or several sizes."""
    if len({frame.size for frame in frames}) != 1:
        raise ValueError(f"frames of one size are needed, not {sorted({frame.size for frame in frames})}")
    width, height = frames[0].size
    out = bytearray(_SIGNATURE)
    order = 0
    for number, frame in enumerate(frames):
        pieces = list(_chunks(frame.convert("RGB")))
        if number == 0:
            out += _chunk(b"IHDR", next(body for kind, body in pieces if kind == b"IHDR"))
            out += _chunk(b"acTL", struct.pack(">II", len(frames), 0))
        # Order, size, place, time as a fraction, and twice 0: leave the frame as it is, and draw over it.
        out += _chunk(b"fcTL", struct.pack(">IIIIIHHBB", order, width, height, 0, 0, frame_s, 1, 0, 0))
        order += 1
        for body in (body for kind, body in pieces if kind == b"IDAT"):
            if number == 0:
                out += _chunk(b"IDAT", body)
            else:
                out += _chunk(b"fdAT", struct.pack(">I", order) + body)
                order += 1
    return bytes(out + _chunk(b"IEND", b""))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _chunks(frame: Image.Image) -> Iterator[tuple[bytes, bytes]]:
    buffer = io.BytesIO()
    frame.save(buffer, "PNG", compress_level=1)
    data, at = buffer.getvalue(), len(_SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length
