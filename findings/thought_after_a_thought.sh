#!/usr/bin/env bash
# Guess: with `continue_final_message` the prompt ends with the last message as it stands, so a thought may be
# continued.
# Seen (transformers 5.24.0, templates as trl 1.16.0 ships them): in Qwen3's an empty thought that is closed is put
# before it, for a thought counts only once it is closed: the model goes on thinking after its thought. Qwen3-VL's puts
# nothing there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q transformers==5.24.0 tokenizers==0.23.3 jinja2==3.1.6
"$folder/venv/bin/pip" install -q --no-deps trl==1.16.0
cd "$folder" && HF_HOME="$folder" venv/bin/python - <<'PY'
import pathlib, site
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

packages = pathlib.Path(site.getsitepackages()[0])

def ending(name, said):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0}, unk_token="a")))
    tokenizer.chat_template = (packages / "trl/chat_templates" / name).read_text()
    chat = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": said}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, continue_final_message=True)
    return text.split("<|im_start|>assistant\n")[1]

begun, closed = "<think>\nThe sign", "<think>\nThe sign\n</think>\n\nIt"
for name in ("qwen3.jinja", "qwen3_vl.jinja"):
    print(name, repr(ending(name, begun)), repr(ending(name, closed)))
assert ending("qwen3.jinja", begun) == "<think>\n\n</think>\n\n" + begun
assert ending("qwen3.jinja", closed) == ending("qwen3_vl.jinja", closed) == closed
assert ending("qwen3_vl.jinja", begun) == begun
PY
