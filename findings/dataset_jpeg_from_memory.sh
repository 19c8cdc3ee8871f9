#!/usr/bin/env bash
# Guess: a JPEG opened by Pillow goes into a data set as it is, wherever it was opened from; to_parquet then holds its
# bytes.
# Seen (datasets 5.2.0, Pillow 11.3.0): opened from memory it is encoded again at Pillow's default quality, and its turn
# is lost: 40x20 where the same file opened by its path is 20x40. And to_parquet of the latter writes the path and no
# bytes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1 pillow==11.3.0
cd "$folder" && venv/bin/python - <<'PY'
import io
import datasets, pyarrow.parquet
from PIL import Image

datasets.disable_progress_bars()
exif = Image.Exif()
exif[274] = 6
Image.effect_noise((40, 20), 80).save("photo.jpg", quality=98, exif=exif)
content = open("photo.jpg", "rb").read()
seen = {}
for kind, source in (("memory", io.BytesIO(content)), ("path", "photo.jpg")):
    rows = datasets.Dataset.from_dict({"image": [Image.open(source)]})
    stored = rows.cast_column("image", datasets.Image(decode=False))[0]["image"]["bytes"]
    rows.to_parquet(kind + ".parquet")
    cell = pyarrow.parquet.read_table(kind + ".parquet").to_pylist()[0]["image"]
    same = None if stored is None else stored == content
    seen[kind] = rows[0]["image"].size, same, cell["bytes"] is not None
print("size, same bytes, bytes in parquet:", seen)
assert seen == {"memory": ((40, 20), False, True), "path": ((20, 40), None, False)}
PY
