"""The bundled benchmarks: examples drawn by the embedded reasoner's world, from seeds that its training never saw.

    mini-signs            what is written on a sign that is far too small to be read in the first view
    mini-signs-heldout    the same in fonts, words and on backgrounds that training never showed
    mini-clips            what is written on a sign that shows in a few of 16 frames
    mini-clips-heldout    the same, held out likewise

The idea: a drawn example is the bytes of a media file and a record about it. Evaluation reads these bytes like a person's
file (a picture is a PNG, a clip an encoded MP4), so what is measured is the whole path, losses of the codec included,
and `python -m engine examples` writes exactly what `python -m engine evaluate` draws.

Invariants: the k-th example of (name, seed) is always the same scene and question; seeds 0, 1, 2, ... share no scene;
the evidence of a picture is the whole sign, that of a clip the frames in which the sign shows. The pixels of a clip are
the same on machines with the same FFmpeg.

Not covered: scoring (`engine.evaluation.scoring`), the files on disk (`engine.evaluation.examples`).
"""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import InvalidInput
from engine.evaluation.examples import Posed, pose
from engine.media import DEFAULT_LIMITS, MediaLimits, write_clip
from engine.tiny.clips import draw_clip
from engine.tiny.questions import question_about
from engine.tiny.scenes import draw_scene, seed_for
from engine.trace import Box, Evidence, MediaKind

__all__ = ["BENCHMARKS", "MAX_COUNT", "Benchmark", "Drawn", "benchmark_named", "draw", "pose_drawn"]

MAX_COUNT = 90_000
"""Most examples of one seed."""
_SEED_STRIDE = 100_000
_MAX_SEED = 9_999
_CLIP_FPS = 4
"""16 frames make a clip of 4 s, which a person can follow."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`split` is that of engine.tiny's seeds; `count` is how many examples an evaluation takes by default."""

    name: str
    kind: MediaKind
    split: Literal["test", "heldout"]
    count: int


BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("mini-signs", "image", "test", 500),
    Benchmark("mini-signs-heldout", "image", "heldout", 500),
    Benchmark("mini-clips", "video", "test", 200),
    Benchmark("mini-clips-heldout", "video", "heldout", 200),
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """An example as a file and what is known of it. `name` is unique within its benchmark, `suffix` is .png or .mp4."""

    name: str
    question: str
    answer: str
    evidence: Evidence
    content: bytes
    suffix: str


def benchmark_named(name: str) -> Benchmark | None:
    return next((benchmark for benchmark in BENCHMARKS if benchmark.name == name), None)


def draw(benchmark: Benchmark, count: int | None = None, seed: int = 0) -> Iterator[Drawn]:
    """The first `count` examples (the benchmark's own number by default) of `seed`, one at a time. Raises InvalidInput."""
    count = benchmark.count if count is None else count
    if not 1 <= count <= MAX_COUNT:
        raise InvalidInput(f"{benchmark.name} draws 1 to {MAX_COUNT:,} examples a seed, not {count:,}")
    if not 0 <= seed <= _MAX_SEED:
        raise InvalidInput(f"a seed of {benchmark.name} is a whole number from 0 to {_MAX_SEED:,}, not {seed}")
    return _draw(benchmark, count, seed)


def _draw(benchmark: Benchmark, count: int, seed: int) -> Iterator[Drawn]:
    draw_one = _draw_picture if benchmark.kind == "image" else _draw_video
    found = 0
    # A scene in which no sign found room asks nothing, and is passed over.
    for index in range(_SEED_STRIDE):
        drawn = draw_one(
            f"{benchmark.name}-{seed}-{index:05}",
            seed_for(benchmark.split, seed * _SEED_STRIDE + index),
            benchmark.split,
        )
        if drawn is not None:
            yield drawn
            found += 1
        if found == count:
            return


def _draw_picture(name: str, scene_seed: int, split: str) -> Drawn | None:
    scene = draw_scene(scene_seed, split)
    if not scene.signs:
        return None
    rng = random.Random(f"question {scene_seed}")
    sign = rng.choice(scene.signs)
    width, height = scene.picture.size
    left, top, right, bottom = sign.box
    box = Box(left / width, top / height, right / width, bottom / height)
    content = io.BytesIO()
    scene.picture.save(content, "PNG", compress_level=1)
    question = question_about(sign.color, sign.shape, rng)
    return Drawn(name, question, sign.text, Evidence(boxes=(box,)), content.getvalue(), ".png")


def _draw_video(name: str, scene_seed: int, split: str) -> Drawn | None:
    clip = draw_clip(scene_seed, split)
    if not clip.signs:
        return None
    rng = random.Random(f"question {scene_seed}")
    sign = rng.choice(clip.signs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(clip.frames, path, _CLIP_FPS)
        content = path.read_bytes()
    question = question_about(sign.color, sign.shape, rng)
    return Drawn(name, question, sign.text, Evidence(frames=sign.frames), content, ".mp4")


def pose_drawn(drawn: Drawn, limits: MediaLimits = DEFAULT_LIMITS) -> Posed:
    """The example with its pixels, read from the file's bytes as a person's would be."""
    return pose(drawn.question, [drawn.content], drawn.answer, (), drawn.evidence, limits)
