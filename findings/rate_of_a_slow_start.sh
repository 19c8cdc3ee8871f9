#!/usr/bin/env bash
# Guess: of a clip whose frames are unevenly spaced, as a screen's recording is, moviepy gives at t what is shown at t.
# Seen (moviepy 2.2.1, FFmpeg 9.0.2 of imageio-ffmpeg 0.8.1): a clip that stands for two seconds and then moves at ten
# frames a second is its first frame throughout: FFmpeg fills the gap at the nominal rate, 30, and moviepy takes what
# comes for frames at the average, 3.53, so it reads 0.3 s of the clip and ends. Nine of ten pictures are never seen.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q moviepy==2.2.1 imageio-ffmpeg==0.8.1 av==18.1.0 numpy==2.4.6 pillow==11.3.0
cd "$folder" && venv/bin/python - <<'PY'
import warnings
from fractions import Fraction

import av
import numpy
from moviepy import VideoFileClip

times_ms = [0, *(2000 + 100 * step for step in range(9))]
with av.open("clip.mp4", "w") as container:
    stream = container.add_stream("libx264", rate=30)
    stream.width, stream.height, stream.pix_fmt, stream.options = 64, 48, "yuv420p", {"crf": "0", "g": "1"}
    stream.codec_context.time_base = Fraction(1, 1000)
    for place, time_ms in enumerate(times_ms):
        frame = av.VideoFrame.from_ndarray(numpy.full((48, 64, 3), 20 * (place + 1), numpy.uint8), "rgb24")
        frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
        container.mux(stream.encode(frame))
    container.mux(stream.encode())
with av.open("clip.mp4") as container:
    decoded = [round(float(frame.time), 2) for frame in container.decode(video=0)]
warnings.simplefilter("ignore")
with VideoFileClip("clip.mp4") as clip:
    seen = {at_s: round(clip.get_frame(at_s)[8, 8, 0] / 20) for at_s in (0, 1, 2.05, 2.45, 2.75)}
    all_seen = [round(picture[8, 8, 0] / 20) for picture in clip.iter_frames()]
    print("shown at", decoded, "; moviepy:", round(clip.fps, 2), "fps,", round(clip.duration, 2), "s;", seen, all_seen)
assert decoded == [time_ms / 1000 for time_ms in times_ms]
assert set(seen.values()) == {1} and set(all_seen) == {1} and len(all_seen) == 9
PY
