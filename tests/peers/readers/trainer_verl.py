"""verl: RLHFDataset keeps every row of `verl`, and its messages hold the pictures.

    python trainer_verl.py EXPORT MODEL

Run by `tests.peers.exchange` in an environment of its own.
"""

import json
import sys
import tempfile
from importlib.metadata import version

from omegaconf import OmegaConf
from transformers import AutoProcessor
from verl.utils.dataset.rl_dataset import RLHFDataset

export, model = sys.argv[1:]
processor = AutoProcessor.from_pretrained(model)
settings = OmegaConf.create(
    {
        "max_prompt_length": 8192,
        "filter_overlong_prompts": True,
        "cache_dir": tempfile.mkdtemp(),
        "filter_overlong_prompts_workers": 1,
    }
)
rows = RLHFDataset(f"{export}/verl.parquet", processor.tokenizer, settings, processor=processor)
said = []
for place in range(len(rows)):
    row = rows[place]
    pictures = [
        part["image"].size for message in row["raw_prompt"] for part in message["content"] if part["type"] == "image"
    ]
    text = processor.apply_chat_template(row["raw_prompt"], tokenize=False)
    said.append({"text": text, "pictures": len(pictures), "answer": row["reward_model"]["ground_truth"]})
names = {name: version(name) for name in ("verl", "transformers", "datasets")}
print("\n" + json.dumps({"versions": names, "rows": said}))
