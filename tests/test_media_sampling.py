"""Sixteen of a clip's frames: evenly in time, or evenly by index; the same where frames come at a constant rate."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.media import Sampling, load_media
from engine.media.sampling import evenly_by_index, evenly_in_time
from engine.trace import CLIP_FRAMES


@given(count=st.integers(1, 5000), step=st.integers(1, 4000), first=st.integers(0, 10**9))
def test_at_a_constant_rate_both_ways_choose_the_same(count: int, step: int, first: int) -> None:
    times = [first + k * step for k in range(count)]
    assert evenly_in_time(times) == evenly_by_index(count)


@given(count=st.integers(1, 3000), rate=st.sampled_from([24, 25, 30, 50, 60, Fraction(30000, 1001)]))
def test_times_in_whole_milliseconds_choose_at_most_the_neighbour(count: int, rate: Fraction) -> None:
    """WebM's times are rounded so, and a sample may lie half way between two frames."""
    seen = evenly_in_time([round(1000 * k / rate) for k in range(count)])
    assert all(abs(a - b) <= 1 for a, b in zip(seen, evenly_by_index(count), strict=True))


@given(times=st.lists(st.floats(0, 600), min_size=1, max_size=60, unique=True).map(sorted))
def test_samples_ascend_from_the_first_to_the_last_frame(times: list[float]) -> None:
    chosen = evenly_in_time(times)
    assert len(chosen) == CLIP_FRAMES and list(chosen) == sorted(chosen)
    assert chosen[-1] == len(times) - 1 and times[chosen[0]] <= times[0] + (times[-1] - times[0]) / 2


def recording(container: str, codec: str) -> bytes:
    """A minute of screen: thirty frames in the first second, then one every ten seconds. A frame's grey is 8 times its
    number."""
    buffer = io.BytesIO()
    times_ms = [k * 1000 // 30 for k in range(30)] + [10_000, 20_000, 30_000, 40_000, 50_000, 60_000]
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 48), (7 * number,) * 3))
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("sampling", "expected_s"),
    [
        ("time", [0, 29 / 30, 29 / 30, 10, 10, 20, 20, 20, 30, 30, 40, 40, 40, 50, 50, 60]),
        ("index", [k / 30 for k in (0, 2, 5, 7, 9, 12, 14, 16, 19, 21, 23, 26, 28)] + [10, 40, 60]),
    ],
)
@pytest.mark.parametrize(("container", "codec"), [("mp4", "libx264"), ("webm", "libvpx")])
def test_a_screen_recording(sampling: Sampling, expected_s: list[float], container: str, codec: str) -> None:
    """In time: what is shown at 0, 4, 8, ... 60 seconds."""
    loaded = load_media(recording(container, codec), sampling=sampling)
    assert loaded.times_s == pytest.approx(expected_s, abs=0.02)
    assert (
        load_media(recording(container, codec)).times_s
        == load_media(recording(container, codec), sampling="time").times_s
    )
