#!/usr/bin/env bash
# Guess: a box that juts out over a picture's left edge is marked up to the edge, as one over its right edge is.
# Seen (gradio 6.31.0, AnnotatedImage): a negative coordinate counts from the other end. In a picture 40 wide a box from
# -4 to 20 is not filled: there is its right side, and its left side stands at 36. One over the upper left corner is not
# marked at all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q gradio==6.31.0 pillow==11.3.0 numpy==2.4.6
cd "$folder" && GRADIO_ANALYTICS_ENABLED=False GRADIO_TEMP_DIR="$folder" venv/bin/python - <<'PY'
import gradio
import numpy
from PIL import Image

boxes = {"inside": (5, 5, 20, 30), "right": (30, 5, 60, 30), "left": (-4, 5, 20, 30), "corner": (-4, -4, 20, 20)}
value = gradio.AnnotatedImage().postprocess((Image.new("RGB", (40, 40)), [(box, name) for name, box in boxes.items()]))
marks = {note.label: numpy.array(Image.open(note.image.path).convert("RGBA"))[..., 3] > 0 for note in value.annotations}
columns = {name: [int(x) for x in numpy.flatnonzero(mark.any(axis=0))] for name, mark in marks.items()}
print(columns)
assert columns["inside"] == list(range(5, 20)) and columns["right"] == list(range(30, 40))
assert columns["left"] == [17, 18, 19, 36, 37, 38] and columns["corner"] == []
PY
