"""Bad input: one clear sentence that says what was wrong and what is accepted, before any costly work, and no leftovers."""

from __future__ import annotations

import io
import os
import struct
import tempfile
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from engine.errors import InvalidMedia
from engine.media import MediaFolder, MediaLimits, load_media, write_clip


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (40, 60, 3), dtype=np.uint8))


def encoded(format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    noise().save(buffer, format, **options)
    return buffer.getvalue()


def heic() -> bytes:
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(noise().resize((64, 64))).save(buffer)
    return buffer.getvalue()


def video(container: str, codec: str, count: int = 30) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(count):
            output.mux(stream.encode(av.VideoFrame.from_image(noise().resize((64, 48)).rotate(k))))
        output.mux(stream.encode())
    return buffer.getvalue()


def indexed_in_front() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_clip([noise().resize((64, 48)).rotate(k) for k in range(30)], Path(folder) / "clip.mp4", 10)
        return (Path(folder) / "clip.mp4").read_bytes()


def animated_gif(count: int) -> bytes:
    """Frames of 1x1 pixel: 22 bytes each."""
    head = b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0x80, 0, 0) + bytes([0, 0, 0, 255, 255, 255])
    frame = (
        b"\x21\xf9\x04\x00\x0a\x00\x00\x00" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    )
    return head + frame * count + b";"


def jpeg_xl() -> bytes:
    import pillow_jxl  # noqa: F401

    return encoded("JXL", lossless=True)


KINDS: dict[str, Callable[[], bytes]] = {
    "png": partial(encoded, "PNG"),
    "jpeg": partial(encoded, "JPEG"),
    "webp": partial(encoded, "WEBP"),
    "gif": partial(encoded, "GIF"),
    "animated gif": partial(animated_gif, 20),
    "bmp": partial(encoded, "BMP"),
    "tiff": partial(encoded, "TIFF"),
    "heic": heic,
    "avif": partial(encoded, "AVIF"),
    "jpeg xl": jpeg_xl,
    "mp4": partial(video, "mp4", "libx264"),
    "mp4 with its index in front": indexed_in_front,
    "mov": partial(video, "mov", "libx264"),
    "webm": partial(video, "webm", "libvpx-vp9"),
}


@cache
def file_of(kind: str) -> bytes:
    return KINDS[kind]()


def refusal(source: Path | str | bytes, limits: MediaLimits | None = None) -> str:
    with pytest.raises(InvalidMedia) as caught:
        load_media(source, limits or MediaLimits())
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 400
    assert any(word in sentence for word in ("accepted", "needed", "can be decoded", "cannot be opened")), sentence
    return sentence


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"",
            "This file is empty (0 bytes); PNG, JPEG, WebP, GIF, BMP, TIFF, HEIC, AVIF and JPEG XL pictures and MP4",
        ),
        (b"just some words\n", "plain text"),
        (b"BM is how this text begins, and it goes on", "plain text"),
        ("ünïcödé".encode(), "plain text"),
        ("text".encode("utf-16"), "plain text"),
        (b"<!DOCTYPE html><html><body><img src=x></body></html>", "an HTML page"),
        (b"\xef\xbb\xbf \n<html><script>alert(1)</script>", "an HTML page"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b'<?xml version="1.0"?>\n<!-- hello -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (b'<?xml version="1.0"?><note/>', "an XML document"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"PK\x03\x04" + bytes(30), "a ZIP archive"),
        (b"RIFF\0\0\0\0AVI LIST", "an AVI video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a WAV sound"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska" + bytes(40), "a Matroska video"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://127.0.0.1/x.ts\n", "plain text"),
        (b"ffconcat version 1.0\nfile /etc/hostname\n", "plain text"),
        (bytes(range(128, 228)), "unknown kind (it begins with the bytes 80 81 82 83"),
        (bytes(5000), "unknown kind"),
    ],
)
@pytest.mark.parametrize("name", ["picture.png", "clip.mp4"])
def test_what_a_file_is_instead_is_said_whatever_it_is_called(
    tmp_path: Path, data: bytes, said: str, name: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert said in refusal(tmp_path / name)
    assert said in refusal(data)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("name", KINDS)
def test_a_truncated_file_is_refused(name: str, share: float) -> None:
    data = file_of(name)
    assert load_media(data).frames  # the whole one is sound
    sentence = refusal(data[: int(len(data) * share)])
    assert "truncated" in sentence or "damaged" in sentence


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12))
def test_damaged_bytes_are_decoded_or_refused_and_nothing_else(name: str, changes: list[tuple[float, int]]) -> None:
    data = bytearray(file_of(name))
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    try:
        loaded = load_media(bytes(data), MediaLimits(max_pixels=1_000_000, max_frame_pixels=1_000_000))
    except InvalidMedia as error:
        assert str(error).endswith(".")
    else:
        assert all(frame.size == (loaded.media.width, loaded.media.height) for frame in loaded.frames)


def test_tags_that_are_not_utf_8_do_not_refuse_a_video() -> None:
    data = bytearray(file_of("mov"))
    data[-1] = 0x80  # the end of the encoder's tag
    assert load_media(bytes(data)).frames


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def with_size(name: str, width: int, height: int) -> bytes:
    """A small file whose header claims another size."""
    data = bytearray(file_of(name))
    if name == "jpeg":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", height, width)
    elif name in ("gif", "animated gif"):
        data[6:10] = struct.pack("<HH", width, height)
    elif name == "bmp":
        data[18:26] = struct.pack("<ii", width, height)
    elif name == "tiff":
        entries = struct.unpack_from("<I", data, 4)[0] + 2
        for at in range(entries, entries + 12 * 10, 12):
            tag = struct.unpack_from("<H", data, at)[0]
            if tag in (256, 257):
                struct.pack_into("<HII", data, at + 2, 4, 1, width if tag == 256 else height)
    else:
        return png_header(width, height)
    return bytes(data)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height", "megapixels"), [(12_000, 12_000, "144.0"), (60_000, 60_000, "3,600.0")])
@pytest.mark.parametrize("name", ["png", "jpeg", "gif", "animated gif", "bmp", "tiff"])
def test_a_bomb_is_refused_from_its_header(
    monkeypatch: pytest.MonkeyPatch, name: str, width: int, height: int, megapixels: str
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("something was decoded"))
    sentence = refusal(with_size(name, width, height))
    assert f"{megapixels} megapixels" in sentence and ("at most 64.0" in sentence or "at most 179.0" in sentence)


def test_a_picture_that_no_model_takes_for_its_shape_is_refused() -> None:
    assert "at most 200 times" in refusal(png_header(9000, 10))


def test_many_frames_and_pages_are_refused() -> None:
    assert "frames; at most 40,000 are accepted" in refusal(animated_gif(40_001), MediaLimits(max_duration_s=1e6))
    assert "lasts 1:06:40 (h:mm:ss); at most 0:10:00" in refusal(animated_gif(40_001))
    buffer = io.BytesIO()
    page = Image.new("L", (1, 1))
    page.save(buffer, "TIFF", save_all=True, append_images=[page] * 64)
    assert "more than 64 pages; at most 64 are accepted" in refusal(buffer.getvalue())


def test_a_tiff_whose_pages_go_round_in_a_circle_ends() -> None:
    data = bytearray(file_of("tiff"))
    first = struct.unpack_from("<I", data, 4)[0]
    entries = struct.unpack_from("<H", data, first)[0]
    struct.pack_into("<I", data, first + 2 + 12 * entries, first)
    try:
        assert load_media(bytes(data)).media.kind == "image"
    except InvalidMedia as error:
        assert str(error).endswith(".")


def test_a_video_of_0_frames() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        output.start_encoding()
        stream.encode()
    assert "0 frames" in refusal(buffer.getvalue()) or "no video track" in refusal(buffer.getvalue())


def test_a_file_over_the_size_limit_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: takes no disk, but would take hours to read
    assert refusal(path) == "This file has 1,048,576.0 MiB; at most 200.0 MiB are accepted."
    assert "at most 0.0 MiB" in refusal(file_of("png"), MediaLimits(max_bytes=10))


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for source in (tmp_path, tmp_path / "pipe.png", "/dev/zero"):
        assert "not a regular file" in refusal(source)
    for source in (tmp_path / "absent.png", "nul\0byte.png"):
        assert "cannot be opened" in refusal(source)


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_left_of_what_was_refused(tmp_path: Path, name: str) -> None:
    folder = MediaFolder(tmp_path / "media")
    for data in (file_of(name)[: len(file_of(name)) // 2], b"", b"<svg/>", png_header(60_000, 60_000)):
        upload = tmp_path / "upload"
        upload.write_bytes(data)
        for source in (upload, data):
            with pytest.raises(InvalidMedia):
                folder.take(source)
    with pytest.raises(InvalidMedia):
        MediaFolder(tmp_path / "media", MediaLimits(max_bytes=100)).take(file_of(name))
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []
