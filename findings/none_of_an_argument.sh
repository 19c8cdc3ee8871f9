#!/usr/bin/env bash
# Guess: an argument that is null or true in a call is null or true in the prompt, in every Qwen.
# Seen (templates as trl 1.16.0 ships them): Qwen3-VL's writes JSON; Qwen3.5's writes what is no list or dict as Python
# does, None and True, so a null that Arrow put in for a missing argument becomes the word "None".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q jinja2==3.1.6
"$folder/venv/bin/pip" install -q --no-deps trl==1.16.0
cd "$folder" && venv/bin/python - <<'PY'
import json, pathlib, site
from jinja2.sandbox import ImmutableSandboxedEnvironment

folder = pathlib.Path(site.getsitepackages()[0]) / "trl/chat_templates"
arguments = {"bbox_2d": [None, True], "label": None, "wide": True}
call = {"type": "function", "function": {"name": "zoom_in", "arguments": arguments}}
messages = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "I look.", "tool_calls": [call]}]

def render(name):
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.from_string((folder / name).read_text()).render(messages=messages)

seen = {name: render(name + ".jinja").split("I look.")[1] for name in ("qwen3_vl", "qwen3_5_think")}
print(seen)
assert '"label": null, "wide": true' in seen["qwen3_vl"]
assert "<parameter=label>\nNone\n" in seen["qwen3_5_think"] and "<parameter=wide>\nTrue\n" in seen["qwen3_5_think"]
assert "[null, true]" in seen["qwen3_5_think"]
PY
