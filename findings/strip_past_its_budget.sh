#!/usr/bin/env bash
# Guess: smart_resize of transformers and of qwen-vl-utils are one function, and stay within max_pixels.
# Seen (transformers 5.24.0, qwen-vl-utils 0.0.14): a strip of 5600x28 at 64 tokens is 3164x28 for the one, 113 tokens,
# and 3164x0 for the other. One of 1000x10 is 560x28 and 1008x28. Both round half to even: 70x42 is 56x56.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --no-deps transformers==5.24.0 qwen-vl-utils==0.0.14
cd "$folder" && venv/bin/python - <<'PY'
import ast, math, pathlib, site

packages = pathlib.Path(site.getsitepackages()[0])

def smart_resize(path):
    wanted = ("smart_resize", "round_by_factor", "ceil_by_factor", "floor_by_factor")
    nodes = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef) and n.name in wanted]
    for node in nodes:
        node.returns = None
        for argument in node.args.args:
            argument.annotation = None
    space = {"math": math, "MAX_RATIO": 200}
    exec(compile(ast.Module(nodes, []), str(path), "exec"), space)
    return space["smart_resize"]

ours = smart_resize(packages / "transformers/models/qwen2_vl/image_processing_pil_qwen2_vl.py")
theirs = smart_resize(packages / "qwen_vl_utils/vision_process.py")
budget, seen = {"min_pixels": 4 * 784, "max_pixels": 64 * 784}, {}
for size in ((28, 5600), (10, 1000), (42, 70)):
    seen[size] = ours(*size, 28, **budget), theirs(*size, 28, **budget)
print("(height, width): (transformers, qwen-vl-utils)", seen)
assert seen[28, 5600] == ((28, 3164), (0, 3164)) and 28 * 3164 > budget["max_pixels"]
assert seen[10, 1000] == ((28, 560), (28, 1008)) and seen[42, 70] == ((56, 56), (56, 56))
PY
