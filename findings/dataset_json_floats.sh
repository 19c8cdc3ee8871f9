#!/usr/bin/env bash
# Guess: `Dataset.to_json` and `load_dataset("json")` give back the floats that went in, as Python's json does.
# Seen (datasets 5.2.0, pandas 3.1.1): ten decimals are written. A log-probability of 1e-12 comes back as 0.0, a
# learning rate of 2e-11 too, and not-a-number as None.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==5.2.0 pandas==3.1.1 pyarrow==26.0.1
cd "$folder" && venv/bin/python - <<'PY'
import datasets

datasets.disable_progress_bars()
row = {"probability": 1e-12, "rate": 2e-11, "x": 0.123456789012345, "loss": float("nan")}
datasets.Dataset.from_list([row]).to_json("rows.jsonl")
written = open("rows.jsonl").read().strip()
read = datasets.load_dataset("json", data_files="rows.jsonl", split="train", cache_dir="cache")[0]
print("written", written, "| read", read)
assert read == {"probability": 0.0, "rate": 0.0, "x": 0.123456789, "loss": None}
PY
