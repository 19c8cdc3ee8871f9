#!/usr/bin/env bash
# Guess: a picture inside a chat message is refused by a data set, or comes back as a picture as a list of pictures
# does.
# Seen (datasets 5.2.0): it goes in, and comes back as a dictionary of PNG bytes: the column's feature is a plain
# struct, and the text parts beside it have an "image" of None.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q datasets==5.2.0 pyarrow==26.0.1 pillow==11.3.0
cd "$folder" && venv/bin/python - <<'PY'
import datasets
from PIL import Image

red = Image.new("RGB", (4, 4), "red")
content = [{"type": "image", "image": red}, {"type": "text", "text": "What colour?"}]
chat = datasets.Dataset.from_list([{"messages": [{"role": "user", "content": content}], "images": [red]}])
picture, text = chat[0]["messages"][0]["content"]
print(chat.features["images"], type(chat[0]["images"][0]).__name__)
print(chat.features["messages"], type(picture["image"]).__name__, text)
assert isinstance(chat[0]["images"][0], Image.Image)
assert sorted(picture["image"]) == ["bytes", "path"] and picture["image"]["bytes"].startswith(b"\x89PNG")
assert text == {"type": "text", "image": None, "text": "What colour?"}
PY
