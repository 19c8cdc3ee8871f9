#!/usr/bin/env bash
# Guess: a WebM written as yuva420p is decoded as yuva420p, and a clip in a file says how many frames it has.
# Seen (PyAV 18.1.0, FFmpeg 8.1): the decoder that is chosen, "vp9", gives yuv420p and drops the alpha although the file
# says alpha_mode 1; only "libvpx-vp9", asked for by name, gives it. The stream's frames is 0 and its duration None.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 numpy==2.3.5
cd "$folder" && venv/bin/python - <<'PY'
import av
import numpy as np

clear = np.full((64, 64, 4), (255, 0, 0, 0), np.uint8)
with av.open("clear.webm", "w") as container:
    stream = container.add_stream("libvpx-vp9", rate=10)
    stream.width, stream.height, stream.pix_fmt = 64, 64, "yuva420p"
    for number in range(3):
        frame = av.VideoFrame.from_ndarray(clear, format="rgba").reformat(format="yuva420p")
        frame.pts = number
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
with av.open("clear.webm") as container:
    stream = container.streams.video[0]
    said = {key.lower(): value for key, value in stream.metadata.items()}["alpha_mode"], stream.frames, stream.duration
    chosen = stream.codec_context.name, {frame.format.name for frame in container.decode(stream)}
with av.open("clear.webm") as container:
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    named = [frame for packet in container.demux(video=0) for frame in decoder.decode(packet)]
print("alpha_mode, frames, duration:", said, "| chosen:", chosen, "| by name:", {frame.format.name for frame in named})
assert said == ("1", 0, None) and chosen == ("vp9", {"yuv420p"})
assert {frame.format.name for frame in named} == {"yuva420p"}
assert int(named[0].to_ndarray(format="rgba")[..., 3].max()) == 0
PY
