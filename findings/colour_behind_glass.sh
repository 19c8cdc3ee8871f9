#!/usr/bin/env bash
# Guess: where a picture is transparent the model sees one colour, whether it is given as a file or as an opened
# picture.
# Seen (transformers 5.24.0, torch 2.14.1, Qwen2-VL's processor): opened by Pillow it is laid on white; by its path, by
# `load_image` and by `fetch_images`, which a chat template's pictures go through, the colour that is hidden under the
# transparency is seen: a red that no viewer shows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1 torchvision==0.29.1 transformers==5.24.0 pillow==11.3.0 numpy==2.4.6
cd "$folder" && venv/bin/python - <<'PY'
from PIL import Image
from transformers import Qwen2VLImageProcessor
from transformers.image_utils import load_image

Image.new("RGBA", (56, 56), (255, 0, 0, 0)).save("rgba.png")
Image.new("LA", (56, 56), (90, 0)).save("la.png")
processor = Qwen2VLImageProcessor(do_rescale=False, do_normalize=False)

def colour(picture):
    values = processor(images=picture, return_tensors="pt")["pixel_values"]
    return values.reshape(-1, 3, 2, 14, 14)[0, :, 0, 0, 0].int().tolist()

for name, hidden in (("rgba.png", [255, 0, 0]), ("la.png", [90, 90, 90])):
    named = [colour(name), colour(load_image(name)), colour(processor.fetch_images([name]))]
    print(name, "opened:", colour(Image.open(name)), "; path, load_image, fetch_images:", named)
    assert colour(Image.open(name)) == [255, 255, 255] and named == [hidden] * 3
PY
