#!/usr/bin/env bash
# Guess: Pillow and FFmpeg read the same length from a GIF.
# Seen (Pillow 11.3.0, PyAV 18.1.0 with FFmpeg 8.1): at a delay of 10 ms they do; where the delay is 0 Pillow says 0 ms
# and FFmpeg 100 ms a frame, so one clip lasts nothing or 0.4 s.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0 av==18.1.0
cd "$folder" && venv/bin/python - <<'PY'
import av
from PIL import Image

pages, seen = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue", "white")], {}
for delay_ms in (0, 10, 100):
    pages[0].save("moving.gif", save_all=True, append_images=pages[1:], duration=delay_ms)
    opened, pillow = Image.open("moving.gif"), []
    for number in range(opened.n_frames):
        opened.seek(number)
        pillow.append(opened.info.get("duration", 0))
    with av.open("moving.gif") as container:
        seen[delay_ms] = sum(pillow), [round(frame.time * 1000) for frame in container.decode(video=0)]
print("delay: (Pillow's length, FFmpeg's frame times), ms:", seen)
assert seen == {0: (0, [0, 100, 200, 300]), 10: (40, [0, 10, 20, 30]), 100: (400, [0, 100, 200, 300])}
PY
