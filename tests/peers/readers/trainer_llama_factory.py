"""LLaMA-Factory: its loader reads every row of `llama-factory`, and its template makes tokens of them.

    python trainer_llama_factory.py EXPORT MODEL

Run by `tests.peers.exchange` in an environment of its own.
"""

import json
import os
import sys
import tempfile
from importlib.metadata import version

os.environ["DISABLE_VERSION_CHECK"] = "1"  # its pins are older than the torch that is here

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import get_train_args
from llamafactory.model import load_tokenizer

export, model = sys.argv[1:]
asked = {
    "model_name_or_path": model,
    "template": "qwen2_vl",
    "dataset": "pixel_reasoner_studio",
    "dataset_dir": export,
    "media_dir": export,
    "stage": "sft",
    "do_train": True,
    "finetuning_type": "full",
    "output_dir": tempfile.mkdtemp(),
    "cutoff_len": 16384,
    "overwrite_cache": True,
    "use_cpu": True,
    "report_to": "none",
}
model_args, data_args, training_args, _, _ = get_train_args(asked)
loaded = load_tokenizer(model_args)
template = get_template_and_fix_tokenizer(loaded["tokenizer"], data_args)
rows = get_dataset(template, model_args, data_args, training_args, stage="sft", **loaded)["train_dataset"]
tokenizer = loaded["tokenizer"]
pad = tokenizer.convert_tokens_to_ids("<|image_pad|>")
said = []
for row in rows:
    ids = row["input_ids"]
    kept = [token for before, token in zip([None, *ids], ids, strict=False) if not token == before == pad]
    learned = tokenizer.decode([label for label in row["labels"] if label >= 0])
    said.append({"text": tokenizer.decode(kept), "learned": learned})
names = {name: version(name) for name in ("llamafactory", "transformers", "datasets")}
print("\n" + json.dumps({"versions": names, "rows": said}))
