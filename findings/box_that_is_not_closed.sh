#!/usr/bin/env bash
# Guess: the last box that is complete is the answer, and 12% is 12\%.
# Seen (verl 0.9.1, reward_score/math_reward.py): the last box counts even where it is never closed, so an answer given
# and a box begun again is no answer. "12%" and "12\%" differ, as do 5 and 5.0, while .5, 0.5 and 1/2 are one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps verl==0.9.1
cd "$folder" && venv/bin/python - <<'PY'
import ast, pathlib, site

path = pathlib.Path(site.getsitepackages()[0]) / "verl/utils/reward_score/math_reward.py"
nodes = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)]
space = {}
exec("from __future__ import annotations\n" + "\n".join(map(ast.unparse, nodes)), space)
said = (r"\boxed{3}", r"\boxed{3}, or \boxed{4}", r"\boxed{3}, that is \boxed{")
boxes = {text: space["last_boxed_only_string"](text) for text in said}
pairs = {pair: space["is_equiv"](*pair) for pair in (("12%", r"12\%"), ("5.0", "5"), (".5", "0.5"), ("0.5", "1/2"))}
print(boxes, pairs)
assert list(boxes.values()) == [r"\boxed{3}", r"\boxed{4}", None]
assert list(pairs.values()) == [False, False, True, True]
PY
