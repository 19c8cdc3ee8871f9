#!/usr/bin/env bash
# Guess: container.streams.video[0] of an animated AVIF with transparency is the animation.
# Seen (PyAV 18.1.0, FFmpeg 8.1): four video streams; the first two are the still picture and its alpha (1 frame each), the
# animation is the third and its alpha, a grey video, the fourth. Decoding the first gives one opaque frame.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q pillow==11.3.0 av==18.1.0 numpy==2.3.5
cd "$folder" && venv/bin/python - <<'PY'
import av
from PIL import Image

pages = [Image.new("RGBA", (32, 24), colour) for colour in ("#ff000080", "#00ff0080", "#0000ff80")]
pages[0].save("moving.avif", save_all=True, append_images=pages[1:], duration=[100, 200, 300])
assert Image.open("moving.avif").n_frames == 3
with av.open("moving.avif") as container:
    streams = [(stream.codec_context.pix_fmt, stream.frames) for stream in container.streams.video]
with av.open("moving.avif") as container:
    first = [frame.format.name for frame in container.decode(video=0)]
print("streams", streams, "| frames of the first", first)
assert [frames for _, frames in streams] == [1, 1, 3, 3] and len(first) == 1
PY
