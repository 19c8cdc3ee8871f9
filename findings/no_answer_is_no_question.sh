#!/usr/bin/env bash
# Guess: an empty answer in a benchmark of multiple choice counts as wrong.
# Seen (lmms-eval 0.7.3, MVBench): it leaves the denominator: one right answer and three empty ones are 100%, and
# without any answer 0%.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps lmms-eval==0.7.3
cd "$folder" && venv/bin/python - <<'PY'
import ast, pathlib, site

path = pathlib.Path(site.getsitepackages()[0]) / "lmms_eval/tasks/mvbench/utils.py"
wanted = "mvbench_aggregate_results"
node = next(n for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef) and n.name == wanted)
space = {}
exec(compile(ast.Module([node], []), str(path), "exec"), space)
right, wrong, empty = ({"pred_answer": said, "score": score} for said, score in (("A", 1), ("B", 0), ("", 0)))
seen = [space[wanted](results) for results in ([right, empty, empty, empty], [right, wrong, wrong, wrong], [empty])]
print("one right and three empty, one right and three wrong, only empty:", seen)
assert seen == [100, 25, 0]
PY
