"""The batches of each stage.

Idea: what is dense comes first (tiles of text, scenes with a label in every token), then where things are, with one or two signs
before seven, and last whole traces mixed with their parts. Sizes are such that every batch costs about the same.
"""

from __future__ import annotations

import random
from functools import partial

from engine.tiny import clips, samples, scenes, tiles
from engine.tiny.batches import Batch, vision_batch
from engine.tiny.feeding import Maker
from engine.tiny.samples import Lexicon
from engine.tiny.sequences import batch_of

TILES, TILED_SCENES = 48, 5
ZOOM_SCENES, ZOOM_QUESTIONS = 5, 3
GROUND_SCENES, GROUND_QUESTIONS = 14, 6
READ_CROPS = 22
CLIPS, CLIP_QUESTIONS = 3, 3
GROUND_CLIPS, GROUND_CLIP_QUESTIONS = 5, 5
FRAMES = 5

Counts = tuple[int, int]


def _scene(rng: random.Random, counts: Counts = (3, 8)) -> scenes.Scene:
    while True:
        scene = scenes.draw_scene(rng.choice(scenes.SEEDS["train"]), "train", counts)
        if scene.signs:
            return scene


def _clip(rng: random.Random) -> clips.Clip:
    while True:
        clip = clips.draw_clip(rng.choice(scenes.SEEDS["train"]), "train")
        if clip.signs:
            return clip


def make_vision(rng: random.Random) -> Batch:
    """Tiles, whole scenes, and now and then the frames of a clip."""
    seen = [tiles.draw_tile(rng) for _ in range(TILES)]
    seen += [samples.scene_view(_scene(rng, (3, 12))) for _ in range(TILED_SCENES)]
    if rng.random() < 0.35:
        seen += samples.frame_views(_clip(rng))
    return vision_batch(seen)


def make_ground(rng: random.Random, lexicon: Lexicon, counts: Counts) -> Batch:
    chosen = [_scene(rng, counts) for _ in range(GROUND_SCENES)]
    return batch_of([samples.ground_trace(rng, lexicon, scene, GROUND_QUESTIONS) for scene in chosen], "ground")


def make_zoom(rng: random.Random, lexicon: Lexicon) -> Batch:
    return batch_of([samples.zoom_trace(rng, lexicon, _scene(rng), ZOOM_QUESTIONS) for _ in range(ZOOM_SCENES)], "zoom")


def make_read(rng: random.Random, lexicon: Lexicon) -> Batch:
    traces = []
    while len(traces) < READ_CROPS:
        traces += samples.read_traces(rng, lexicon, _scene(rng, (8, 14)))
    return batch_of(traces[:READ_CROPS], "read")


def make_clip_ground(rng: random.Random, lexicon: Lexicon) -> Batch:
    traces = [samples.clip_trace(rng, lexicon, _clip(rng), GROUND_CLIP_QUESTIONS, 0) for _ in range(GROUND_CLIPS)]
    return batch_of(traces, "clip_ground")


def make_clip(rng: random.Random, lexicon: Lexicon) -> Batch:
    return batch_of([samples.clip_trace(rng, lexicon, _clip(rng), CLIP_QUESTIONS, 1) for _ in range(CLIPS)], "clip")


def make_frame(rng: random.Random, lexicon: Lexicon) -> Batch:
    return batch_of([samples.frame_trace(rng, lexicon, _clip(rng)) for _ in range(FRAMES)], "frame")


def vision_mix() -> tuple[tuple[Maker, float], ...]:
    return ((make_vision, 1.0),)


def ground_mix(lexicon: Lexicon, counts: Counts, clip_share: float) -> tuple[tuple[Maker, float], ...]:
    ground = partial(make_ground, lexicon=lexicon, counts=counts)
    return ((ground, 1 - clip_share), (partial(make_clip_ground, lexicon=lexicon), clip_share))


def joint_mix(lexicon: Lexicon) -> tuple[tuple[Maker, float], ...]:
    return (
        (partial(make_zoom, lexicon=lexicon), 0.28),
        (partial(make_read, lexicon=lexicon), 0.32),
        (partial(make_ground, lexicon=lexicon, counts=(3, 8)), 0.08),
        (partial(make_clip, lexicon=lexicon), 0.14),
        (partial(make_clip_ground, lexicon=lexicon), 0.04),
        (partial(make_frame, lexicon=lexicon), 0.07),
        (make_vision, 0.07),
    )
