"""Writing a clip: pictures to an H.264 MP4 that every browser plays, through moviepy's FFmpeg writer.

moviepy's `ImageSequenceClip` picks frames by floating-point time and may repeat one; its writer underneath takes frame
after frame, so that frame k shows at exactly k / fps.

Not covered: sound, other codecs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["write_clip"]

_CONSTANT_RATE_FACTOR = 10
"""x264's quality: 0 is lossless, 18 looks lossless; 10 keeps small text readable when a crop is enlarged."""


def write_clip(frames: Sequence[Image.Image], path: Path | str, fps: float) -> None:
    """Writes frames of one size as an MP4 (H.264, yuv420p). An odd width or height gains a copy of its last column or
    row, because yuv420p needs even sizes. Raises ValueError on no frames, several sizes or an impossible rate, and
    OSError where FFmpeg fails; the path is written whole or not at all."""
    # Imported here: moviepy is needed to make clips, not to look at them.
    from moviepy.video.io.ffmpeg_writer import FFMPEG_VideoWriter

    if not frames or len({frame.size for frame in frames}) != 1:
        raise ValueError(f"frames of one size are needed, not {sorted({frame.size for frame in frames})}")
    if not 0.01 <= fps <= 1000 or round(fps, 2) != fps:
        raise ValueError(f"a rate of 0.01 to 1000 frames a second with at most two decimals is needed, not {fps}")
    target = Path(path)
    partial = target.with_name(f".{target.stem}.{os.getpid()}.partial.mp4")
    width, height = frames[0].size
    even_size = (width + width % 2, height + height % 2)
    options = ["-crf", str(_CONSTANT_RATE_FACTOR), "-movflags", "+faststart", "-g", "16"]
    try:
        with FFMPEG_VideoWriter(str(partial), even_size, fps, threads=1, ffmpeg_params=options) as writer:
            process = writer.proc  # closing forgets it
            for frame in frames:
                writer.write_frame(_even(np.asarray(frame.convert("RGB"))))
        if process.returncode:
            raise OSError(f"FFmpeg failed to write {target} (exit status {process.returncode})")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _even(pixels: np.ndarray) -> np.ndarray:
    return np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)), mode="edge")
