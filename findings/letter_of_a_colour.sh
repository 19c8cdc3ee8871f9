#!/usr/bin/env bash
# Guess: an answer that gives an option's text without its letter is counted as wrong or read by its text.
# Seen (lmms-eval 0.7.3, V*): the first letter of the answer is taken where it is one of A to D: "Blue" is option B and "Dark red"
# option D, whatever the options say. Where it is not, a single letter A to D anywhere in the word decides: "red" is D.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps lmms-eval==0.7.3
"$folder/venv/bin/pip" install -q loguru==0.7.3
cd "$folder" && venv/bin/python - <<'PY'
import importlib.util, pathlib, site

path = pathlib.Path(site.getsitepackages()[0]) / "lmms_eval/tasks/vstar_bench/utils.py"
spec = importlib.util.spec_from_file_location("vstar", path)
vstar = importlib.util.module_from_spec(spec)
spec.loader.exec_module(vstar)
seen = {said: vstar.extract_answer_letter(said) for said in ("B", "Blue", "Dark red", "red", "A dog, so B", r"\mathrm{B}")}
print(seen)
assert seen == {"B": "B", "Blue": "B", "Dark red": "D", "red": "D", "A dog, so B": "A", r"\mathrm{B}": None}
PY
