"""The batches of the stage `world`: the four miniature benchmarks beside signs and clips.

Idea: as in `curriculum`: what is dense and cheap (tiles of small things, crops alone, calls alone) carries most of the
learning, whole traces tie it together. Kinds of batches, as the curves name them:

    w_tiles   tiles of objects and marks, and first views and crops: the tower's heads alone
    w_view    first views: easy questions answered at once, calls or guesses for the hard ones
    w_crop    crops alone and what is asked of them
    w_trace   first view, call, crop, answer
    w_clip    first views of clips: easy questions answered at once, frames to select or guesses for the hard ones
    w_frame   selected frames alone and what is asked of them
    w_piece   parts of selected frames, at their scale, and what is asked of them: cheap, and so many
    w_select  first views of a clip, selection, frames, answer

Invariant: seeds are of the training split. Sizes are such that every batch costs about the same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from types import ModuleType

from engine.lab.recipe import (
    curriculum,
    world_clips,
    world_pictures,
    world_poses,
    world_thoughts,
    world_tiles,
    world_views,
)
from engine.lab.recipe.batches import Batch, vision_batch
from engine.lab.recipe.curriculum import Sizes
from engine.lab.recipe.feeding import Maker
from engine.lab.recipe.sequences import Sequence, batch_of
from engine.lab.recipe.turns import Lexicon
from engine.lab.recipe.world_poses import Pose
from engine.lab.recipe.world_thoughts import GUESSED_SHARE
from engine.lab.world import scenes
from engine.lab.world.miniature import info, mv, tally, vstar
from engine.lab.world.miniature.drawing import Drawing

__all__ = ["SMALL", "WorldSizes", "miniature_mix", "sight_mix", "world_mix"]

ROOMS: tuple[tuple[ModuleType, float], ...] = ((vstar, 0.3), (tally, 0.44), (info, 0.26))
OLD_SHARE = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSizes:
    """How much of each kind a batch holds."""

    tiles: int = 50
    tiled_pictures: int = 4
    view_pictures: int = 9
    view_questions: int = 7
    crops: int = 14
    crop_questions: int = 3
    trace_pictures: int = 5
    trace_questions: int = 2
    clips: int = 5
    clip_questions: int = 5
    frames: int = 3
    frame_questions: int = 4
    pieces: int = 10
    piece_questions: int = 3
    selections: int = 2
    selection_questions: int = 3


SMALL = WorldSizes(
    tiles=3,
    tiled_pictures=1,
    view_pictures=1,
    view_questions=2,
    crops=2,
    crop_questions=2,
    trace_pictures=1,
    trace_questions=1,
    clips=1,
    clip_questions=2,
    frames=1,
    frame_questions=2,
    pieces=1,
    piece_questions=1,
    selections=1,
    selection_questions=1,
)
"""For smoke runs: every path, hardly any work."""


def _draw_from(rng: random.Random, room: ModuleType) -> Drawing:
    while True:
        drawing: Drawing | None = room.draw(rng.choice(scenes.SEEDS["train"]), "train")
        if drawing is not None:
            return drawing


def _picture(rng: random.Random) -> Drawing:
    return _draw_from(rng, rng.choices([room for room, _ in ROOMS], [share for _, share in ROOMS])[0])


def _crop_poses(rng: random.Random, drawing: Drawing, count: int) -> list[list[Pose]]:
    """What can be asked of the crops of a picture, crop by crop."""
    by_box: dict[tuple[int, ...], list[Pose]] = {}
    for pose in world_poses.further_poses(rng, drawing, 99):
        by_box.setdefault(pose.box, []).append(pose)
    groups = [group[:count] for group in by_box.values()]
    rng.shuffle(groups)
    # A table's row is found by its label first: the longest way to an answer there is.
    return sorted(groups, key=lambda group: group[0].form != "table")


def _frame_poses(rng: random.Random, drawing: Drawing, count: int) -> list[Pose]:
    """Questions that share the frames to select: as many as there are."""
    by_frames: dict[tuple[int, ...], list[Pose]] = {}
    for pose in world_poses.further_poses(rng, drawing, 99):
        by_frames.setdefault(pose.frames, []).append(pose)
    return max(by_frames.values(), key=len)[:count]


def _make_tiles(rng: random.Random, sizes: WorldSizes) -> Batch:
    seen = [world_tiles.draw_tile(rng) for _ in range(sizes.tiles)]
    for _ in range(sizes.tiled_pictures):
        drawing = _picture(rng)
        seen.append(world_views.whole(drawing).view)
        for group in _crop_poses(rng, drawing, 1)[:2]:
            seen.append(world_views.crop(drawing, world_thoughts.shown_box(drawing, group[0].box)).view)
    return vision_batch(seen, "w_tiles")


def _make_view(rng: random.Random, lexicon: Lexicon, sizes: WorldSizes, guessed_share: float = GUESSED_SHARE) -> Batch:
    traces = []
    for _ in range(sizes.view_pictures):
        drawing = _picture(rng)
        poses = world_poses.further_poses(rng, drawing, sizes.view_questions)
        traces.append(world_pictures.picture_trace(rng, lexicon, drawing, poses, False, guessed_share))
    return batch_of(traces, "w_view")


def _make_trace(rng: random.Random, lexicon: Lexicon, sizes: WorldSizes) -> Batch:
    traces = []
    for _ in range(sizes.trace_pictures):
        drawing = _picture(rng)
        poses = world_poses.further_poses(rng, drawing, sizes.trace_questions)
        traces.append(world_pictures.picture_trace(rng, lexicon, drawing, poses))
    return batch_of(traces, "w_trace")


def _make_crop(rng: random.Random, lexicon: Lexicon, sizes: WorldSizes) -> Batch:
    traces: list[Sequence] = []
    while len(traces) < sizes.crops:
        drawing = _picture(rng)
        for group in _crop_poses(rng, drawing, sizes.crop_questions)[:3]:
            traces.append(world_pictures.crop_trace(rng, lexicon, drawing, group))
    return batch_of(traces[: sizes.crops], "w_crop")


def _make_clip(rng: random.Random, lexicon: Lexicon, sizes: WorldSizes, guessed_share: float = GUESSED_SHARE) -> Batch:
    traces = []
    for _ in range(sizes.clips):
        drawing = _draw_from(rng, mv)
        poses = world_poses.further_poses(rng, drawing, sizes.clip_questions)
        traces.append(world_clips.clip_trace(rng, lexicon, drawing, poses, 0, guessed_share))
    return batch_of(traces, "w_clip")


def _make_select(rng: random.Random, lexicon: Lexicon, sizes: WorldSizes) -> Batch:
    traces = []
    for _ in range(sizes.selections):
        drawing = _draw_from(rng, mv)
        poses = world_poses.further_poses(rng, drawing, sizes.selection_questions)
        traces.append(world_clips.clip_trace(rng, lexicon, drawing, poses, 1))
    return batch_of(traces, "w_select")


def _make_frame(rng: random.Random, lexicon: Lexicon, sizes: WorldSizes) -> Batch:
    traces = []
    for _ in range(sizes.frames):
        drawing = _draw_from(rng, mv)
        poses = _frame_poses(rng, drawing, sizes.frame_questions)
        traces.append(world_clips.frame_trace(rng, lexicon, drawing, poses))
    return batch_of(traces, "w_frame")


def _make_piece(rng: random.Random, lexicon: Lexicon, sizes: WorldSizes) -> Batch:
    traces: list[Sequence] = []
    while len(traces) < sizes.pieces:
        drawing = _draw_from(rng, mv)
        poses = world_poses.further_poses(rng, drawing, 99)
        for tray in world_poses.trays_of(drawing):
            poses += world_poses.tray_poses(rng, drawing, tray, sizes.piece_questions)
        by_place: dict[tuple[object, ...], dict[str, Pose]] = {}
        for pose in poses:
            if pose.carrier is not None:
                by_place.setdefault((pose.frames, pose.carrier), {})[pose.question] = pose
        for group in by_place.values():
            asked = rng.sample(list(group.values()), min(len(group), sizes.piece_questions))
            traces.append(world_clips.piece_trace(rng, lexicon, drawing, asked))
    return batch_of(traces[: sizes.pieces], "w_piece")


def miniature_mix(lexicon: Lexicon, sizes: WorldSizes) -> tuple[tuple[Maker, float], ...]:
    return (
        (partial(_make_tiles, sizes=sizes), 0.03),
        (partial(_make_view, lexicon=lexicon, sizes=sizes), 0.25),
        (partial(_make_crop, lexicon=lexicon, sizes=sizes), 0.25),
        (partial(_make_trace, lexicon=lexicon, sizes=sizes), 0.08),
        (partial(_make_clip, lexicon=lexicon, sizes=sizes), 0.13),
        (partial(_make_frame, lexicon=lexicon, sizes=sizes), 0.10),
        (partial(_make_piece, lexicon=lexicon, sizes=sizes), 0.11),
        (partial(_make_select, lexicon=lexicon, sizes=sizes), 0.05),
    )


def world_mix(lexicon: Lexicon, old: Sizes, sizes: WorldSizes) -> tuple[tuple[Maker, float], ...]:
    """Signs and clips as before, and the miniature benchmarks."""
    before = tuple((maker, OLD_SHARE * share) for maker, share in curriculum.joint_mix(lexicon, old))
    return (*before, *((maker, (1 - OLD_SHARE) * share) for maker, share in miniature_mix(lexicon, sizes)))


def sight_mix(lexicon: Lexicon, old: Sizes, sizes: WorldSizes) -> tuple[tuple[Maker, float], ...]:
    """What the stage teaches of seeing, without a call: what is hard is guessed from the first view, and crops and frames are
    read where they are shown."""
    return (
        *((maker, OLD_SHARE * share) for maker, share in curriculum.reading_mix(lexicon, old)),
        (partial(_make_tiles, sizes=sizes), 0.03),
        (partial(_make_view, lexicon=lexicon, sizes=sizes, guessed_share=1.0), 0.20),
        (partial(_make_crop, lexicon=lexicon, sizes=sizes), 0.16),
        (partial(_make_clip, lexicon=lexicon, sizes=sizes, guessed_share=1.0), 0.12),
        (partial(_make_frame, lexicon=lexicon, sizes=sizes), 0.07),
        (partial(_make_piece, lexicon=lexicon, sizes=sizes), 0.07),
    )
