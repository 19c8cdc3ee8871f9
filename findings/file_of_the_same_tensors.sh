#!/usr/bin/env bash
# Guess: the same tensors with the same metadata, saved twice, are the same bytes; a hash of the file names its content.
# Seen (safetensors 0.8.0): the metadata is written in an order drawn anew at each call, in one process too. With one
# entry, as PEFT and transformers write it, the bytes are always the same; with eight, twenty saves were twenty files.
# The tensors' order is settled: by size of type, then by name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q safetensors==0.8.0 numpy==2.4.6
cd "$folder" && venv/bin/python - <<'PY'
import json
import numpy
from safetensors.numpy import save

tensors = {"z": numpy.zeros(2, "float32"), "a": numpy.zeros(4, "float16"), "m": numpy.zeros(1, "float32")}
one = {save(tensors, {"format": "pt"}) for _ in range(20)}
eight = {save(tensors, {f"key {number}": str(number) for number in range(8)}) for _ in range(20)}
print(len(one), "file with one entry;", len(eight), "files of twenty saves with eight")
headers = [json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")]) for file in eight]
print([name for name in headers[0] if name != "__metadata__"])
assert len(one) == 1 and len(eight) > 1
assert all(header == headers[0] for header in headers)
assert all([name for name in header if name != "__metadata__"] == ["m", "z", "a"] for header in headers)
PY
