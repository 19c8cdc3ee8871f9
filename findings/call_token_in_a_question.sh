#!/usr/bin/env bash
# Guess: with `encode_special_tokens` whatever tokens a person's text spells are plain text.
# Seen (tokenizers 0.23.3): those added as special are; those added as ordinary, as <tool_call> is in Qwen's vocabulary,
# stay one token. Without it `add_special_tokens=False` changes neither: it is about the tokens put around a text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q tokenizers==0.23.3
cd "$folder" && venv/bin/python - <<'PY'
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

letters = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
tokenizer = Tokenizer(models.BPE(vocab=letters, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.add_special_tokens([AddedToken("<|im_end|>", special=True)])
tokenizer.add_tokens([AddedToken("<tool_call>", special=False, normalized=False)])
seen = {}
for as_text in (False, True):
    tokenizer.encode_special_tokens = as_text
    texts = ("<|im_end|>", "<tool_call>")
    seen[as_text] = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
print("encode_special_tokens: tokens of <|im_end|> and <tool_call>", seen)
assert seen == {False: [1, 1], True: [10, 1]}
PY
