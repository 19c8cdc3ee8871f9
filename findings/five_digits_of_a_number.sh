#!/usr/bin/env bash
# Guess: a scorer asked to compare numbers compares their values.
# Seen (inspect_ai 0.3.285, match(numeric=True)): five significant digits of them: 123,456 is taken for 123,461 and
# 20241130 for 20241128, while 12345 and 12346 differ.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps inspect-ai==0.3.285
cd "$folder" && venv/bin/python - <<'PY'
import ast, math, pathlib, re, site, typing

packages = pathlib.Path(site.getsitepackages()[0]) / "inspect_ai"

def functions(path, space):
    nodes = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef) and not n.decorator_list]
    exec("from __future__ import annotations\n" + "\n".join(map(ast.unparse, nodes)), space)
    return space

space = {"re": re, "math": math, "Literal": typing.Literal, "unicode_number_to_float": float}
constants = [n for n in ast.parse((packages / "scorer/_common.py").read_text()).body if isinstance(n, ast.Assign)]
exec(compile(ast.Module([n for n in constants if isinstance(n.value, ast.Constant)], []), "constants", "exec"), space)
functions(packages / "_util/text.py", space)
match = functions(packages / "scorer/_common.py", space)["match_str"]
pairs = (("It is 123,461", "123456"), ("20241130", "20241128"), ("12346", "12345"), ("7", "7.0"))
seen = {pair: match(*pair, location="end", numeric=True) for pair in pairs}
print(seen)
assert [is_right for _, is_right in seen.values()] == [True, True, False, True]
PY
