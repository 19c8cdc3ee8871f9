#!/usr/bin/env bash
# Guess: a phone's photo that is turned by its Exif stands upright for Qwen's tools, however it is given.
# Seen (transformers 5.24.0, qwen-vl-utils 0.0.14, Pillow 11.3.0): by its path transformers turns it; opened by Pillow
# its own processor does not, and qwen-vl-utils, which the model cards use, does not by its path either. One model, one
# photo: boxes and answers of the one are on its side for the other.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1 torchvision==0.29.1 transformers==5.24.0 pillow==11.3.0 numpy==2.4.6 qwen-vl-utils==0.0.14
cd "$folder" && venv/bin/python - <<'PY'
from PIL import Image
from qwen_vl_utils import fetch_image
from transformers import Qwen2VLImageProcessor
from transformers.image_utils import load_image

exif = Image.Exif()
exif[274] = 6  # Orientation: a quarter turn
Image.new("RGB", (112, 56)).save("photo.jpg", exif=exif)
processor = Qwen2VLImageProcessor()

def size(picture):
    _, rows, columns = processor(images=picture, return_tensors="pt")["image_grid_thw"][0].tolist()
    return columns * 14, rows * 14

seen = {
    "load_image": load_image("photo.jpg").size,
    "processor, path": size("photo.jpg"),
    "processor, opened": size(Image.open("photo.jpg")),
    "qwen-vl-utils": fetch_image({"image": "photo.jpg"}).size,
}
print(seen)
assert list(seen.values()) == [(56, 112), (56, 112), (112, 56), (112, 56)]
PY
