#!/usr/bin/env bash
# Guess: three equal frames of 100 ms are written as three frames, or as one of 300 ms.
# Seen (Pillow 11.3.0): four formats, three answers. AVIF keeps three frames, GIF makes one of 300 ms, WebP and APNG
# make a still picture of no time: its duration is 0 for the one and missing for the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0
cd "$folder" && venv/bin/python - <<'PY'
from PIL import Image

frame, seen = Image.new("RGB", (8, 8), "red"), {}
for kind in ("gif", "webp", "png", "avif"):
    frame.save("still." + kind, save_all=True, append_images=[frame, frame], duration=100)
    opened = Image.open("still." + kind)
    opened.load()
    seen[kind] = getattr(opened, "n_frames", 1), opened.info.get("duration")
print("frames, duration of the first in ms:", seen)
assert seen == {"gif": (1, 300), "webp": (1, 0), "png": (1, None), "avif": (3, 100)}
PY
