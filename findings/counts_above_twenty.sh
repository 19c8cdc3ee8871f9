#!/usr/bin/env bash
# Guess: VLMEvalKit's TallyQA reads a count above twenty as wrong or as it stands.
# Seen (ms-vlmeval 0.0.20, VLMEvalKit as ModelScope publishes it): a part of it is read: "twenty-one" is 20, "ninety nine" 9 and
# "1,024" 1, while "21" is nothing; the gold answers go up to 15, so too large a count can be right by its first digit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps ms-vlmeval==0.0.20
cd "$folder" && venv/bin/python - <<'PY'
import importlib.util, pathlib, site

path = pathlib.Path(site.getsitepackages()[0]) / "vlmeval/dataset/utils/tallyqa.py"
spec = importlib.util.spec_from_file_location("tallyqa", path)
tallyqa = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tallyqa)
said = ("seven", "21", "twenty-one", "ninety nine", "1,024", "none")
seen = {text: tallyqa.extract_count_from_prediction(text) for text in said}
print(seen)
assert seen == {"seven": 7, "21": None, "twenty-one": 20, "ninety nine": 9, "1,024": 1, "none": None}
PY
