#!/usr/bin/env bash
# Guess: a picture that was drawn on goes into a data set as it is drawn.
# Seen (datasets 5.2.0, Pillow 11.3.0): opened from a path, it goes in as the file: a box drawn on it and a thumbnail made
# of it in place are lost. `copy()` gives a picture without a path, whose pixels are stored.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1 pillow==11.3.0
cd "$folder" && HF_HOME="$folder" venv/bin/python - <<'PY'
import datasets
from PIL import Image, ImageDraw

Image.new("RGB", (40, 40), "red").save("red.png")

def stored(picture):
    kept = datasets.Dataset.from_list([{"image": picture}])[0]["image"]
    return kept.size, kept.getpixel((5, 5))

drawn, small, copied = Image.open("red.png"), Image.open("red.png"), Image.open("red.png").copy()
for picture in (drawn, copied):
    ImageDraw.Draw(picture).rectangle((0, 0, 20, 20), fill="blue")
small.thumbnail((10, 10))
print("drawn on", drawn.getpixel((5, 5)), "stored", stored(drawn))
print("made smaller", small.size, "stored", stored(small))
print("copied and drawn on", copied.getpixel((5, 5)), "stored", stored(copied))
assert drawn.getpixel((5, 5)) == (0, 0, 255) and stored(drawn) == ((40, 40), (255, 0, 0))
assert small.size == (10, 10) and stored(small) == ((40, 40), (255, 0, 0))
assert stored(copied) == ((40, 40), (0, 0, 255))
PY
