#!/usr/bin/env bash
# Guess: the key of a sample in a WebDataset tar is the file's name without its extension.
# Seen (webdataset 1.0.2): it ends at the name's first point, so frames named by their time, clip_0.5s.txt and
# clip_0.8s.txt, become one sample with two columns. A point in a folder's name does not count.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q webdataset==1.0.2
cd "$folder" && venv/bin/python - <<'PY'
import io, tarfile
import webdataset

with tarfile.open("frames.tar", "w") as tar:
    for name in ("clip_0.5s.txt", "clip_0.8s.txt", "v1.2/a.txt", "v1.2/b.txt"):
        member = tarfile.TarInfo(name)
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
samples = list(webdataset.WebDataset("frames.tar", shardshuffle=False))
seen = {sample["__key__"]: sorted(key for key in sample if not key.startswith("__")) for sample in samples}
print(seen)
assert seen == {"clip_0": ["5s.txt", "8s.txt"], "v1.2/a": ["txt"], "v1.2/b": ["txt"]}
PY
