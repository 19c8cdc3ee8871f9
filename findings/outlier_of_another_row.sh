#!/usr/bin/env bash
# Guess: in 4 bits each block of 64 weights has its own scale, so one large row spoils its own blocks only, whether or
# not the scales are themselves quantised.
# Seen (bitsandbytes 0.50.2, torch 2.14.1, NF4 on a CPU): with double quantisation 256 scales share one: a row 10,000
# times larger makes the other rows' weights, at most 4.1, wrong by up to 40, where without it they are off by 0.4.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1 bitsandbytes==0.50.2 numpy==2.4.6
cd "$folder" && venv/bin/python - <<'PY'
import torch
from bitsandbytes import functional

torch.manual_seed(0)
weights = torch.randn(64, 64)
outlier = weights.clone()
outlier[0] *= 1e4

def off(tensor, nested):
    packed, state = functional.quantize_4bit(tensor, quant_type="nf4", blocksize=64, compress_statistics=nested)
    return round(float((functional.dequantize_4bit(packed, state) - tensor)[1:].abs().max()), 1)

seen = {name: (off(tensor, False), off(tensor, True)) for name, tensor in (("even", weights), ("outlier", outlier))}
print(round(float(weights[1:].abs().max()), 1), seen)
assert seen["even"] == (0.4, 0.4) and seen["outlier"][0] == 0.4 and seen["outlier"][1] > 30
PY
