#!/usr/bin/env bash
# Guess: saving a picture reads the Exif object it is given and leaves it as it is.
# Seen (Pillow 11.3.0): the AVIF writer takes Orientation out of the caller's object (it moves into the file's own
# turn), so a JPEG saved after it from the same object has no orientation and lies on its side.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0
cd "$folder" && venv/bin/python - <<'PY'
from PIL import Image

photo, exif = Image.new("RGB", (64, 32)), Image.Exif()
exif[274] = 6
seen = []
for name in ("before.jpg", "between.avif", "after.jpg"):
    photo.save(name, exif=exif)
    seen.append((name, Image.open(name).getexif().get(274), exif.get(274)))
print("file, orientation in the file, orientation left in the object:", seen)
assert seen == [("before.jpg", 6, 6), ("between.avif", 6, None), ("after.jpg", None, None)]
PY
