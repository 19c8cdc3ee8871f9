"""A clip looks as a browser's player shows it: its colours, its transparency, its shape; and is taken where that plays it."""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from engine.errors import InvalidMedia
from engine.media import MediaLimits, load_media
from engine.media.high_dynamic_range import HLG, PQ, to_srgb

SIZE = (64, 48)
BT709, BT2020 = 1, 9
LIMITED, FULL = 1, 2


def yuv(rgb: tuple[float, float, float], red: float, blue: float, bits: int = 8, is_full: bool = False) -> list[int]:
    """Y, Cb, Cr of a colour from 0 to 1, by the definition; `red` and `blue` are their shares of luma."""
    luma = red * rgb[0] + (1 - red - blue) * rgb[1] + blue * rgb[2]
    cb, cr = (rgb[2] - luma) / (2 * (1 - blue)), (rgb[0] - luma) / (2 * (1 - red))
    unit, most = 2 ** (bits - 8), 2**bits - 1
    if is_full:
        return [min(most, round(most * luma)), *(min(most, round(most * c + 128 * unit)) for c in (cb, cr))]
    return [round((219 * luma + 16) * unit), *(round((224 * c + 128) * unit) for c in (cb, cr))]


def filled(values: list[int], pix_fmt: str) -> av.VideoFrame:
    """A frame of one colour (and alpha)."""
    frame = av.VideoFrame(*SIZE, pix_fmt)
    for plane, value in zip(frame.planes, values, strict=True):
        unit = value.to_bytes(2, "little") if "10" in pix_fmt else bytes([value])
        plane.update(unit * (plane.buffer_size // len(unit)))
    return frame


def clip(
    frames: list[av.VideoFrame],
    container: str = "mp4",
    codec: str = "libx264",
    aspect: Fraction | None = None,
    **stated: int,
) -> bytes:
    """`stated` are what the file says of its colours: color_range, colorspace, color_primaries, color_trc."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *SIZE, frames[0].format.name
        stream.options = {"qp": "0"} if codec == "libx264" else {"crf": "4", "b": "0", "auto-alt-ref": "0"}
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for name, value in stated.items():
            setattr(stream.codec_context, name, value)
        for number, frame in enumerate(frames):
            frame.pts = number
            for name, value in stated.items():
                setattr(frame, name, value)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return buffer.getvalue()


def seen(data: bytes) -> tuple[int, ...]:
    return load_media(data).frames[0].getpixel((SIZE[0] // 2, SIZE[1] // 2))


@pytest.mark.parametrize("color_range", [LIMITED, FULL])
def test_a_red_of_bt_709_is_red(color_range: int) -> None:
    """PyAV before 17 decoded it as BT.601's: 232 instead of 254."""
    frame = filled(yuv((1, 0, 0), 0.2126, 0.0722, is_full=color_range == FULL), "yuv420p")
    red = seen(clip([frame], colorspace=BT709, color_range=color_range))
    assert np.abs(np.subtract(red, (255, 0, 0))).max() <= 2


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
def test_a_transparent_webm_lies_on_white(codec: str) -> None:
    opaque = [*yuv((0.5, 0.5, 0.5), 0.299, 0.114), 255]
    frames = [filled([*opaque[:3], alpha], "yuva420p") for alpha in (0, 255, 128) for _ in range(10)]
    loaded = load_media(clip(frames, "webm", codec))
    shown = {
        round(time_s, 1): frame.getpixel((32, 24)) for time_s, frame in zip(loaded.times_s, loaded.frames, strict=True)
    }
    assert shown[0.0] == (255, 255, 255)
    for time_s, pixel in shown.items():
        grey = 255 if time_s < 1 else 128 if time_s < 2 else 191
        assert np.abs(np.subtract(pixel, grey)).max() <= 3, time_s


@pytest.mark.parametrize(
    ("aspect", "size"), [(Fraction(4, 3), (85, 48)), (Fraction(1, 2), (64, 96)), (Fraction(1), SIZE), (None, SIZE)]
)
def test_pixels_that_are_not_square_are_stretched(aspect: Fraction | None, size: tuple[int, int]) -> None:
    media = load_media(clip([filled([90, 128, 128], "yuv420p")], aspect=aspect)).media
    assert (media.width, media.height) == size


def test_a_stretched_frame_keeps_to_the_limits() -> None:
    data = clip([filled([90, 128, 128], "yuv420p")], aspect=Fraction(20))
    with pytest.raises(InvalidMedia, match="1,280 by 48 pixels"):
        load_media(data, MediaLimits(max_frame_pixels=60_000))


def with_sound(picture_s: int, sound_s: int, container: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        picture = output.add_stream("libvpx" if container == "webm" else "libx264", rate=4)
        picture.width, picture.height, picture.pix_fmt = *SIZE, "yuv420p"
        sound = output.add_stream(
            "libopus" if container == "webm" else "aac", rate=48_000 if container == "webm" else 8000
        )
        for number in range(4 * picture_s):
            frame = filled([90, 128, 128], "yuv420p")
            frame.pts = number
            output.mux(picture.encode(frame))
        output.mux(picture.encode())
        for number in range(2):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 960), dtype=np.float32), format="fltp", layout="mono")
            silence.sample_rate = sound.rate
            silence.pts = number * sound_s * sound.rate
            output.mux(sound.encode(silence))
        output.mux(sound.encode())
    return buffer.getvalue()


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_sound_may_go_on_without_pictures_and_pictures_may_not(container: str) -> None:
    data = with_sound(1, 660, container)
    with av.open(io.BytesIO(data)) as opened:
        assert (opened.duration or 0) / av.time_base > 600
    assert load_media(data).times_s[-1] == pytest.approx(0.75)
    with pytest.raises(InvalidMedia, match="lasts 0:00:0[12]"):
        load_media(with_sound(2, 1, container), MediaLimits(max_duration_s=0.9))


@pytest.mark.parametrize("kind", [b"free", b"skip"])
@pytest.mark.parametrize("length", [8, 100, 10_000])
def test_room_before_the_first_box_that_counts(kind: bytes, length: int) -> None:
    data = clip([filled([90, 128, 128], "yuv420p")], codec="libx264")
    room = struct.pack(">I", length) + kind + bytes(length - 8)
    index = data.index(b"stco") + 12  # where the one chunk lies moves with it
    moved = (
        data[:index] + struct.pack(">I", int.from_bytes(data[index : index + 4], "big") + length) + data[index + 4 :]
    )
    assert load_media(room + moved).media.kind == "video"
    with pytest.raises(InvalidMedia, match="truncated"):
        load_media((room + moved)[:-10])


def test_a_cover_picture_is_not_the_clip() -> None:
    """An MP4 whose cover is read before its tracks, as some shops write them."""
    cover = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(cover, "JPEG")
    data = clip([filled([90, 128, 128], "yuv420p")])

    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", 8 + len(content)) + kind + content

    picture = box(b"covr", box(b"data", struct.pack(">II", 13, 0) + cover.getvalue()))
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    tags = box(b"udta", box(b"meta", bytes(4) + handler + box(b"ilst", picture)))
    at = data.index(b"moov") - 4
    moov = data[at:]  # at the end, so that no chunk moves
    head = 8 + int.from_bytes(moov[8:12], "big")
    covered = data[:at] + struct.pack(">I", len(moov) + len(tags)) + b"moov" + moov[8:head] + tags + moov[head:]
    with av.open(io.BytesIO(covered)) as opened:
        assert [stream.codec_context.name for stream in opened.streams.video] == ["mjpeg", "h264"]
    media = load_media(covered).media
    assert (media.kind, media.width, media.height) == ("video", *SIZE)


def gif(count: int) -> bytes:
    frames = [Image.new("RGB", (16, 8), (80 * number, 0, 90)) for number in range(count)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()


def test_a_gif_without_its_last_byte_is_whole_enough_and_one_cut_in_a_picture_is_not() -> None:
    data = gif(3)
    assert data.endswith(b"\0;")
    whole = load_media(data)
    assert load_media(data[:-1]).times_s == whole.times_s
    for cut in (2, 5, 12):
        with pytest.raises(InvalidMedia, match="ends inside a picture"):
            load_media(data[:-cut])


def test_light_of_pq_and_hlg_by_hand() -> None:
    """PQ: 100 cd/m2 is the signal 0.5081, 203 (the white of paper) 0.5807, 0 is 0. HLG: 0.75 is the white of paper on a
    screen of 1000 cd/m2. White lies above the knee: 0.75 + 0.25 (1 - 1/e) = 0.908 of full light."""

    def curve(light: float) -> float:
        return 255 * (1.055 * light ** (1 / 2.4) - 0.055)

    def grey(signal: float, transfer: int) -> int:
        return int(to_srgb(np.full((1, 1, 3), round(65535 * signal), dtype=np.uint16), transfer)[0, 0, 1])

    white = curve(0.75 + 0.25 * (1 - np.exp(-1)))
    assert grey(0, PQ) == grey(0, HLG) == 0
    assert abs(grey(0.5081, PQ) - curve(100 / 203)) <= 1
    assert abs(grey(0.5807, PQ) - white) <= 1 and abs(grey(0.75, HLG) - white) <= 1
    assert grey(1, PQ) == 255
    shades = [grey(k / 50, transfer) for transfer in (PQ, HLG) for k in range(51)]
    assert shades[:51] == sorted(shades[:51]) and shades[51:] == sorted(shades[51:])


def test_a_red_of_bt_709_survives_the_wider_gamut() -> None:
    """Half of full red: its BT.2020 light (BT.2087) is 0.6274, 0.0691, 0.0164 of it."""
    light = 0.5 * np.array([0.6274, 0.0691, 0.0164]) * 203 / 10_000
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    signal = ((c1 + c2 * light**m1) / (1 + c3 * light**m1)) ** m2
    red = to_srgb(np.rint(65535 * signal).astype(np.uint16).reshape(1, 1, 3), PQ)[0, 0]
    assert np.abs(red.astype(int) - [188, 0, 0]).max() <= 3


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_a_10_bit_hdr_clip_is_as_light_as_the_formula_says(transfer: int) -> None:
    signal = {PQ: 0.5081, HLG: 0.5}[transfer]
    frame = filled(yuv((signal,) * 3, 0.2627, 0.0593, bits=10), "yuv420p10le")
    stated = {"colorspace": BT2020, "color_primaries": BT2020, "color_trc": transfer, "color_range": LIMITED}
    expected = to_srgb(np.full((1, 1, 3), round(65535 * signal), dtype=np.uint16), transfer)[0, 0]
    assert np.abs(np.subtract(seen(clip([frame], **stated)), expected.astype(int))).max() <= 2
