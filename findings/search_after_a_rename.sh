#!/usr/bin/env bash
# Guess: `transform`, which makes a table anew with a column renamed or of another type, keeps what hangs on the table:
# indexes, and the triggers that keep its full-text index.
# Seen (sqlite-utils 4.2.1): the index is kept, the triggers are gone, without a word. The search still answers, with
# what was there before; a row that is added is never found, one that is deleted is found for ever.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q sqlite-utils==4.2.1
cd "$folder" && venv/bin/python - <<'PY'
import sqlite_utils

db = sqlite_utils.Database(memory=True)
db["notes"].insert({"id": 1, "text": "red bus"}, pk="id")
db["notes"].enable_fts(["text"], create_triggers=True)
db["notes"].create_index(["text"])
before = [one.name for one in db["notes"].triggers]
db["notes"].transform(types={"text": str}, rename={"id": "key"})
after, kept = [one.name for one in db["notes"].triggers], [one.name for one in db["notes"].indexes]
db["notes"].insert({"key": 2, "text": "blue car"})
found = {word: [row["text"] for row in db["notes"].search(word)] for word in ("red", "blue")}
print(before, after, kept, found)
assert len(before) == 3 and after == [] and kept == ["idx_notes_text"]
assert found == {"red": ["red bus"], "blue": []}
PY
