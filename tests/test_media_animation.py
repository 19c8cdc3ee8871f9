"""Animated WebP, PNG and AVIF are clips; what cannot become one picture or one clip is refused in a sentence."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from engine.errors import InvalidMedia
from engine.media import MediaLimits, load_media

COLOURS = ((200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200))
SHOWN_MS = (100, 200, 300, 100, 100)
SHOWN_AT_S = (0.0, 0.1, 0.3, 0.6, 0.7)


def animated(format: str, transparent: bool = False, **options: object) -> bytes:
    """Five frames, each one colour with a square that is empty where `transparent`."""
    frames = [Image.new("RGBA", (32, 24), (*colour, 255)) for colour in COLOURS]
    if transparent:
        for frame in frames:
            frame.paste((0, 0, 0, 0), (8, 8, 24, 16))
    if format == "WEBP":
        options = {"lossless": True, "exact": True} | options
    buffer = io.BytesIO()
    frames[0].save(buffer, format, save_all=True, append_images=frames[1:], duration=list(SHOWN_MS), **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["WEBP", "PNG", "AVIF"])
def test_an_animated_picture_is_a_clip_with_its_times(format: str) -> None:
    loaded = load_media(animated(format))
    assert (loaded.media.kind, loaded.media.width, loaded.media.height) == ("video", 32, 24)
    assert sorted(set(loaded.times_s)) == pytest.approx(SHOWN_AT_S, abs=0.002)
    for frame, time_s in zip(loaded.frames, loaded.times_s, strict=True):
        colour = COLOURS[int(np.argmin(np.abs(np.subtract(SHOWN_AT_S, time_s))))]
        assert np.abs(np.subtract(frame.getpixel((2, 2)), colour)).max() <= 8 and frame.info == {}


@pytest.mark.parametrize("format", ["WEBP", "PNG"])
def test_a_transparent_animation_lies_on_white(format: str) -> None:
    for frame in load_media(animated(format, transparent=True, disposal=1 if format == "PNG" else None)).frames:
        assert frame.getpixel((16, 12)) == (255, 255, 255)


def test_the_picture_for_those_who_cannot_animate_is_no_frame() -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), colour) for colour in COLOURS[:2]]
    Image.new("RGB", (8, 8), "white").save(
        buffer, "PNG", save_all=True, append_images=frames, default_image=True, duration=100
    )
    loaded = load_media(buffer.getvalue())
    assert [frame.getpixel((1, 1)) for frame in (loaded.frames[0], loaded.frames[-1])] == list(COLOURS[:2])


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (MediaLimits(max_animation_pixels=3000), "5 frames of 32 by 24 pixels, 0 megapixels in all"),
        (MediaLimits(max_frames=4), "at most 4 frames"),
        (MediaLimits(max_frame_pixels=700), "32 by 24 pixels"),
        (MediaLimits(max_duration_s=0.5), "at most 0:00:00 is accepted"),
    ],
)
def test_an_animation_is_bounded(limits: MediaLimits, said: str) -> None:
    with pytest.raises(InvalidMedia, match=said):
        load_media(animated("WEBP"), limits)


@pytest.mark.parametrize("format", ["WEBP", "PNG", "AVIF"])
def test_a_truncated_animation_is_refused(format: str) -> None:
    data = animated(format)
    with pytest.raises(InvalidMedia, match="damaged or truncated"):
        load_media(data[: len(data) * 3 // 4])


def pages(count: int, **options: object) -> bytes:
    buffer = io.BytesIO()
    images = [Image.new("RGB", (6, 4), colour) for colour in COLOURS[:count]]
    images[0].save(buffer, "TIFF", save_all=True, append_images=images[1:], **options)
    return buffer.getvalue()


def test_a_tiff_of_several_pages_is_refused_and_small_copies_are_no_pages() -> None:
    with pytest.raises(InvalidMedia, match="has 3 pages; one is needed"):
        load_media(pages(3))
    assert load_media(pages(1)).picture(None).getpixel((1, 1)) == COLOURS[0]
    first, copy = Image.new("RGB", (6, 4), COLOURS[0]), Image.new("RGB", (3, 2), COLOURS[1])
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    buffer = io.BytesIO()
    first.save(buffer, "TIFF", save_all=True, append_images=[copy])
    with Image.open(io.BytesIO(buffer.getvalue())) as written:
        written.seek(1)
        assert written.tag_v2[254] == 1
    assert load_media(buffer.getvalue()).picture(None).getpixel((1, 1)) == COLOURS[0]


def jpeg_xl(size: tuple[int, int] = (40, 24), **options: object) -> bytes:
    import pillow_jxl  # noqa: F401

    image = Image.fromarray(np.random.default_rng(4).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "JXL", lossless=True, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("size", [(40, 24), (37, 23), (24, 24), (64, 36), (300, 150), (2048, 3)])
@pytest.mark.parametrize("use_container", [False, True])
def test_a_jpeg_xl_picture_keeps_every_pixel(size: tuple[int, int], use_container: bool) -> None:
    seen = load_media(jpeg_xl(size, use_container=use_container), MediaLimits(max_aspect_ratio=1000)).picture(None)
    assert np.array_equal(
        np.asarray(seen), np.random.default_rng(4).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    )


def test_the_size_of_a_jpeg_xl_is_checked_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    import pillow_jxl.JpegXLImagePlugin as plugin

    monkeypatch.setattr(plugin, "Decoder", lambda **_: pytest.fail("a pixel was decoded"))
    with pytest.raises(InvalidMedia, match="300 by 150 pixels"):
        load_media(jpeg_xl((300, 150)), MediaLimits(max_pixels=40_000))


def test_an_animated_jpeg_xl_is_refused_in_a_sentence() -> None:
    """Made by setting bits of the header: not all default, extra fields, no turn, no size, no preview, an animation."""
    size = 1 | (3 - 1) << 1 | 1 << 6  # 24 pixels high, 1 to 1
    bits = size | (0 | 1 << 1 | 0 << 2 | 0 << 5 | 0 << 6 | 1 << 7) << 9
    with pytest.raises(InvalidMedia, match="animated; a still one is needed"):
        load_media(b"\xff\x0a" + bits.to_bytes(4, "little"))


def test_a_jpeg_xl_is_not_turned_by_tags_that_its_standard_ignores() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert load_media(jpeg_xl(exif=exif.tobytes())).picture(None).size == (40, 24)


def test_jpeg_xl_without_its_package_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    data = jpeg_xl()
    monkeypatch.setitem(sys.modules, "pillow_jxl", None)
    with pytest.raises(InvalidMedia, match="pillow-jxl-plugin .* not installed here; install it, or save"):
        load_media(data)
