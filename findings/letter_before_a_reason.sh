#!/usr/bin/env bash
# Guess: an answer that begins with an option's letter is that option, whatever reason follows.
# Seen (ms-vlmeval 0.0.20, VLMEvalKit as ModelScope publishes it): a letter counts only among the last four words. "B,
# since it is red" is read by its text, and where an option says "red" that one is taken: C. "B, it is red" is B. A text
# counts inside words ("reddish" is C), and "12" is nothing where another option is "2".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps ms-vlmeval==0.0.20
cd "$folder" && venv/bin/python - <<'PY'
import ast, copy, os, pathlib, site, string

source = ast.parse((pathlib.Path(site.getsitepackages()[0]) / "vlmeval/utils/matching_util.py").read_text())
names = ("can_infer", "can_infer_option", "can_infer_text")
functions = [node for node in source.body if isinstance(node, ast.FunctionDef) and node.name in names]
space = {"cp": copy, "os": os, "string": string}
exec(compile(ast.Module(functions, []), "matching_util", "exec"), space)

def read(said):
    return space["can_infer"](said, {"A": "12", "B": "2", "C": "red", "D": "blue"})

said = ("B", "B, it is red", "B, since it is red", "reddish", "12")
print({text: read(text) for text in said})
assert [read(text) for text in said] == ["B", "B", "C", "C", False]
PY
