#!/usr/bin/env bash
# Guess: a chat template rendered by Jinja itself is the prompt that transformers renders.
# Seen (Jinja2 3.1.6, transformers 5.24.0, Qwen3-VL's template of trl 1.16.0): transformers has its own `tojson`.
# Jinja's sorts the keys of tools and arguments and writes < and ' as \u003c and \u0027, so the same tools are other
# tokens.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q jinja2==3.1.6
"$folder/venv/bin/pip" install -q --no-deps transformers==5.24.0 trl==1.16.0
cd "$folder" && venv/bin/python - <<'PY'
import ast, json, pathlib, site
from jinja2.sandbox import ImmutableSandboxedEnvironment

packages = pathlib.Path(site.getsitepackages()[0])
source = ast.parse((packages / "transformers/utils/chat_template_utils.py").read_text())
node = next(n for n in ast.walk(source) if isinstance(n, ast.FunctionDef) and n.name == "tojson")
space = {"json": json}
exec(compile(ast.Module([node], []), "tojson", "exec"), space)
tools = [{"type": "function", "function": {"name": "zoom_in", "description": "x1 < x2, don't swap"}}]

def render(**filters):
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(filters)
    template = environment.from_string((packages / "trl/chat_templates/qwen3_vl.jinja").read_text())
    text = template.render(messages=[{"role": "user", "content": "Q"}], tools=tools)
    return text.split("<tools>\n")[1].split("\n</tools>")[0]

plain, theirs = render(), render(tojson=space["tojson"])
print(plain, "|", theirs)
assert theirs == json.dumps(tools[0]) != plain and json.loads(plain) == json.loads(theirs)
assert plain.startswith('{"function": {"description": "x1 \\u003c x2, don\\u0027t swap"')
PY
