#!/usr/bin/env bash
# Guess: once a row is deleted and the file is vacuumed, no byte of the row is left in the file; full-text tables too.
# Seen (SQLite 3.54.1 by apsw 3.54.1.0): the words of a row deleted from an FTS5 table stay in its index through VACUUM,
# though secure_delete is on: a deletion is an entry in a newer segment, and the older one is kept until both are merged.
# After 'optimize' they are gone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q apsw==3.54.1.0
cd "$folder" && venv/bin/python - <<'PY'
from pathlib import Path

import apsw

connection = apsw.Connection("notes.db")
connection.execute("PRAGMA secure_delete = ON")
connection.execute("CREATE VIRTUAL TABLE notes USING fts5 (text)")
connection.execute("INSERT INTO notes (rowid, text) VALUES (1, 'zyxwomarque'), (2, 'plain words')")
connection.execute("DELETE FROM notes WHERE rowid = 1")
left = []
for step in ("VACUUM", "INSERT INTO notes (notes) VALUES ('optimize')", "VACUUM"):
    connection.execute(step)
    left.append(b"zyxwomarque" in Path("notes.db").read_bytes())
    print(step, "-> in the file:", left[-1])
print(apsw.sqlite_lib_version())
assert left == [True, False, False]
PY
