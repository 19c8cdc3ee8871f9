#!/usr/bin/env bash
# Guess: a JSON schema's minimum, maximum and uniqueItems are kept by a grammar made from it, or refused.
# Seen (outlines-core 0.2.14): they are dropped without a word, while minItems, maxItems, maxLength and enum are kept. A
# frame number "from 1 to 16" may be -7, a coordinate "from 0 to 1" 99.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q outlines-core==0.2.14
cd "$folder" && venv/bin/python - <<'PY'
import json, re
from outlines_core.json_schema import build_regex_from_schema

def takes(schema, text):
    return bool(re.fullmatch(build_regex_from_schema(json.dumps(schema)), text))

frame = {"type": "integer", "minimum": 1, "maximum": 16}
side = {"type": "number", "minimum": 0, "maximum": 1}
pair = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2, "uniqueItems": True}
seen = {
    "frame -7": takes(frame, "-7"), "side 99": takes(side, "99"), "pair 3, 3": takes(pair, "[3,3]"),
    "three of a pair": takes(pair, "[1,2,3]"), "enum": takes({"enum": [1, 2]}, "3"),
}
print(seen)
assert list(seen.values()) == [True, True, True, False, False]
PY
