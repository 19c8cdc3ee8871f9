"""Videos: sampled evenly to 16 frames with exact times, upright, at their own size, with little decoded."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.errors import InvalidMedia, NotFound
from engine.media import MediaLimits, load_media, write_clip
from engine.trace import CLIP_FRAMES, Box

SIZE = (96, 64)


def numbered(number: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A frame that says its number: the bits of it as black and white blocks along the top, and a red corner."""
    image = Image.new("RGB", size, (90, 90, 90))
    draw = ImageDraw.Draw(image)
    for bit in range(10):
        draw.rectangle((bit * 8, 0, bit * 8 + 7, 15), fill="white" if number >> bit & 1 else "black")
    draw.rectangle((0, size[1] - 16, 15, size[1] - 1), fill="red")
    return image


def number_of(image: Image.Image) -> int:
    return sum((image.getpixel((bit * 8 + 4, 8))[0] > 128) << bit for bit in range(10))


def written(
    count: int,
    container: str = "mp4",
    codec: str = "libx264",
    rate: int | Fraction = 8,
    size: tuple[int, int] = SIZE,
    options: dict[str, str] | None = None,
) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "10", "b": "2M", **(options or {})}
        for k in range(count):
            output.mux(stream.encode(av.VideoFrame.from_image(numbered(k, size))))
        output.mux(stream.encode())
    return buffer.getvalue()


def expected(count: int) -> list[int]:
    return [round(k * (count - 1) / 15) for k in range(16)]


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "libx264"), ("mov", "libx264"), ("mov", "mpeg4"), ("webm", "libvpx-vp9"), ("webm", "libvpx")],
)
@pytest.mark.parametrize("count", [1, 5, 16, 100])
def test_each_container_is_sampled_evenly_with_its_times(container: str, codec: str, count: int) -> None:
    loaded = load_media(written(count, container, codec))
    assert (loaded.media.kind, loaded.media.width, loaded.media.height) == ("video", *SIZE)
    assert [number_of(frame) for frame in loaded.frames] == expected(count)
    assert loaded.times_s == pytest.approx([k / 8 for k in expected(count)], abs=0.002)
    assert all(frame.mode == "RGB" for frame in loaded.frames) and len(loaded.frames) == CLIP_FRAMES


@pytest.mark.parametrize(
    "options", [{"g": "12", "bf": "3"}, {"g": "250", "bf": "4"}, {"g": "1"}, {"x264-params": "open-gop=1:keyint=20"}]
)
def test_seeking_finds_the_same_frames_as_decoding_everything(options: dict[str, str]) -> None:
    data = written(200, options=options)
    with av.open(io.BytesIO(data)) as container:
        everything = [frame.to_image() for frame in container.decode(video=0)]
    assert len(everything) == 200
    for seen, index in zip(load_media(data).frames, expected(200), strict=True):
        assert np.array_equal(np.asarray(seen), np.asarray(everything[index]))


def test_a_rate_that_is_no_whole_number() -> None:
    loaded = load_media(written(60, rate=Fraction(30000, 1001)))
    assert loaded.times_s == pytest.approx([k * 1001 / 30000 for k in expected(60)], abs=1e-4)


@pytest.mark.parametrize("size", [SIZE, (97, 65)])
def test_write_clip_round_trip(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "clip.mp4"
    write_clip([numbered(k, size) for k in range(16)], path, fps=4)
    assert [entry.name for entry in tmp_path.iterdir()] == ["clip.mp4"]
    loaded = load_media(path)
    assert [number_of(frame) for frame in loaded.frames] == list(range(16))
    assert loaded.times_s == tuple(k / 4 for k in range(16))
    assert (loaded.media.width, loaded.media.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    error = np.asarray(loaded.frames[3].crop((0, 0, *size)), dtype=int) - np.asarray(numbered(3, size), dtype=int)
    assert np.abs(error).mean() < 4
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_write_clip_refuses_what_it_cannot_write(tmp_path: Path) -> None:
    for frames, fps in (([], 4), ([numbered(0), numbered(0, (32, 32))], 4), ([numbered(0)], 0), ([numbered(0)], 1 / 3)):
        with pytest.raises(ValueError, match="needed"):
            write_clip(frames, tmp_path / "clip.mp4", fps)
    with pytest.raises(OSError):
        write_clip([numbered(0)], tmp_path / "no such folder" / "clip.mp4", 4)
    assert list(tmp_path.iterdir()) == []


def turned(data: bytes, matrix: tuple[int, int, int, int]) -> bytes:
    """An MP4 whose track header carries this display matrix, as phones write it."""
    a, b, c, d = (value << 16 for value in matrix)
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16
    return data[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + data[at + 36 :]


@pytest.mark.parametrize(
    ("matrix", "turn"),
    [
        ((0, 1, -1, 0), Image.Transpose.ROTATE_270),
        ((-1, 0, 0, -1), Image.Transpose.ROTATE_180),
        ((0, -1, 1, 0), Image.Transpose.ROTATE_90),
        ((-1, 0, 0, 1), Image.Transpose.FLIP_LEFT_RIGHT),
        ((1, 0, 0, -1), Image.Transpose.FLIP_TOP_BOTTOM),
    ],
)
def test_a_turned_or_mirrored_video_is_upright(matrix: tuple[int, int, int, int], turn: Image.Transpose) -> None:
    data = written(3)
    plain, seen = load_media(data), load_media(turned(data, matrix))
    assert (seen.media.width, seen.media.height) == plain.frames[0].transpose(turn).size
    for before, after in zip(plain.frames, seen.frames, strict=True):
        assert np.array_equal(np.asarray(before.transpose(turn)), np.asarray(after))


def test_a_quarter_turn_clockwise_brings_the_top_to_the_right() -> None:
    """The matrix of a phone held upright: x' = -y, y' = x."""
    seen = load_media(turned(written(1), (0, 1, -1, 0))).frames[0]
    red = seen.getpixel((7, 7))  # from the bottom left to the top left
    assert red[0] > 180 and red[1] < 80


def test_an_animated_gif_is_a_video_on_white() -> None:
    frames = [numbered(k).convert("P", palette=Image.Palette.ADAPTIVE, colors=8) for k in range(5)]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=[100, 200, 300, 100, 100], disposal=2
    )
    loaded = load_media(buffer.getvalue(), sampling="index")
    assert loaded.media.kind == "video"
    assert [number_of(frame) for frame in loaded.frames] == expected(5)
    assert [loaded.times_s[expected(5).index(k)] for k in range(5)] == pytest.approx([0, 0.1, 0.3, 0.6, 0.7])


def test_a_transparent_animated_gif_is_laid_on_white() -> None:
    frames = []
    for number in (1, 2):
        frame = Image.new("RGBA", (32, 16), (0, 0, 0, 0))
        frame.paste((200, 0, 0, 255), (8 * number, 0, 8 * number + 8, 16))
        frames.append(frame)
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=100, disposal=2)
    loaded = load_media(buffer.getvalue())
    assert loaded.media.kind == "video"
    assert loaded.frames[0].getpixel((2, 2)) == (255, 255, 255)
    assert loaded.frames[0].getpixel((12, 8)) == (200, 0, 0)


def test_crops_of_a_video_have_its_own_resolution() -> None:
    loaded = load_media(written(2, codec="mpeg4", size=(2560, 1440)))
    assert loaded.picture(1).size == (2560, 1440)
    assert loaded.crop(1, Box(0.25, 0.25, 0.5, 0.5)).size == (640, 360)


def test_repeated_frames_are_held_once() -> None:
    loaded = load_media(written(2))
    assert loaded.memory_bytes == 2 * 4 * SIZE[0] * SIZE[1]
    assert len({id(frame) for frame in loaded.frames}) == 2


def test_frames_are_numbered_from_1() -> None:
    loaded = load_media(written(16))
    assert loaded.picture(1) is loaded.frames[0] and loaded.picture(16) is loaded.frames[15]
    for frame in (None, 0, 17, -1):
        with pytest.raises(NotFound, match="frames 1 to 16"):
            loaded.picture(frame)


def test_sound_without_pictures_is_refused() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        output.mux(stream.encode(frame))
        output.mux(stream.encode())
    with pytest.raises(InvalidMedia, match="no video track, only audio"):
        load_media(buffer.getvalue())


def test_size_length_and_number_of_frames_are_checked_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(40, rate=2)
    monkeypatch.setattr("engine.media.video._seek_frames", lambda *_: pytest.fail("something was decoded"))
    for limits, message in (
        (MediaLimits(max_duration_s=10), r"lasts 0:00:20 \(h:mm:ss\); at most 0:00:10 is accepted"),
        (MediaLimits(max_frames=39), "has 40 frames; at most 39 are accepted"),
        (MediaLimits(max_frame_pixels=6000), "96 by 64 pixels, 0.0 megapixels; at most 0.0 megapixels"),
    ):
        with pytest.raises(InvalidMedia, match=message):
            load_media(data, limits)


def test_an_hour_long_video_is_refused_whatever_its_header_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.media.video._seek_frames", lambda *_: pytest.fail("something was decoded"))
    data = written(37, rate=Fraction(1, 100))  # one frame every 100 s
    for video in (data, written(37, "webm", "libvpx", rate=Fraction(1, 100))):
        with pytest.raises(InvalidMedia, match=r"lasts [1-9]:..:.. .*; at most 0:10:00 is accepted"):
            load_media(video)
    at = data.index(b"mvhd") + 4 + 4 + 8
    lying = bytearray(data)
    lying[at + 4 : at + 8] = struct.pack(">I", 1)
    at = lying.index(b"tkhd") + 4 + 4 + 16
    lying[at : at + 4] = struct.pack(">I", 1)
    with pytest.raises(InvalidMedia):
        load_media(bytes(lying))
