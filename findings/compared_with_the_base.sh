#!/usr/bin/env bash
# Guess: `with model.disable_adapter():` leaves the adapter as it was: one loaded for answering stays without gradients.
# Seen (peft 0.21.2, torch 2.14.1): after it the adapter's weights ask for gradients, those of one frozen by hand, too:
# to look at the base once makes a model that only answers one that trains.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1 peft==0.21.2 transformers==5.24.0 accelerate==1.15.0
cd "$folder" && HF_HOME="$folder" venv/bin/python - <<'PY'
import torch
from peft import LoraConfig, PeftModel, get_peft_model

def base():
    return torch.nn.Sequential(torch.nn.Linear(8, 8))

def trainable(model):
    return sorted(name for name, value in model.named_parameters() if value.requires_grad)

get_peft_model(base(), LoraConfig(r=2, target_modules=["0"])).save_pretrained("adapter")
loaded = PeftModel.from_pretrained(base(), "adapter")
frozen = get_peft_model(base(), LoraConfig(r=2, target_modules=["0"])).requires_grad_(False)
for model in (loaded, frozen):
    before = trainable(model)
    with model.disable_adapter():
        inside = trainable(model)
    print(before, inside, trainable(model))
    assert before == inside == [] and len(trainable(model)) == 2
PY
