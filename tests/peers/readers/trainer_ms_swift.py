"""ms-swift: its loader reads every row of `ms-swift`, and its template makes tokens and masks of them.

    python trainer_ms_swift.py EXPORT MODEL       in the folder EXPORT: pictures are called by paths from there

Run by `tests.peers.exchange` in an environment of its own.
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

export, model = Path(sys.argv[1]), sys.argv[2]
os.chdir(export)

from swift.dataset import load_dataset  # noqa: E402
from swift.model import get_model_processor  # noqa: E402
from swift.template import get_template  # noqa: E402

rows, _ = load_dataset([str(export / "ms_swift.jsonl")], split_dataset_ratio=0.0, num_proc=1, strict=False)
_, processor = get_model_processor(model, load_model=False, model_type="qwen2_5_vl")
template = get_template(processor, template_type="qwen2_5_vl")
template.set_mode("train")
tokenizer = processor.tokenizer
pad = tokenizer.convert_tokens_to_ids("<|image_pad|>")
said = []
for row in rows:
    encoded = template.encode(dict(row))
    ids = encoded["input_ids"]
    kept = [token for before, token in zip([None, *ids], ids, strict=False) if not token == before == pad]
    learned = tokenizer.decode([label for label in encoded["labels"] if label >= 0])
    said.append({"text": tokenizer.decode(kept), "learned": learned})
print(
    json.dumps({"versions": {name: version(name) for name in ("ms-swift", "transformers", "datasets")}, "rows": said})
)
