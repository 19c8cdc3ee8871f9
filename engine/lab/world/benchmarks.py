"""The drawn world as benchmarks: examples from seeds that the embedded reasoner's training never saw.

    mini-signs            what is written on a sign that is far too small to be read in the first view
    mini-signs-heldout    the same in fonts, words and on backgrounds that training never showed
    mini-clips            what is written on a sign that shows in a few of 16 frames
    mini-clips-heldout    the same, held out likewise
    mini-plates           what a number plate says, of which the embedded reasoner was taught nothing (`.plates`)
    mini-vstar, mini-tally, mini-info, mini-mv      the paper's four in miniature (`engine.lab.world.miniature`)

Invariants: the evidence of a picture is the whole sign (or what holds the answer), that of a clip the frames in which it
shows. The pixels of a clip are the same on machines with the same FFmpeg.
"""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from engine.evaluation.benchmarks import Benchmark, BenchmarkSplit
from engine.evaluation.examples import Unposed
from engine.lab.world.clips import draw_clip
from engine.lab.world.miniature import info, mv, tally, vstar
from engine.lab.world.miniature.drawing import Drawing
from engine.lab.world.miniature.surroundings import Split
from engine.lab.world.plates import draw_plate_scene
from engine.lab.world.questions import question_about
from engine.lab.world.scenes import draw_scene, seed_for
from engine.media import write_clip
from engine.trace import Box, Evidence, Example, Rule

__all__ = ["BENCHMARKS"]

_CLIP_FPS = 4
"""16 frames make a clip of 4 s, which a person can follow."""
_JPEG_QUALITY = 93
"""Scenes of megapixels are stored as the real benchmarks store theirs; colours at full resolution."""


def _sign(name: str, index: int, split: BenchmarkSplit) -> Unposed | None:
    scene_seed = seed_for(split, index)
    scene = draw_scene(scene_seed, split)
    if not scene.signs:
        return None
    rng = random.Random(f"question {scene_seed}")
    sign = rng.choice(scene.signs)
    return _read_in(scene.picture, sign.box, sign.text, question_about(sign.color, sign.shape, rng), name)


def _plate(name: str, index: int, split: BenchmarkSplit) -> Unposed | None:
    scene = draw_plate_scene(seed_for(split, index), split)
    return None if scene is None else _read_in(scene.picture, scene.box, scene.text, scene.question, name)


def _read_in(picture: Image.Image, pixels: tuple[int, int, int, int], text: str, question: str, name: str) -> Unposed:
    """What stands in a box of the picture."""
    (width, height), (left, top, right, bottom) = picture.size, pixels
    box = Box(left / width, top / height, right / width, bottom / height)
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=1)
    example = Example(question, (), text, evidence=Evidence(boxes=(box,)))
    return Unposed(name, example, (content.getvalue(),))


def _sign_in_a_clip(name: str, index: int, split: BenchmarkSplit) -> Unposed | None:
    scene_seed = seed_for(split, index)
    clip = draw_clip(scene_seed, split)
    if not clip.signs:
        return None
    rng = random.Random(f"question {scene_seed}")
    sign = rng.choice(clip.signs)
    question = question_about(sign.color, sign.shape, rng)
    example = Example(question, (), sign.text, evidence=Evidence(frames=sign.frames))
    return Unposed(name, example, (_clip_bytes(clip.frames),))


def _mini(
    name: str,
    index: int,
    split: BenchmarkSplit,
    *,
    paint: Callable[[int, Split], Drawing | None],
    rule: Rule,
    is_clip: bool = False,
) -> Unposed | None:
    assert split != "heldout"  # no miniature benchmark has that split
    drawing = paint(seed_for(split, index), split)
    if drawing is None:
        return None
    content = _clip_bytes(drawing.frames) if is_clip else _jpeg_bytes(drawing.frames[0])
    example = Example(
        drawing.question,
        (),
        drawing.answer,
        drawing.options,
        drawing.evidence,
        rule=rule,
        category=drawing.category,
        difficulty=drawing.difficulty,
    )
    return Unposed(name, example, (content,))


def _jpeg_bytes(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _clip_bytes(frames: Sequence[Image.Image]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(frames, path, _CLIP_FPS)
        return path.read_bytes()


_ALL: tuple[BenchmarkSplit, ...] = ("train", "validation", "test")
BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark("mini-signs", "Small signs", "image", "test", 500, ("validation", "test"), _sign),
    Benchmark("mini-signs-heldout", "Signs unlike the learned", "image", "heldout", 500, ("heldout",), _sign),
    Benchmark("mini-clips", "Signs in clips", "video", "test", 200, ("test",), _sign_in_a_clip),
    Benchmark("mini-clips-heldout", "Clips unlike the learned", "video", "heldout", 200, ("heldout",), _sign_in_a_clip),
    Benchmark("mini-plates", "Number plates", "image", "test", 200, _ALL, _plate),
    Benchmark(
        "mini-vstar", "Small objects", "image", "test", 500, _ALL, partial(_mini, paint=vstar.draw, rule="letter")
    ),
    Benchmark("mini-tally", "Counting", "image", "test", 500, _ALL, partial(_mini, paint=tally.draw, rule="number")),
    Benchmark("mini-info", "Posters", "image", "test", 500, _ALL, partial(_mini, paint=info.draw, rule="anls")),
    Benchmark(
        "mini-mv", "Events", "video", "test", 500, _ALL, partial(_mini, paint=mv.draw, rule="letter", is_clip=True)
    ),
)
