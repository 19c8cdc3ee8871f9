#!/usr/bin/env bash
# Guess: where a preference pair has no prompt of its own, TRL takes the common beginning for it, up to a whole word.
# Seen (trl 1.16.0): up to a letter, and back over one space: "It shows 12" and "It shows 15" have the prompt "It shows
# 1", and the answers "2" and "5"; of "yes" and "yes, two" the answer "s" is left. In chats the cut is between messages.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps trl==1.16.0
cd "$folder" && venv/bin/python - <<'PY'
import ast, pathlib, site

source = ast.parse((pathlib.Path(site.getsitepackages()[0]) / "trl/data_utils.py").read_text())
function = next(node for node in source.body if isinstance(node, ast.FunctionDef) and node.name == "extract_prompt")
space = {}
exec(compile(ast.Module([function], []), "extract_prompt", "exec"), {"Sequence": list}, space)

def cut(chosen, rejected):
    parts = space["extract_prompt"]({"chosen": chosen, "rejected": rejected})
    return parts["prompt"], parts["chosen"], parts["rejected"]

def chat(answer):
    return [{"role": "user", "content": "How many?"}, {"role": "assistant", "content": answer}]

print(cut("It shows 12", "It shows 15"), cut("It is red", "It is blue"), cut("yes", "yes, two"))
assert cut("It shows 12", "It shows 15") == ("It shows 1", "2", "5")
assert cut("It is red", "It is blue") == ("It is", " red", " blue")
assert cut("yes", "yes, two") == ("ye", "s", "s, two")
assert cut(chat("12"), chat("15")) == (chat("12")[:1], chat("12")[1:], chat("15")[1:])
PY
