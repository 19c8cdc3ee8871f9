"""TRL: SFTTrainer and DPOTrainer take a step on `trl` and `preference`; what their collators feed, row by row.

    python trainer_trl.py EXPORT MODEL TEMPLATE

Run by `tests.peers.exchange` in an environment of its own.
"""

import json
import sys
import tempfile
from pathlib import Path

import datasets
import torch
import transformers
import trl
from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

export, model, template = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text(encoding="utf-8")
datasets.disable_progress_bars()
transformers.logging.disable_progress_bar()


def rows_of(name: str) -> datasets.Dataset:
    return datasets.load_dataset("parquet", data_files=str(export / name), split="train", cache_dir=tempfile.mkdtemp())


def trainer(kind, config, rows, **more):
    processor = AutoProcessor.from_pretrained(model)
    processor.chat_template = processor.tokenizer.chat_template = template
    settings = config(
        output_dir=tempfile.mkdtemp(), max_steps=1, per_device_train_batch_size=2, use_cpu=True, bf16=False,
        report_to="none", max_length=None, save_strategy="no", logging_steps=1, disable_tqdm=True,
        gradient_checkpointing=False, **more,
    )  # fmt: skip
    weights = Qwen2_5_VLForConditionalGeneration.from_pretrained(model)
    return kind(weights, args=settings, train_dataset=rows, processing_class=processor), processor.tokenizer


def loss_of(one) -> float:
    one.train()
    return float(one.state.log_history[0]["loss"])


def collapsed(tokenizer, ids) -> str:
    pad = tokenizer.convert_tokens_to_ids("<|image_pad|>")
    kept = [token for before, token in zip([None, *ids], ids, strict=False) if not token == before == pad]
    return tokenizer.decode(kept)


torch.manual_seed(0)
sft, tokenizer = trainer(trl.SFTTrainer, trl.SFTConfig, rows_of("trl.parquet"), assistant_only_loss=True)
said = {}
for row in rows_of("trl.parquet"):
    batch = sft.data_collator([row])
    ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
    learned = tokenizer.decode([label for label in labels if label >= 0])
    said[row["id"]] = {"text": collapsed(tokenizer, ids), "learned": learned}
sft_loss = loss_of(sft)

dpo, tokenizer = trainer(trl.DPOTrainer, trl.DPOConfig, rows_of("preference.parquet"))
pairs = {}
for row in rows_of("preference.parquet"):
    batch = dpo.data_collator([row])
    sides = []
    for ids, mask, attended in zip(
        *(batch[key].tolist() for key in ("input_ids", "completion_mask", "attention_mask")), strict=True
    ):
        both = [(token, is_said) for token, is_said, here in zip(ids, mask, attended, strict=True) if here]
        sides.append([
            collapsed(tokenizer, [token for token, is_said in both if not is_said]),
            tokenizer.decode([token for token, is_said in both if is_said]),
        ])  # fmt: skip
    pairs[f"{row['kind']} {row['id']}"] = sides
print(
    json.dumps(
        {
            "versions": {
                "trl": trl.__version__,
                "transformers": transformers.__version__,
                "datasets": datasets.__version__,
            },
            "rows": said,
            "pairs": pairs,
            "losses": {"sft": sft_loss, "dpo": loss_of(dpo)},
        }
    )
)
