#!/usr/bin/env bash
# Guess: a box one pixel wide crops one pixel (rounding may shift it), and crop and resize(box=) take the same boxes.
# Seen (Pillow 11.3.0): both edges are rounded half to even, so from 0.5 to 1.5 is two pixels and from 1.5 to 2.5 none:
# a picture of width 0, without an error. resize(box=) samples the same boxes exactly.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0
cd "$folder" && venv/bin/python - <<'PY'
from PIL import Image

picture = Image.linear_gradient("L")
widths = {left: picture.crop((left, 0, left + 1, 8)).width for left in (0.25, 0.5, 1.5, 2.5, 3.5)}
resized = {left: picture.resize((1, 8), box=(left, 0, left + 1, 8)).width for left in widths}
print("width of the crop by left edge:", widths, "| of resize:", resized)
assert widths == {0.25: 1, 0.5: 2, 1.5: 0, 2.5: 2, 3.5: 0} and set(resized.values()) == {1}
PY
