#!/usr/bin/env bash
# Guess: a folder of pictures with a metadata.jsonl that names some of them is loaded with all of them, the others'
# columns None.
# Seen (datasets 5.2.0): only those that it names, in its order; the others are left out without a word. The label of a
# picture, its folder's name, is gone, too, though without the metadata it is there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1 pillow==11.3.0
cd "$folder" && HF_HOME="$folder/home" venv/bin/python - <<'PY'
import datasets, json, pathlib
from PIL import Image

datasets.disable_progress_bars()
for name in ("cat/1.png", "cat/2.png", "dog/3.png"):
    pathlib.Path("plain", name).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path("told", name).parent.mkdir(parents=True, exist_ok=True)
    for place in ("plain", "told"):
        Image.new("RGB", (4, 4)).save(pathlib.Path(place, name))
rows = [{"file_name": "dog/3.png", "question": "Tail?"}, {"file_name": "cat/2.png", "question": "Ears?"}]
pathlib.Path("told/metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))

def loaded(place):
    data = datasets.load_dataset("imagefolder", data_dir=place, split="train")
    return data.column_names, [pathlib.Path(row["image"].filename).name for row in data]

print("without", loaded("plain"), "with", loaded("told"))
assert loaded("plain") == (["image", "label"], ["1.png", "2.png", "3.png"])
assert loaded("told") == (["image", "question"], ["3.png", "2.png"])
PY
