#!/usr/bin/env bash
# Guess: Pillow turns a TIFF whose PhotometricInterpretation is WhiteIsZero into black-is-zero at every depth.
# Seen (Pillow 11.3.0): at 8 bits it does; at 16 bits the stored values come out as they are, so a scan is a negative.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0 numpy==2.3.5 tifffile==2025.10.16
cd "$folder" && venv/bin/python - <<'PY'
import numpy as np, tifffile
from PIL import Image

for dtype, white in ((np.uint16, 65535), (np.uint8, 255)):
    stored = np.array([[0, white]], dtype)
    tifffile.imwrite("scan.tif", stored, photometric="miniswhite")
    image = Image.open("scan.tif")
    assert image.tag_v2[262] == 0, "the file says WhiteIsZero"
    seen = np.asarray(image).tolist()[0]
    print(f"{image.mode}: stored {stored.tolist()[0]}, read {seen}")
    wanted = {np.uint16: [0, 65535], np.uint8: [255, 0]}[dtype]
    assert seen == wanted, (dtype, seen)
PY
