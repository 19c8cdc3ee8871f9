#!/usr/bin/env bash
# Guess: a parquet file whose metadata says that a column is `List(Json())` gives dictionaries back, as one whose metadata
# says `Image` gives pictures: what is stored are strings in either case, made by whoever writes the file.
# Seen (datasets 5.2.0, pyarrow 26.0.1): only where the file's own type is arrow.json. Over strings what the metadata says of
# the column is passed over without a word, and the rows hold texts. pyarrow makes no list of that type from Python values,
# but casts a list of strings to it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1 pillow==11.3.0
cd "$folder" && HF_HUB_OFFLINE=1 venv/bin/python - <<'PY'
import datasets
import pyarrow
from datasets import Features, List
from datasets.features import Json
from pyarrow import parquet

datasets.disable_progress_bars()
rows = [{"turns": ['{"a": 1}']}, {"turns": ['{"b": [2]}']}]
told = Features({"turns": List(Json())}).arrow_schema
strings = pyarrow.schema([("turns", pyarrow.list_(pyarrow.string()))])
try:
    pyarrow.Table.from_pylist(rows, schema=told)
    raise SystemExit("pyarrow made a list of arrow.json")
except pyarrow.ArrowNotImplementedError as error:
    print("made:", error)
table = pyarrow.Table.from_pylist(rows, schema=strings)
parquet.write_table(table.replace_schema_metadata(told.metadata), "metadata.parquet")
parquet.write_table(table.cast(told), "type.parquet")
read = {
    name: datasets.load_dataset("parquet", data_files=f"{name}.parquet", split="train", cache_dir=f"cache-{name}")
    for name in ("metadata", "type")
}
for name, found in read.items():
    print(name, found.features, found["turns"][:])
assert read["metadata"]["turns"][:] == [['{"a": 1}'], ['{"b": [2]}']]
assert read["type"]["turns"][:] == [[{"a": 1}], [{"b": [2]}]]
PY
