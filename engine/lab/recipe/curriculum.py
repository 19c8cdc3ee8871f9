"""The batches of each stage.

Idea: what is dense comes first (tiles of text, scenes with a label in every token), then where things are, with one
or two signs before seven, and last whole traces mixed with their parts. Sizes are such that every batch costs about
the same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial

from engine.lab.recipe import clip_samples, scene_samples, tiles
from engine.lab.recipe.batches import Batch, vision_batch
from engine.lab.recipe.feeding import Maker
from engine.lab.recipe.sequences import Sequence, batch_of
from engine.lab.recipe.turns import Lexicon
from engine.lab.world import clips, scenes

__all__ = ["SMALL", "Sizes", "ground_mix", "joint_mix", "reading_mix", "vision_mix"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much of each kind a batch holds."""

    tiles: int = 40
    tiled_scenes: int = 7
    zoom_scenes: int = 5
    zoom_questions: int = 3
    ground_scenes: int = 14
    ground_questions: int = 6
    read_crops: int = 18
    strips: int = 80
    clips: int = 3
    clip_questions: int = 3
    ground_clips: int = 4
    ground_clip_questions: int = 5
    frames: int = 4
    frame_questions: int = 6


SMALL = Sizes(
    tiles=4,
    tiled_scenes=1,
    zoom_scenes=1,
    zoom_questions=2,
    ground_scenes=1,
    ground_questions=2,
    read_crops=2,
    strips=2,
    clips=1,
    clip_questions=2,
    ground_clips=1,
    ground_clip_questions=2,
    frames=1,
    frame_questions=2,
)
"""For smoke runs: every path, hardly any work."""

Counts = tuple[int, int]


def _scene(rng: random.Random, counts: Counts = (3, 8)) -> scenes.Scene:
    while True:
        scene = scenes.draw_scene(rng.choice(scenes.SEEDS["train"]), "train", counts)
        if scene.signs:
            return scene


def _clip(rng: random.Random, used: int = clips.FRAMES) -> clips.Clip:
    while True:
        clip = clips.draw_clip(rng.choice(scenes.SEEDS["train"]), "train", used)
        if clip.signs:
            return clip


def _make_vision(rng: random.Random, sizes: Sizes = Sizes()) -> Batch:
    """Tiles, whole scenes, and now and then the frames of a clip, or one of them at full size."""
    seen = [tiles.draw_tile(rng) for _ in range(sizes.tiles)]
    seen += [scene_samples.scene_view(_scene(rng, (3, 12))) for _ in range(sizes.tiled_scenes)]
    if rng.random() < 0.5:
        seen += clip_samples.frame_views(_clip(rng))
    else:
        seen.append(scene_samples.scene_view(_clip(rng, 1).scene(1), "selected_frame"))
    return vision_batch(seen)


def _make_ground(rng: random.Random, lexicon: Lexicon, sizes: Sizes, counts: Counts) -> Batch:
    chosen = [_scene(rng, counts) for _ in range(sizes.ground_scenes)]
    return batch_of(
        [scene_samples.ground_trace(rng, lexicon, scene, sizes.ground_questions) for scene in chosen], "ground"
    )


def _make_zoom(rng: random.Random, lexicon: Lexicon, sizes: Sizes) -> Batch:
    return batch_of(
        [scene_samples.zoom_trace(rng, lexicon, _scene(rng), sizes.zoom_questions) for _ in range(sizes.zoom_scenes)],
        "zoom",
    )


def _make_read(rng: random.Random, lexicon: Lexicon, sizes: Sizes) -> Batch:
    traces: list[Sequence] = []
    while len(traces) < sizes.read_crops:
        if rng.random() < 0.3:
            traces += clip_samples.read_traces(rng, lexicon, _clip(rng))
        else:
            traces += scene_samples.read_traces(rng, lexicon, _scene(rng, (8, 14)))
    rng.shuffle(traces)
    return batch_of(traces[: sizes.read_crops], "read")


def _make_strips(rng: random.Random, lexicon: Lexicon, sizes: Sizes) -> Batch:
    return batch_of([scene_samples.strip_trace(rng, lexicon) for _ in range(sizes.strips)], "strips")


def _make_clip_ground(rng: random.Random, lexicon: Lexicon, sizes: Sizes) -> Batch:
    traces = [
        clip_samples.clip_trace(rng, lexicon, _clip(rng), sizes.ground_clip_questions, 0)
        for _ in range(sizes.ground_clips)
    ]
    return batch_of(traces, "clip_ground")


def _make_clip(rng: random.Random, lexicon: Lexicon, sizes: Sizes) -> Batch:
    return batch_of(
        [clip_samples.clip_trace(rng, lexicon, _clip(rng), sizes.clip_questions, 1) for _ in range(sizes.clips)], "clip"
    )


def _make_frame(rng: random.Random, lexicon: Lexicon, sizes: Sizes) -> Batch:
    return batch_of(
        [clip_samples.frame_trace(rng, lexicon, _clip(rng, 1), sizes.frame_questions) for _ in range(sizes.frames)],
        "frame",
    )


def vision_mix(sizes: Sizes) -> tuple[tuple[Maker, float], ...]:
    return ((partial(_make_vision, sizes=sizes), 1.0),)


def ground_mix(lexicon: Lexicon, sizes: Sizes, counts: Counts, clip_share: float) -> tuple[tuple[Maker, float], ...]:
    return (
        (partial(_make_ground, lexicon=lexicon, sizes=sizes, counts=counts), 1 - clip_share),
        (partial(_make_clip_ground, lexicon=lexicon, sizes=sizes), clip_share),
    )


def reading_mix(lexicon: Lexicon, sizes: Sizes) -> tuple[tuple[Maker, float], ...]:
    """Texts that are shown large enough; tiles and strips keep their part to the end: a character is cheapest there."""
    return (
        (partial(_make_vision, sizes=sizes), 0.08),
        (partial(_make_strips, lexicon=lexicon, sizes=sizes), 0.14),
        (partial(_make_read, lexicon=lexicon, sizes=sizes), 0.28),
    )


def joint_mix(lexicon: Lexicon, sizes: Sizes) -> tuple[tuple[Maker, float], ...]:
    """Reading, calls, and whole traces."""
    return (
        *reading_mix(lexicon, sizes),
        (partial(_make_zoom, lexicon=lexicon, sizes=sizes), 0.17),
        (partial(_make_ground, lexicon=lexicon, sizes=sizes, counts=(3, 8)), 0.10),
        (partial(_make_clip, lexicon=lexicon, sizes=sizes), 0.10),
        (partial(_make_clip_ground, lexicon=lexicon, sizes=sizes), 0.09),
        (partial(_make_frame, lexicon=lexicon, sizes=sizes), 0.04),
    )
