#!/usr/bin/env bash
# Guess: a picture given to gradio's Image is what the browser shows and the person downloads, pixel for pixel.
# Seen (gradio 6.31.0, Pillow 11.3.0): it is saved as a lossy WebP, Pillow's default: a red pixel on white is a dark
# brown, and half the pixels of a map of four labels are none of the four. Gallery, AnnotatedImage and ImageEditor save
# the same; format="png" keeps the pixels.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q gradio==6.31.0 pillow==11.3.0 numpy==2.4.6
cd "$folder" && GRADIO_ANALYTICS_ENABLED=False GRADIO_TEMP_DIR="$folder" venv/bin/python - <<'PY'
import gradio
import numpy
from PIL import Image

dots = numpy.full((32, 32, 3), 255, numpy.uint8)
dots[16, 16] = (255, 0, 0)
labels = numpy.kron(numpy.array([[0, 1], [2, 3]], numpy.uint8) * 60, numpy.ones((15, 15), numpy.uint8))

def shown(pixels, component, wrap=lambda one: one, find=lambda data: data):
    data = component.postprocess(wrap(Image.fromarray(pixels)))
    return numpy.array(Image.open(find(data).path).convert("RGB"))

ways = {
    "Image": (gradio.Image(),),
    "Gallery": (gradio.Gallery(), lambda one: [one], lambda data: data.root[0].image),
    "AnnotatedImage": (gradio.AnnotatedImage(), lambda one: (one, []), lambda data: data.image),
    "ImageEditor": (gradio.ImageEditor(), lambda one: one, lambda data: data.background),
    "png": (gradio.Image(format="png"),),
}
red = {name: shown(dots, *way)[16, 16].tolist() for name, way in ways.items()}
strange = {name: int((~numpy.isin(shown(labels, *way)[..., 0], labels)).sum()) for name, way in ways.items()}
print("the red pixel:", red, "; of 900 pixels no label are", strange)
assert all(red[name] == red["Image"] and red[name][0] < 150 and strange[name] > 300 for name in ways if name != "png")
assert red["png"] == [255, 0, 0] and strange["png"] == 0
PY
