#!/usr/bin/env bash
# Guess: moviepy gives a turned clip upright, or as stored.
# Seen (moviepy 2.2.1, FFmpeg 9.0.2 of imageio-ffmpeg 0.8.1): the picture is upright and pressed into the stored size:
# the turn is in the display matrix, which FFmpeg obeys while moviepy, which looks for a "rotate" tag, says rotation 0
# and asks for 64x32.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q moviepy==2.2.1 imageio-ffmpeg==0.8.1 numpy==2.3.5 pillow==11.3.0
cd "$folder" && venv/bin/python - <<'PY'
import subprocess
import imageio_ffmpeg
import numpy as np
from moviepy import VideoFileClip

def ffmpeg(*arguments):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout

blue = "drawbox=0:0:16:32:blue:fill"
ffmpeg("-f", "lavfi", "-i", "color=red:s=64x32:r=10:d=0.5", "-vf", blue, "plain.mp4")
ffmpeg("-display_rotation", "90", "-i", "plain.mp4", "-c", "copy", "turned.mp4")
raw = ffmpeg("-i", "turned.mp4", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
upright = np.frombuffer(raw, np.uint8).reshape(64, 32, 3)
with VideoFileClip("turned.mp4") as clip:
    frame, rotation = clip.get_frame(0), clip.rotation
rows = [int((picture[:, picture.shape[1] // 2, 2] > 128).sum()) for picture in (upright, frame)]
print(f"FFmpeg {upright.shape}, {rows[0]} blue rows | moviepy {frame.shape}, {rows[1]} blue rows, rotation {rotation}")
assert frame.shape == (32, 64, 3) and rotation == 0 and rows == [16, 8]
PY
