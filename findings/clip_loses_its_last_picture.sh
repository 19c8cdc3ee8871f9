#!/usr/bin/env bash
# Guess: a sequence of n pictures is written as n frames at its own rate.
# Seen (moviepy 2.2.1): sixteen pictures at 24 fps are 15 frames and seven at 30 are 6, while eight at 24 and sixteen at
# 8 or 30 are all there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q moviepy==2.2.1 imageio-ffmpeg==0.8.1 numpy==2.3.5 pillow==11.3.0 av==18.1.0
cd "$folder" && venv/bin/python - <<'PY'
import av
import numpy as np
from moviepy import ImageSequenceClip

seen = {}
for count, fps in ((16, 24), (7, 30), (8, 24), (16, 30), (16, 8)):
    pictures = [np.full((32, 64, 3), number * 10, np.uint8) for number in range(count)]
    ImageSequenceClip(pictures, fps=fps).write_videofile("clip.mp4", logger=None)
    with av.open("clip.mp4") as container:
        seen[count, fps] = sum(1 for _ in container.decode(video=0))
print("(pictures, fps): frames", seen)
assert seen == {(16, 24): 15, (7, 30): 6, (8, 24): 8, (16, 30): 16, (16, 8): 16}
PY
