#!/usr/bin/env bash
# Guess: two adapters added with weights of a half, "linear", are the mean of what each of them adds to the layer.
# Seen (peft 0.21.2, torch 2.14.1): the factors are added, not their products, so A of the one meets B of the other. An
# adapter and itself, a half each, is twice the adapter. "cat" gives the mean, to rounding.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1 peft==0.21.2 transformers==5.24.0 accelerate==1.15.0
cd "$folder" && venv/bin/python - <<'PY'
import torch
from peft import LoraConfig, get_peft_model

torch.manual_seed(0)
config = LoraConfig(r=2, lora_alpha=2, target_modules=["0"])
model = get_peft_model(torch.nn.Sequential(torch.nn.Linear(8, 8, bias=False)), config, adapter_name="one")
model.add_adapter("other", config)
layer = model.base_model.model[0]
for name in ("one", "other"):
    for factor in (layer.lora_A[name].weight, layer.lora_B[name].weight):
        torch.nn.init.normal_(factor)

def added(names, kind):
    model.add_weighted_adapter(names, [0.5, 0.5], f"{kind} {names}", combination_type=kind)
    return layer.get_delta_weight(f"{kind} {names}").detach()

one, other = (layer.get_delta_weight(name).detach() for name in ("one", "other"))
twice = added(["one", "one"], "linear")
print("itself, linear:", round(float((twice * one).sum() / (one * one).sum()), 4), "times the adapter")
assert torch.allclose(twice, 2 * one, atol=1e-5)
off = {kind: float((added(["one", "other"], kind) - (one + other) / 2).abs().max()) for kind in ("linear", "cat")}
print("furthest from the mean:", off, "of at most", float(((one + other) / 2).abs().max()))
assert off["linear"] > 0.5 and off["cat"] < 1e-5
PY
