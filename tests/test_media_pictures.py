"""Still pictures: every format and mode comes out upright, 8-bit RGB, with the values it should have."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from traceback import walk_tb

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageChops, ImageCms

from engine.errors import InvalidMedia, NotFound
from engine.media import MediaLimits, load_media
from engine.media.picture import _to_rgb_sparingly, to_rgb
from engine.media.webp import decode_webp

SIZE = (37, 23)


def noise(size: tuple[int, int] = SIZE, channels: int = 3) -> Image.Image:
    values = np.random.default_rng(7).integers(0, 256, (size[1], size[0], channels), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def picture(data: bytes) -> Image.Image:
    loaded = load_media(data)
    assert loaded.media.kind == "image" and loaded.times_s == () and len(loaded.frames) == 1
    image = loaded.picture(None)
    assert image.mode == "RGB" and image.size == (loaded.media.width, loaded.media.height)
    return image


def is_same(a: Image.Image, b: Image.Image) -> bool:
    return a.size == b.size and ImageChops.difference(a, b).getbbox() is None


def png(values: np.ndarray, colour_type: int) -> bytes:
    """A 16-bit PNG; Pillow writes only grey ones."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("format", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})],
)
def test_lossless_formats_keep_every_pixel(format: str, options: dict) -> None:
    data = encoded(noise(), format, **options)
    assert is_same(picture(data), noise())
    assert load_media(data).media.sha256 == hashlib.sha256(data).hexdigest()


def test_a_jpeg_is_what_pillow_decodes(tmp_path: Path) -> None:
    data = encoded(noise(), "JPEG", quality=90)
    (tmp_path / "picture.png").write_bytes(data)  # a wrong extension over right content is no matter
    expected = Image.open(io.BytesIO(data))
    assert is_same(picture(data), expected)
    assert is_same(load_media(tmp_path / "picture.png").picture(None), expected)
    assert is_same(load_media(str(tmp_path / "picture.png")).picture(None), expected)


def test_a_still_gif_keeps_its_palette_colours() -> None:
    image = noise().quantize(32)
    assert is_same(picture(encoded(image, "GIF")), image.convert("RGB"))


def test_heic() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    image = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=95)
    seen = np.asarray(picture(buffer.getvalue()), dtype=int)
    assert np.abs(seen - np.asarray(image, dtype=int)).mean() < 3


def test_avif() -> None:
    image = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
    seen = np.asarray(picture(encoded(image, "AVIF", quality=95)), dtype=int)
    assert np.abs(seen - np.asarray(image, dtype=int)).mean() < 3


def test_heic_without_its_package_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(InvalidMedia, match="pillow-heif .* not installed here; install it, or save .* as JPEG or PNG"):
        load_media(b"\0\0\0\x1cftypheic\0\0\0\0mif1heicmiaf" + bytes(100))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(format: str, orientation: int) -> None:
    upright = Image.new("RGB", (48, 32), "white")
    for colour, corner in (("red", (0, 0)), ("lime", (32, 0)), ("blue", (0, 16))):
        upright.paste(colour, (*corner, corner[0] + 16, corner[1] + 16))
    # How a camera stores what it should show upright: the inverse of the turn that the tag asks for.
    stored_by = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(stored_by[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, object] = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}.get(
        format, {}
    )
    seen = picture(encoded(stored, format, exif=exif, **options))
    assert seen.size == (48, 32)
    for point in ((8, 8), (40, 8), (8, 24), (40, 24)):
        assert np.abs(np.subtract(seen.getpixel(point), upright.getpixel(point))).max() <= 3


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_does_not_refuse_sound_pixels() -> None:
    data = encoded(noise(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f" + bytes(8))
    assert is_same(picture(data), Image.open(io.BytesIO(encoded(noise(), "JPEG"))))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_laid_on_white(format: str) -> None:
    image = noise(channels=4)
    alpha = Image.new("L", SIZE, 255)
    alpha.paste(0, (0, 0, 10, 10))
    alpha.paste(128, (20, 0, 30, 10))
    image.putalpha(alpha)
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    seen = picture(encoded(image, format, **options))
    assert seen.crop((0, 0, 10, 10)).getcolors() == [(100, (255, 255, 255))]
    assert is_same(seen.crop((0, 10, 37, 23)), image.convert("RGB").crop((0, 10, 37, 23)))
    half = np.asarray(image.convert("RGB").crop((20, 0, 30, 10)), dtype=float) * 128 / 255 + 255 * 127 / 255
    assert np.abs(np.asarray(seen.crop((20, 0, 30, 10))) - half).max() <= 1


def test_a_transparent_palette_entry_and_a_transparent_colour_become_white() -> None:
    palette = Image.new("P", (4, 1))
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    palette.putdata([0, 1, 2, 1])
    expected = [(255, 0, 0), (255, 255, 255), (0, 0, 255), (255, 255, 255)]
    for data in (encoded(palette, "PNG", transparency=1), encoded(palette, "GIF", transparency=1)):
        assert [picture(data).getpixel((x, 0)) for x in range(4)] == expected
    data = encoded(palette.convert("RGB"), "PNG", transparency=(0, 255, 0))
    assert [picture(data).getpixel((x, 0)) for x in range(4)] == expected


def test_grey_with_alpha_and_black_and_white() -> None:
    grey = Image.new("LA", (2, 1))
    grey.putdata([(10, 255), (10, 0)])
    assert [picture(encoded(grey, "PNG")).getpixel((x, 0)) for x in range(2)] == [(10, 10, 10), (255, 255, 255)]
    line = Image.new("1", (2, 1))
    line.putdata([0, 1])
    assert [picture(encoded(line, "TIFF")).getpixel((x, 0)) for x in range(2)] == [(0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_from_its_full_range(format: str) -> None:
    values = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    seen = np.asarray(picture(encoded(Image.fromarray(values), format)))
    assert np.array_equal(seen[..., 0], np.arange(256).reshape(16, 16))
    assert np.array_equal(seen[..., 0], seen[..., 2])


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_16_bit_colour_and_alpha(colour_type: int, channels: int) -> None:
    values = np.random.default_rng(1).integers(0, 65536, (5, 6, channels))
    if channels in (2, 4):
        values[..., -1] = 65535
    colours = np.repeat(values[..., :1], 3, axis=2) if channels == 2 else values[..., :3]
    assert np.abs(np.asarray(picture(png(values, colour_type)), dtype=int) - np.rint(colours / 257)).max() <= 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], dtype=np.float32), [0, 128, 255]),
        (np.array([[0.0, 100.0, 255.0]], dtype=np.float32), [0, 100, 255]),
        (np.array([[-1.0, 0.0, 1.0]], dtype=np.float32), [0, 128, 255]),
        (np.array([[np.nan, 0.5, np.inf]], dtype=np.float32), [0, 128, 0]),
        (np.array([[0, 257, 65535]], dtype=np.int32), [0, 1, 255]),
        (np.array([[0, 50_000, 100_000]], dtype=np.int32), [0, 128, 255]),
    ],
)
def test_32_bit_modes_are_scaled_by_the_rule_that_is_written_down(values: np.ndarray, expected: list[int]) -> None:
    seen = np.asarray(picture(encoded(Image.fromarray(values), "TIFF")))[0, :, 0]
    assert np.abs(seen.astype(int) - expected).max() <= 1


def cmyk_profile() -> bytes:
    """The smallest ICC profile of a printer that turns any ink into the same grey: a lookup table of two points a side,
    every one L = 50."""
    table = (
        b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *[k << 16 for k in (1, 0, 0, 0, 1, 0, 0, 0, 1)])
    )
    table += bytes(range(256)) * 4 + bytes([128, 128, 128]) * 16 + bytes(range(256)) * 3
    offset = 128 + 4 + 12
    header = struct.pack(">I4sI4s4s4s", offset + len(table), b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", offset, len(table)) + table


def test_cmyk_goes_through_its_profile_and_without_one_through_plain_inversion() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert picture(encoded(image, "TIFF")).getpixel((4, 4)) == (255, 0, 0)
    red = picture(encoded(image, "JPEG", quality=100)).getpixel((4, 4))
    assert np.abs(np.subtract(red, (255, 0, 0))).max() <= 3
    grey = picture(encoded(image, "TIFF", icc_profile=cmyk_profile())).getpixel((4, 4))
    assert np.abs(np.subtract(grey, (119, 119, 119))).max() <= 3  # L = 50 is sRGB 119


def test_a_cmyk_picture_with_a_useless_profile_is_still_shown() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (b"nonsense", srgb):
        assert picture(encoded(image, "TIFF", icc_profile=profile)).getpixel((4, 4)) == (255, 0, 0)


def test_lab() -> None:
    lab = Image.new("LAB", (4, 4), (137, 128, 128))
    assert np.abs(np.subtract(picture(encoded(lab, "TIFF")).getpixel((1, 1)), (128, 128, 128))).max() <= 6


def test_an_image_has_no_frames() -> None:
    with pytest.raises(NotFound):
        load_media(encoded(noise(), "PNG")).picture(1)


def test_what_a_camera_wrote_beside_the_pixels_is_not_carried_on() -> None:
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for image, format in ((noise(), "JPEG"), (noise(), "PNG"), (noise(channels=4), "PNG"), (noise(channels=1), "TIFF")):
        seen = picture(encoded(image, format, exif=exif, icc_profile=profile))
        assert seen.info == {} and dict(seen.getexif()) == {}
        assert b"a camera" not in encoded(seen, "PNG") and b"iCCP" not in encoded(seen, "PNG")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "P", "CMYK", "1"])
def test_a_large_picture_becomes_the_same_pixels_a_strip_at_a_time(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (37, 23, 4), dtype=np.uint8)
    image = Image.fromarray(pixels, "RGBA").convert(mode)
    if mode == "RGB":
        image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if mode == "P":
        image.info["transparency"] = 3
    expected = np.asarray(to_rgb(image.copy()))
    monkeypatch.setattr("engine.media.picture._LARGE_PIXELS", 16 * 23 * 5)
    assert np.array_equal(np.asarray(_to_rgb_sparingly(image)), expected)


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_a_large_deep_picture_is_scaled_by_the_values_of_the_whole(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = {"I;16": (0, 900), "I": (90_000, 70_000), "F": (0, 60_000)}[mode]
    values = np.linspace(first, last, 37 * 23).reshape(37, 23)
    image = Image.fromarray(values.astype({"I;16": "<u2", "I": "<i4", "F": "<f4"}[mode]))
    expected = np.asarray(to_rgb(image.copy()))
    assert expected.max() > 200 and expected.min() == 0
    monkeypatch.setattr("engine.media.picture._LARGE_PIXELS", 16 * 23 * 5)
    assert np.array_equal(np.asarray(_to_rgb_sparingly(image)), expected)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 60}])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(37, 23), (64, 40), (1, 1)])
def test_ffmpegs_webp_is_pillows_value_for_value(
    size: tuple[int, int], channels: int, options: dict[str, object]
) -> None:
    data = encoded(noise(size, channels), "WEBP", **options)
    pillows, ours = Image.open(io.BytesIO(data)), decode_webp(io.BytesIO(data))
    assert ours.mode == pillows.mode
    assert np.array_equal(np.asarray(ours), np.asarray(pillows))


def test_what_takes_more_to_decode_has_fewer_pixels() -> None:
    """Of six bytes a pixel: a progressive JPEG with chroma of half the sides takes seven, a turned one eight."""
    limits = MediaLimits(max_pixels=10_000)
    turned = Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    for size, format, options, mode in (
        ((92, 93), "JPEG", {"progressive": True}, "RGB"),
        ((92, 81), "JPEG", {"exif": turned}, "RGB"),
        ((92, 81), "JPEG", {}, "CMYK"),
        ((92, 68), "AVIF", {}, "RGB"),
    ):
        load_media(encoded(Image.new(mode, size), format, **options), limits)
        with pytest.raises(InvalidMedia, match=r"Decoding this picture .* at most 0 MB are accepted\. Save it"):
            load_media(encoded(Image.new(mode, (100, 100)), format, **options), limits)
    load_media(encoded(Image.new("RGB", (100, 100)), "JPEG"), limits)


def test_a_refusal_holds_no_pixels() -> None:
    with pytest.raises(InvalidMedia, match="damaged or truncated") as caught:
        load_media(encoded(noise(), "JPEG")[:-200])
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    held = [value for frame, _ in walk_tb(caught.value.__traceback__) for value in frame.f_locals.values()]
    assert not [value for value in held if isinstance(value, Image.Image)]


def test_a_huge_picture_of_few_bytes_takes_its_pixels_once(tmp_path: Path) -> None:
    Image.new("RGB", (7000, 7000), (200, 30, 40)).save(tmp_path / "huge.png")
    code = """if True:
        import resource, sys
        from pathlib import Path
        from PIL import Image
        from engine.media import MediaLimits, load_media
        most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        load_media(Path(sys.argv[1]) / "small.png")
        before = most()
        loaded = load_media(Path(sys.argv[1]) / "huge.png")
        print((most() - before) * 1024 / loaded.memory_bytes)
    """
    Image.new("RGB", (70, 70)).save(tmp_path / "small.png")
    told = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert float(told.stdout) < 1.5


def test_huge_pictures_one_after_the_other_take_little_more_than_one(tmp_path: Path) -> None:
    """What is held gives way before another is decoded, and what decoding took is given back. 100 MB of pixels each."""
    for name, mode in (("rgb", "RGB"), ("alpha", "RGBA"), ("deep", "I;16"), ("blue", "RGB")):
        Image.new(mode, (5000, 5000), 7 if mode == "I;16" else name if name == "blue" else "red").save(
            tmp_path / f"{name}.png", compress_level=1
        )
    code = """if True:
        import re, sys
        from pathlib import Path
        from engine.media import MediaFolder
        here = Path(sys.argv[1])
        kb = lambda name: int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
        folder = MediaFolder(here / "media", cache_bytes=110_000_000)
        before = kb("VmRSS")
        for name in ("rgb", "alpha", "deep", "blue"):
            folder.take(here / f"{name}.png")
        print(*((kb(name) - before) * 1024 / 1e8 for name in ("VmHWM", "VmRSS")))
    """
    told = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    most, held = map(float, told.stdout.split())
    assert most < 2 and held < 1.3
