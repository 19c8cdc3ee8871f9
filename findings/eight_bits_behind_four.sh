#!/usr/bin/env bash
# Guess: eight bits a weight are never coarser than four, whatever the weights' size: each block has a scale of its own.
# Seen (gguf 0.19.0): the scale is a half float, and that of Q8_0 is sixteen times smaller than that of Q4_0, so it runs
# out of digits sooner. For weights of some 1e-5 eight bits are 10% off and four 6%; at 2e-6 they are 48% and 7%.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q gguf==0.19.0 numpy==2.4.6
cd "$folder" && venv/bin/python - <<'PY'
import gguf
import numpy

normal = numpy.random.default_rng(0).standard_normal((4, 256))

def off(size, kind):
    weights = (normal * size).astype("float32")
    back = gguf.dequantize(gguf.quantize(weights, kind), kind)
    return float(numpy.abs(back - weights).max() / numpy.abs(weights).max())

kinds = gguf.GGMLQuantizationType
seen = {size: (round(off(size, kinds.Q8_0), 2), round(off(size, kinds.Q4_0), 2)) for size in (1, 1e-3, 1e-5, 2e-6)}
print(seen)
assert seen == {1: (0.0, 0.06), 1e-3: (0.0, 0.06), 1e-5: (0.1, 0.06), 2e-6: (0.48, 0.07)}
PY
