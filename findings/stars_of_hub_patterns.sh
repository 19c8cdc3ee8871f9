#!/usr/bin/env bash
# Guess: download patterns work as in a shell or .gitignore: `*.json` is the top folder's, `**/*.json` every folder's.
# Seen (huggingface_hub 2.4.0): the other way round: one star crosses folders, so `*.json` takes every folder's and
# `**/*.json` all but the top's. `d/` is the folder, `d` and `./a.json` are nothing.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q huggingface_hub==2.4.0
cd "$folder" && venv/bin/python - <<'PY'
from huggingface_hub.utils import filter_repo_objects

files = ["a.json", "d/b.json", "d/e/c.json"]
patterns = ("*.json", "**/*.json", "d/*.json", "d/", "d", "./a.json")
seen = {pattern: list(filter_repo_objects(files, allow_patterns=pattern)) for pattern in patterns}
print(seen)
assert seen == {
    "*.json": files, "**/*.json": files[1:], "d/*.json": files[1:], "d/": files[1:], "d": [], "./a.json": [],
}
PY
