#!/usr/bin/env bash
# Guess: `save(exif=...)` means the same whether it is given an Exif object or the bytes of one.
# Seen (pillow-heif 1.8.1, Pillow 11.3.0): bytes turn the HEIC, an object does not: the file opens unturned with
# orientation 1, so nothing later turns it either. As JPEG both are the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0 pillow-heif==1.8.1
cd "$folder" && venv/bin/python - <<'PY'
import pillow_heif
from PIL import Image, ImageOps

pillow_heif.register_heif_opener()
seen = {}
for kind in ("object", "bytes"):
    for name in ("photo.jpg", "photo.heic"):
        exif = Image.Exif()
        exif[274] = 6
        Image.new("RGB", (64, 32)).save(name, exif=exif if kind == "object" else exif.tobytes())
        opened = Image.open(name)
        seen[kind, name[-4:]] = opened.getexif().get(274), ImageOps.exif_transpose(opened).size
print("orientation on opening, size turned upright:", seen)
assert seen["object", ".jpg"] == seen["bytes", ".jpg"] == (6, (32, 64))
assert seen["bytes", "heic"] == (1, (32, 64)) and seen["object", "heic"] == (1, (64, 32))
PY
