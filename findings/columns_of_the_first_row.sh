#!/usr/bin/env bash
# Guess: rows of which some have one key more make a column that is None elsewhere, as a key inside a nested dictionary
# does.
# Seen (datasets 5.2.0, pyarrow 26.0.1): the first row decides: what only later rows have is dropped without a word, by
# `from_list` and `from_generator`, and by pyarrow's `from_pylist`. The key in a dictionary of a row is kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1
cd "$folder" && HF_HOME="$folder" venv/bin/python - <<'PY'
import datasets
import pyarrow

rows = [{"answer": "red", "score": {"hit": 1}}, {"answer": "blue", "score": {"hit": 0, "note": "near"}, "tool": "zoom"}]

def give():
    yield from rows

listed, generated = datasets.Dataset.from_list(rows), datasets.Dataset.from_generator(give)
print(listed.column_names, generated.column_names, pyarrow.Table.from_pylist(rows).column_names, listed[0], listed[1])
assert listed.column_names == generated.column_names == ["answer", "score"]
assert pyarrow.Table.from_pylist(rows).column_names == ["answer", "score"]
assert listed[0]["score"] == {"hit": 1, "note": None} and listed[1]["score"] == {"hit": 0, "note": "near"}
PY
