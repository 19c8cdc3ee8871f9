#!/usr/bin/env bash
# Guess: gradio's Chatbot shows a message as it was written; if it trims, then as one trims a docstring.
# Seen (gradio 6.31.0): as one trims a docstring, and that is the trouble: the first line does not count for the margin,
# so the body of `if x:` loses its indentation and a sub-list becomes a list. Markdown does the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q gradio==6.31.0
cd "$folder" && GRADIO_ANALYTICS_ENABLED=False venv/bin/python - <<'PY'
import gradio

def shown(text):
    message = gradio.Chatbot().postprocess([{"role": "assistant", "content": text}]).root[0]
    return message.content[0].text

for text in ("if x:\n    zoom()", "- places\n  - left", "one\n    two\nthree"):
    print(repr(text), repr(shown(text)), repr(gradio.Markdown().postprocess(text)))
assert shown("if x:\n    zoom()") == gradio.Markdown().postprocess("if x:\n    zoom()") == "if x:\nzoom()"
assert shown("- places\n  - left") == gradio.Markdown().postprocess("- places\n  - left") == "- places\n- left"
assert shown("one\n    two\nthree") == "one\n    two\nthree"
PY
