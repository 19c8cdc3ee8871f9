#!/usr/bin/env bash
# Guess: a 16-bit RGB PNG opened by Pillow can be scaled to 8 bits later, since it keeps the values.
# Seen (Pillow 11.3.0): mode is RGB with 8 bits and only the upper byte is left. A 12-bit camera's white, 4095, is 15 of 255, and
# the 4,096 levels are 16; a grey file of the same values is "I;16" and keeps them all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0 numpy==2.3.5
cd "$folder" && venv/bin/python - <<'PY'
import struct, zlib
import numpy as np
from PIL import Image

def png(values, colour_type):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")

ramp = np.arange(4096).reshape(64, 64)
open("colour.png", "wb").write(png(np.repeat(ramp[..., None], 3, axis=2), 2))
open("grey.png", "wb").write(png(ramp[..., None], 0))
colour, grey = np.asarray(Image.open("colour.png")), np.asarray(Image.open("grey.png"))
print(f"colour: {Image.open('colour.png').mode}, largest {colour.max()}, levels {len(np.unique(colour))}")
print(f"grey: {Image.open('grey.png').mode}, largest {grey.max()}, levels {len(np.unique(grey))}")
assert (colour.max(), len(np.unique(colour))) == (15, 16)
assert (grey.max(), len(np.unique(grey))) == (4095, 4096)
PY
