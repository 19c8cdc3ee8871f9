#!/usr/bin/env bash
# Guess: Qwen2.5-VL's chat template writes tools and calls as Qwen2.5's does: the language model is the same.
# Seen (templates as trl 1.16.0 ships them): it drops both without a word. With tools the prompt is the same as without,
# a turn that only calls is empty, and a tool's result is a turn of "tool", a role that Qwen2.5 writes as the user's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q jinja2==3.1.6
"$folder/venv/bin/pip" install -q --no-deps trl==1.16.0
cd "$folder" && venv/bin/python - <<'PY'
import pathlib, site
from jinja2.sandbox import ImmutableSandboxedEnvironment

folder = pathlib.Path(site.getsitepackages()[0]) / "trl/chat_templates"
call = {"type": "function", "function": {"name": "zoom_in", "arguments": {"bbox_2d": [1, 2, 3, 4]}}}
tools = [{"type": "function", "function": {"name": "zoom_in", "parameters": {}}}]
messages = [
    {"role": "user", "content": "Q"}, {"role": "assistant", "content": "", "tool_calls": [call]},
    {"role": "tool", "name": "zoom_in", "content": "ok"},
]

def render(name, tools):
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((folder / name).read_text()).render(messages=messages, tools=tools)

with_tools, text = render("qwen2_5_vl.jinja", tools), render("qwen2_5.jinja", tools)
print(repr(with_tools))
assert with_tools == render("qwen2_5_vl.jinja", None) and "zoom_in" not in with_tools
assert "<|im_start|>assistant\n<|im_end|>" in with_tools and "<|im_start|>tool\nok" in with_tools
assert text.count("zoom_in") == 2 and "<|im_start|>tool" not in text
PY
