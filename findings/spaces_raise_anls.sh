#!/usr/bin/env bash
# Guess: two evaluators that both collapse white space before ANLS give a wrong answer the same score however it is spaced.
# Seen (lmms-eval 0.7.3, ms-vlmeval 0.0.20): both divide by the length before collapsing, so spaces in an answer raise its score:
# "kitten" against "sitting" is 0.571, with twenty spaces after it 0.885.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps lmms-eval==0.7.3 ms-vlmeval==0.0.20
cd "$folder" && venv/bin/python - <<'PY'
import ast, pathlib, site

def functions(path, *names):
    nodes = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef) and n.name in names]
    for node in nodes:
        node.decorator_list = []
    space = {}
    exec(compile(ast.Module(nodes, []), str(path), "exec"), space)
    return [space[name] for name in names]

packages = pathlib.Path(site.getsitepackages()[0])
anls, _ = functions(packages / "lmms_eval/api/metrics.py", "anls", "levenshtein_distance")
distance, _ = functions(packages / "vlmeval/dataset/utils/vqa_eval.py", "anls_compute", "levenshtein_distance")
for said in ("kitten", "kitten" + " " * 20):
    print(repr(said), round(anls(["sitting"], [said])["anls"], 3), round(1 - distance("sitting", said), 3))
assert round(anls(["sitting"], ["kitten"])["anls"], 3) == round(1 - distance("sitting", "kitten"), 3) == 0.571
spaced = "kitten" + " " * 20
assert round(anls(["sitting"], [spaced])["anls"], 3) == round(1 - distance("sitting", spaced), 3) == 0.885
PY
