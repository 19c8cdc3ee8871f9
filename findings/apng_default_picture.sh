#!/usr/bin/env bash
# Guess: Pillow's n_frames of an APNG counts the frames of its animation, as a player or FFmpeg does.
# Seen (Pillow 11.3.0, PyAV 18.1.0 with FFmpeg 8.1): a default picture, which is for viewers that cannot play, is
# Pillow's frame 0 and has no duration; FFmpeg never shows it. The same frame number is another picture.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0 av==18.1.0
cd "$folder" && venv/bin/python - <<'PY'
import av
from PIL import Image

poster, *pages = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
poster.save("moving.png", save_all=True, append_images=pages, duration=100, default_image=True)
opened, pillow = Image.open("moving.png"), []
for number in range(opened.n_frames):
    opened.seek(number)
    pillow.append((opened.convert("RGB").getpixel((0, 0)), opened.info.get("duration")))
with av.open("moving.png") as container:
    ffmpeg = [frame.to_image().getpixel((0, 0)) for frame in container.decode(video=0)]
print("Pillow", pillow, "| FFmpeg", ffmpeg)
assert pillow == [((255, 0, 0), None), ((0, 255, 0), 100.0), ((0, 0, 255), 100.0)]
assert ffmpeg == [(0, 255, 0), (0, 0, 255)]
PY
