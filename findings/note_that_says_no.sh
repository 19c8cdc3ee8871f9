#!/usr/bin/env bash
# Guess: of a sentence that begins with neither "yes" nor "no" the benchmark takes the word that is in it, or none.
# Seen (lmms-eval 0.7.3, MME): "yes" or "no" is looked for in the first four letters, inside words too: "Note: yes",
# "Now I see: yes" and "Not only one, so yes" are "no"; "I know: yes" is neither.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps lmms-eval==0.7.3
"$folder/venv/bin/pip" install -q loguru==0.7.3
cd "$folder" && venv/bin/python - <<'PY'
import importlib.util, pathlib, site

path = pathlib.Path(site.getsitepackages()[0]) / "lmms_eval/tasks/mme/utils.py"
spec = importlib.util.spec_from_file_location("mme", path)
mme = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mme)
said = ("Yes.", "No, it is red", "Note: yes", "Now I see: yes", "Not only one, so yes", "I know: yes")
seen = {text: mme.parse_pred_ans(text) for text in said}
print(seen)
assert list(seen.values()) == ["yes", "no", "no", "no", "no", "other"]
PY
