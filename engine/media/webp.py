"""A large still WebP within 6.5 bytes a pixel, by FFmpeg: Pillow lays it on canvases for animations, which takes 16.

Algorithm, as libwebp's, value for value: a lossless picture is taken where FFmpeg laid it; of a lossy one chroma is interpolated
(9, 3, 3, 1 sixteenths of the nearest four) and turned to RGB in fixed-point arithmetic, a strip at a time.

Source: libwebp's src/dsp/upsampling.c and src/dsp/yuv.h. Not covered: animations (`animation`).
"""

from __future__ import annotations

from typing import Any, BinaryIO, cast

import av
import numpy as np
from av.container import InputContainer
from PIL import Image

__all__ = ["decode_webp"]

_ROWS = 32
"""Worked at a time: between the steps a pixel takes four bytes a dozen times over."""


def decode_webp(file: BinaryIO) -> Image.Image:
    """RGB or RGBA, where the file has transparency. Raises what FFmpeg does on damaged files."""
    file.seek(0)
    with cast(InputContainer, av.open(file, format="webp_pipe")) as container:
        container.streams.video[0].thread_type = "NONE"
        frame = next(container.decode(video=0))
    if frame.format.name == "argb":
        return _in_place(frame)
    if frame.format.name not in ("yuv420p", "yuva420p"):
        raise ValueError(f"its pixels are {frame.format.name}")
    luma, u, v, *alpha = (_plane(plane) for plane in frame.planes)
    made = Image.new("RGBA" if alpha else "RGB", (frame.width, frame.height))
    for top in range(0, frame.height, _ROWS):
        rows = slice(top, min(frame.height, top + _ROWS))
        strip = _to_rgb(luma[rows], _interpolated(u, rows, frame.width), _interpolated(v, rows, frame.width))
        made.paste(Image.fromarray(np.dstack([strip, *(one[rows] for one in alpha)])), (0, top))
    return made


def _in_place(frame: av.VideoFrame) -> Image.Image:
    """The frame's own memory as a picture. FFmpeg's lossless pictures have an alpha channel, used or not."""
    [plane] = frame.planes
    values = np.frombuffer(cast(Any, plane), np.uint8).reshape(frame.height, plane.line_size)[:, : 4 * frame.width]
    is_opaque = True
    for top in range(0, frame.height, _ROWS):
        strip = values[top : top + _ROWS].reshape(-1, frame.width, 4)
        is_opaque = is_opaque and bool((strip[..., 0] == 255).all())
        values[top : top + _ROWS] = np.roll(strip, -1, axis=-1).reshape(-1, 4 * frame.width)
    mode = "RGBX" if is_opaque else "RGBA"
    made: Any = Image.frombuffer(mode, (frame.width, frame.height), cast(Any, plane), "raw", mode, plane.line_size, 1)
    made.readonly = 0  # nobody else has the frame
    if is_opaque:
        made.im.setmode("RGB")
        made = made._new(made.im)
    return cast(Image.Image, made)


def _plane(plane: Any) -> np.ndarray:
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]


def _interpolated(plane: np.ndarray, rows: slice, width: int) -> np.ndarray:
    """Chroma of half the width and height at each pixel of these rows."""
    down, across = np.arange(rows.start, rows.stop), np.arange(width)
    near_y, near_x = down // 2, across // 2
    far_y = (near_y + down % 2 * 2 - 1).clip(0, len(plane) - 1)
    far_x = (near_x + across % 2 * 2 - 1).clip(0, plane.shape[1] - 1)
    near, far = plane[near_y].astype(np.int32), plane[far_y].astype(np.int32)
    nearest = near[:, near_x]
    return ((nearest + far[:, far_x] + 3 * (near[:, far_x] + far[:, near_x]) + 8 >> 3) + nearest) >> 1


def _to_rgb(luma: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    y = luma.astype(np.int32) * 19077 >> 8
    red = y + (v * 26149 >> 8) - 14234
    green = y - (u * 6419 >> 8) - (v * 13320 >> 8) + 8708
    blue = y + (u * 33050 >> 8) - 17685
    return (np.stack([red, green, blue], axis=-1) >> 6).clip(0, 255).astype(np.uint8)
