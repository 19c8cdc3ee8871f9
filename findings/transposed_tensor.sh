#!/usr/bin/env bash
# Guess: safetensors.numpy writes the values of an array however it lies in memory, or refuses it.
# Seen (safetensors 0.8.0): it writes the memory in its order: a transposed matrix comes back with its values in other
# places and the right shape, and every second value of twelve as the first six. Nothing is raised.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q safetensors==0.8.0 numpy==2.3.5
cd "$folder" && venv/bin/python - <<'PY'
import numpy as np
from safetensors.numpy import load, save

matrix, row = np.arange(6).reshape(2, 3).T, np.arange(12)[::2]
read = load(save({"matrix": matrix, "row": row}))
print(matrix.tolist(), "->", read["matrix"].tolist(), "|", row.tolist(), "->", read["row"].tolist())
assert read["matrix"].tolist() == [[0, 1], [2, 3], [4, 5]] != matrix.tolist()
assert read["row"].tolist() == [0, 1, 2, 3, 4, 5] != row.tolist()
copied = load(save({"matrix": np.ascontiguousarray(matrix)}))["matrix"]
assert copied.tolist() == matrix.tolist()
PY
