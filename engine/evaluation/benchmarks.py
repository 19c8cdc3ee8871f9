"""The bundled benchmarks: examples drawn from seeds that the embedded reasoner's training never saw.

    mini-signs            what is written on a sign that is far too small to be read in the first view
    mini-signs-heldout    the same in fonts, words and on backgrounds that training never showed
    mini-clips            what is written on a sign that shows in a few of 16 frames
    mini-clips-heldout    the same, held out likewise
    mini-vstar, mini-tally, mini-info, mini-mv      the paper's four in miniature (`engine.lab.world.miniature`)

The idea: a drawn example is the bytes of a media file and a record about it. Evaluation reads these bytes like a person's
file (a picture is a PNG, a clip an encoded MP4), so what is measured is the whole path, losses of the codec included,
and `python -m engine examples` writes exactly what `python -m engine evaluate` draws.

Invariants: the k-th example of (name, split, seed) is always the same scene and question; seeds 0, 1, 2, ... share no scene,
nor do splits; the evidence of a picture is the whole sign (or what holds the answer), that of a clip the frames in which
it shows. The pixels of a clip are the same on machines with the same FFmpeg.

Not covered: scoring (`engine.evaluation.scoring`), the files on disk (`engine.evaluation.examples`).
"""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from engine.errors import InvalidInput
from engine.evaluation.examples import Posed, pose
from engine.evaluation.scoring import Rule
from engine.lab.world.clips import draw_clip
from engine.lab.world.miniature import info, mv, tally, vstar
from engine.lab.world.miniature.drawing import Difficulty
from engine.lab.world.questions import question_about
from engine.lab.world.scenes import draw_scene, seed_for
from engine.media import DEFAULT_LIMITS, MediaLimits, write_clip
from engine.trace import Box, Evidence, MediaKind

__all__ = ["BENCHMARKS", "MAX_COUNT", "Benchmark", "BenchmarkSplit", "Drawn", "benchmark_named", "draw", "pose_drawn"]

MAX_COUNT = 90_000
"""Most examples of one seed."""
_SEED_STRIDE = 100_000
_MAX_SEED = 9_999
_CLIP_FPS = 4
"""16 frames make a clip of 4 s, which a person can follow."""


BenchmarkSplit = Literal["train", "validation", "test", "heldout"]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """`split` is what is drawn by default and `splits` what can be (ranges of engine.lab.world's seeds); `count` is how many
    examples an evaluation takes by default, `rule` how they are scored (None: by letter with options, as text without)."""

    name: str
    kind: MediaKind
    split: BenchmarkSplit
    count: int
    splits: tuple[BenchmarkSplit, ...]
    rule: Rule | None = None


_ALL: tuple[BenchmarkSplit, ...] = ("train", "validation", "test")
BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("mini-signs", "image", "test", 500, ("test",)),
    Benchmark("mini-signs-heldout", "image", "heldout", 500, ("heldout",)),
    Benchmark("mini-clips", "video", "test", 200, ("test",)),
    Benchmark("mini-clips-heldout", "video", "heldout", 200, ("heldout",)),
    Benchmark("mini-vstar", "image", "test", 500, _ALL, "letter"),
    Benchmark("mini-tally", "image", "test", 500, _ALL, "number"),
    Benchmark("mini-info", "image", "test", 500, _ALL, "anls"),
    Benchmark("mini-mv", "video", "test", 500, _ALL, "letter"),
)
_MINIATURES = {"mini-vstar": vstar.draw, "mini-tally": tally.draw, "mini-info": info.draw, "mini-mv": mv.draw}
_JPEG_QUALITY = 93
"""Scenes of megapixels are stored as the real benchmarks store theirs; colours at full resolution."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """An example as a file and what is known of it. `name` is unique within its benchmark, `suffix` is .png, .jpg or .mp4;
    `answer` is a letter where there are `options`; `rule`, `category` and `difficulty` as in `Posed`."""

    name: str
    question: str
    answer: str
    evidence: Evidence
    content: bytes
    suffix: str
    options: tuple[str, ...] = ()
    rule: Rule | None = None
    category: str | None = None
    difficulty: Difficulty | None = None


def benchmark_named(name: str) -> Benchmark | None:
    return next((benchmark for benchmark in BENCHMARKS if benchmark.name == name), None)


def draw(
    benchmark: Benchmark, count: int | None = None, seed: int = 0, split: BenchmarkSplit | None = None
) -> Iterator[Drawn]:
    """The first `count` examples (the benchmark's own number by default) of `seed` in `split` (the benchmark's own by
    default), one at a time. Raises InvalidInput."""
    count = benchmark.count if count is None else count
    split = benchmark.split if split is None else split
    if not 1 <= count <= MAX_COUNT:
        raise InvalidInput(f"{benchmark.name} draws 1 to {MAX_COUNT:,} examples a seed, not {count:,}")
    if not 0 <= seed <= _MAX_SEED:
        raise InvalidInput(f"a seed of {benchmark.name} is a whole number from 0 to {_MAX_SEED:,}, not {seed}")
    if split not in benchmark.splits:
        raise InvalidInput(f"{benchmark.name} has no split {split!r}; choose one of {', '.join(benchmark.splits)}")
    return _draw(benchmark, count, seed, split)


def _draw(benchmark: Benchmark, count: int, seed: int, split: BenchmarkSplit) -> Iterator[Drawn]:
    label = benchmark.name if split == benchmark.split else f"{benchmark.name}-{split}"
    found = 0
    # A scene in which no sign found room asks nothing, and is passed over.
    for index in range(_SEED_STRIDE):
        name, scene_seed = f"{label}-{seed}-{index:05}", seed_for(split, seed * _SEED_STRIDE + index)
        drawn = _draw_one(benchmark, name, scene_seed, split)
        if drawn is not None:
            yield drawn
            found += 1
        if found == count:
            return


def _draw_one(benchmark: Benchmark, name: str, scene_seed: int, split: BenchmarkSplit) -> Drawn | None:
    if benchmark.name in _MINIATURES:
        return _draw_miniature(benchmark, name, scene_seed, split)
    return (_draw_picture if benchmark.kind == "image" else _draw_video)(name, scene_seed, split)


def _draw_miniature(benchmark: Benchmark, name: str, scene_seed: int, split: BenchmarkSplit) -> Drawn | None:
    assert split != "heldout"  # `draw` has seen to it
    drawing = _MINIATURES[benchmark.name](scene_seed, split)
    if drawing is None:
        return None
    if benchmark.kind == "image":
        buffer = io.BytesIO()
        drawing.frames[0].save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        content, suffix = buffer.getvalue(), ".jpg"
    else:
        content, suffix = _clip_bytes(drawing.frames), ".mp4"
    return Drawn(
        name,
        drawing.question,
        drawing.answer,
        drawing.evidence,
        content,
        suffix,
        drawing.options,
        benchmark.rule,
        drawing.category,
        drawing.difficulty,
    )


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
    question = question_about(sign.color, sign.shape, rng)
    return Drawn(name, question, sign.text, Evidence(frames=sign.frames), _clip_bytes(clip.frames), ".mp4")


def _clip_bytes(frames: Sequence[Image.Image]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(frames, path, _CLIP_FPS)
        return path.read_bytes()


def pose_drawn(drawn: Drawn, limits: MediaLimits = DEFAULT_LIMITS) -> Posed:
    """The example with its pixels, read from the file's bytes as a person's would be."""
    return pose(
        drawn.question,
        [drawn.content],
        drawn.answer,
        drawn.options,
        drawn.evidence,
        limits,
        rule=drawn.rule,
        category=drawn.category,
        difficulty=drawn.difficulty,
    )
