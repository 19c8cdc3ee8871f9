"""What browsers show and what we crop have the same colours: profiles, depths, and which value is white."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from engine.media import load_media

TO_D50 = {
    "sRGB": ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)),
    "Display P3": ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    "Adobe RGB": ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
}
"""XYZ, adapted to D50, of full red, green and blue: the columns that such profiles carry."""

SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""g, a, b, c, d of an ICC parametric curve: (a x + b)^g from d on, c x below."""


def fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *[round(value * 65536) for value in values])


def profile(space: str) -> bytes:
    """The smallest ICC profile of a display: three columns and one curve."""
    if space == "Adobe RGB":
        curve = b"curv" + bytes(4) + struct.pack(">IHH", 1, 563, 0)  # gamma 563 / 256
    else:
        curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(*SRGB_CURVE)
    name = space.encode("ascii") + b"\0"
    text = b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78)
    tags = {b"desc": text + bytes(-len(text) % 4), b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1, 0.8249)}
    for letter, column in zip(b"rgb", TO_D50[space], strict=True):
        tags[bytes([letter]) + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*column)
        tags[bytes([letter]) + b"TRC"] = curve
    index, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        index += tag + struct.pack(">II", offset + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"none", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header = (header + bytes(12) + b"acsp" + bytes(28) + fixed(0.9642, 1, 0.8249)).ljust(128, b"\0")
    return header + struct.pack(">I", len(tags)) + index + body


def in_srgb(colour: tuple[int, int, int], space: str) -> np.ndarray:
    """The 8-bit sRGB values of a colour of another space, worked out from the definitions."""
    share = np.array(colour) / 255
    g, a, b, c, d = SRGB_CURVE
    light = share ** (563 / 256) if space == "Adobe RGB" else np.where(share >= d, (a * share + b) ** g, c * share)
    light = np.linalg.solve(np.array(TO_D50["sRGB"]).T, np.array(TO_D50[space]).T @ light).clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(load_media(data).picture(None), dtype=int)


@pytest.mark.parametrize("space", ["Display P3", "Adobe RGB"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_wide_gamut_colours_are_those_that_a_browser_shows(space: str, format: str) -> None:
    colours = [(200, 80, 60), (60, 140, 90), (255, 0, 0), (90, 90, 200), (128, 128, 128)]
    options: dict = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    if format == "AVIF":
        options = {"quality": 100, "subsampling": "4:4:4"}
    image = Image.new("RGB", (80, 16))
    for k, colour in enumerate(colours):
        image.paste(colour, (16 * k, 0, 16 * k + 16, 16))
    seen = pixels(saved(image, format, icc_profile=profile(space), **options))
    for k, colour in enumerate(colours):
        assert np.abs(seen[8, 16 * k + 8] - in_srgb(colour, space)).max() <= 3, (colour, in_srgb(colour, space))
    assert np.abs(in_srgb((200, 80, 60), space) - (200, 80, 60)).max() > 5


def test_alpha_survives_a_profile() -> None:
    image = Image.new("RGBA", (2, 1), (200, 80, 60, 255))
    image.putpixel((1, 0), (200, 80, 60, 0))
    seen = pixels(saved(image, "PNG", icc_profile=profile("Display P3")))
    assert np.abs(seen[0, 0] - in_srgb((200, 80, 60), "Display P3")).max() <= 1
    assert seen[0, 1].tolist() == [255, 255, 255]


def test_an_srgb_profile_leaves_every_value_alone() -> None:
    image = Image.fromarray(np.random.default_rng(5).integers(0, 256, (16, 16, 3), dtype=np.uint8))
    assert np.array_equal(pixels(saved(image, "PNG", icc_profile=profile("sRGB"))), np.asarray(image))


def deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits a sample: grey, colour, or colour with alpha. Pillow writes only grey ones."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    colour_type = {1: 0, 3: 2, 4: 6}[values.shape[2]]
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2


def deep_tiff(values: np.ndarray, photometric: int = RGB) -> bytes:
    """An uncompressed TIFF of 16 bits a sample."""
    height, width, samples = values.shape
    body = values.astype("<u2").tobytes()
    at = 8 + len(body)
    bits = struct.pack(f"<{samples}H", *[16] * samples)
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, samples, at if samples > 2 else 16),
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, 8),
        (277, 3, 1, samples),
        (278, 4, 1, height),
        (279, 4, 1, len(body)),
    ]
    index = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", at + len(bits)) + body + bits + index


@pytest.mark.parametrize("white", [255, 1023, 4095])
@pytest.mark.parametrize(("write", "samples"), [(deep_png, 1), (deep_png, 3), (deep_png, 4), (deep_tiff, 3)])
def test_values_of_a_camera_in_16_bits_fill_the_range(write, samples: int, white: int) -> None:
    values = np.array([[[white] * samples, [white // 2] * samples, [0] * samples]])
    if samples == 4:
        values[..., 3] = 65535
    assert np.abs(pixels(write(values))[0] - [[255] * 3, [127] * 3, [0] * 3]).max() <= 1


@pytest.mark.parametrize(("write", "samples"), [(deep_png, 1), (deep_png, 3), (deep_tiff, 3)])
def test_values_of_16_bits_stay_as_dark_as_they_are(write, samples: int) -> None:
    values = np.array([[[4200] * samples, [2100] * samples, [0] * samples]])
    assert np.abs(pixels(write(values))[0] - [[4200 / 257] * 3, [2100 / 257] * 3, [0] * 3]).max() <= 1


@pytest.mark.parametrize(("photometric", "expected"), [(WHITE_IS_ZERO, [255, 204, 0]), (BLACK_IS_ZERO, [0, 51, 255])])
def test_a_16_bit_tiff_whose_white_is_zero_is_no_negative(photometric: int, expected: list[int]) -> None:
    values = np.array([[[0], [65535 // 5], [65535]]])
    assert pixels(deep_tiff(values, photometric))[0, :, 0].tolist() == expected
