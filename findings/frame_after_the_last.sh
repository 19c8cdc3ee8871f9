#!/usr/bin/env bash
# Guess: asked for n of a clip's frames, Qwen2-VL's video processor takes n, all of them frames that are there.
# Seen (transformers 5.24.0, torch 2.14.1): for some pairs, as 14 of 17, it takes one more, whose number is the clip's length:
# the step is rounded, and `arange` counts one more. 389 of 11,744 pairs do that (clips below 400 frames, even n to 64).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q torch==2.14.1
"$folder/venv/bin/pip" install -q --no-deps transformers==5.24.0
cd "$folder" && venv/bin/python - <<'PY'
import ast, pathlib, site, types
import torch

path = pathlib.Path(site.getsitepackages()[0]) / "transformers/models/qwen2_vl/video_processing_qwen2_vl.py"
nodes = ast.walk(ast.parse(path.read_text()))
function = next(node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == "sample_frames")
space = {"torch": torch, "VideoMetadata": None}
exec(compile(ast.Module([function], []), "sample_frames", "exec"), space)
processor = types.SimpleNamespace(num_frames=None, fps=None, temporal_patch_size=2, min_frames=4, max_frames=768)

def taken(length, wanted):
    clip = types.SimpleNamespace(total_num_frames=length, fps=None)
    return space["sample_frames"](processor, clip, num_frames=wanted).tolist()

print(taken(16, 14), taken(17, 14))
assert taken(16, 14)[-1] == 14 and len(taken(16, 14)) == 14
assert taken(17, 14)[-1] == 17 and len(taken(17, 14)) == 15
pairs = [(length, wanted) for length in range(2, 400) for wanted in range(2, min(length, 64) + 1, 2)]
past = [pair for pair in pairs if len(taken(*pair)) == pair[1] + 1 and taken(*pair)[-1] == pair[0]]
print(len(past), "of", len(pairs))
assert len(past) == 389
PY
