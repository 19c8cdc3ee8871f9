"""How well a checkpoint answers the miniature benchmarks, cheaply:
`python -m engine.lab.recipe.world_validation DIR/last.pt --count 50`.

Idea: greedy answers of the stock model, many at a time, by benchmark and difficulty, in three ways, which tell apart what
is not yet learned:

    direct   asked to answer without operations
    given    the right crop or the right frames are shown, whatever the model would have asked for
    whole    the model looks for itself, up to MOST_LOOKS times; `called` is the share that operated at all, `found` the
             share whose last look held what is asked about

Invariant: seeds are of the split asked for, counted from its start. Exact answers: an option's letter, a number, a text.

Not covered: the project's real figures, which `python -m engine evaluate` makes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from engine.lab.recipe import turns, world_clips, world_pictures, world_poses, world_speech, world_thoughts, world_views
from engine.lab.recipe.sequences import Sequence as Tokens
from engine.lab.recipe.validation import SELECT, Reader, box_in, open_reader, said
from engine.lab.recipe.world_poses import Pose
from engine.lab.world import scenes
from engine.lab.world.miniature import info, mv, tally, vstar
from engine.lab.world.miniature.drawing import Drawing
from engine.trace import MAX_SELECTED_FRAMES

__all__ = ["begin", "look", "show_evidence"]

ROOMS: dict[str, ModuleType] = {"mini-vstar": vstar, "mini-tally": tally, "mini-info": info, "mini-mv": mv}
MOST_LOOKS = 3
LONGEST = 96
"""Tokens of a turn: six marks pointed at are 60."""


@dataclass(slots=True)
class _Going:
    """A conversation on its way."""

    drawing: Drawing
    pose: Pose
    sequence: Tokens
    pictures: int
    text: str = ""
    looks: int = 0
    found: bool = False

    @property
    def is_right(self) -> bool:
        return said(self.text) == self.pose.answer.upper()


@dataclass(slots=True)
class _Tally:
    """Outcomes by difficulty."""

    right: dict[str, list[bool]] = field(default_factory=dict)

    def add(self, key: str, value: bool) -> None:
        self.right.setdefault(key, []).append(value)

    def shares(self) -> dict[str, float]:
        return {key: round(sum(values) / len(values), 3) for key, values in sorted(self.right.items())}


def _first_drawings(room: ModuleType, split: str, count: int, first: int) -> list[Drawing]:
    found: list[Drawing] = []
    while len(found) < count:
        drawing = room.draw(scenes.seed_for(split, first), split)
        first += 1
        if drawing is not None:
            found.append(drawing)
    return found


def begin(reader: Reader, drawing: Drawing, suffix: str = "") -> _Going:
    pose = world_poses.own_pose(drawing)
    if len(drawing.frames) > 1:
        sequence, _ = world_clips.begin_clip(reader.lexicon, drawing)
    else:
        sequence = reader.lexicon.begin()
        sequence.begin_user()
        sequence.add_view(world_views.whole(drawing).view)
    world_speech.ask(sequence, pose, suffix)
    sequence.end_turn()
    return _Going(drawing, pose, sequence, len(drawing.frames))


def look(going: _Going, turn: str) -> bool:
    """Execute the call of a turn; False where it has none that can be executed."""
    drawing, pose = going.drawing, going.pose
    if len(drawing.frames) > 1:
        call = SELECT.search(turn)
        numbers = [int(part) for part in call.group(1).split(", ") if part.strip()] if call else []
        frames = [number for number in numbers if 1 <= number <= len(drawing.frames)][:MAX_SELECTED_FRAMES]
        if not frames:
            return False
        going.sequence.add_assistant(turn)
        _, going.pictures = world_clips.show_frames(going.sequence, drawing, frames, going.pictures)
        going.found = set(pose.frames) <= set(frames) or (pose.form != "move" and _shows(pose, frames))
    else:
        box = box_in(turn)
        if box is None:
            return False
        going.sequence.add_assistant(turn)
        sight = world_views.crop(drawing, box)
        world_pictures.show_crop(going.sequence, sight)
        going.found = sight.holds(pose.box)
    going.looks += 1
    return True


def _shows(pose: Pose, frames: Sequence[int]) -> bool:
    return bool(pose.carrier and set(pose.carrier.frames) & set(frames))


def show_evidence(going: _Going) -> None:
    """The call that the model should make, and what it shows."""
    pose = going.pose
    thought = world_thoughts.look_pieces(pose)
    if pose.frames:
        pieces = world_thoughts.select_pieces(thought, [(frame, None) for frame in pose.frames])
    else:
        pieces = world_thoughts.zoom_pieces(thought, world_thoughts.shown_box(going.drawing, pose.box), None)
    look(going, "".join(piece.text for piece in pieces))


def _check(reader: Reader, drawings: Sequence[Drawing], is_shown: bool = False) -> dict[str, float]:
    """Shares by difficulty: "easy whole", "hard given", ..."""
    tally = _Tally()
    direct = [begin(reader, drawing, turns.NO_OPERATIONS) for drawing in drawings]
    given = [begin(reader, drawing) for drawing in drawings]
    for one in given:
        show_evidence(one)
    for way, goings in (("direct", direct), ("given", given)):
        for one, text in zip(goings, reader.write([one.sequence for one in goings], LONGEST), strict=True):
            one.text = text
            tally.add(f"{one.pose.difficulty} {way}", one.is_right)
    whole = [begin(reader, drawing) for drawing in drawings]
    waiting = whole
    for looks in range(MOST_LOOKS + 1):
        for one, text in zip(waiting, reader.write([one.sequence for one in waiting], LONGEST), strict=True):
            one.text = text
        waiting = [one for one in waiting if looks < MOST_LOOKS and look(one, one.text)] if waiting else []
        if not waiting:
            break
    for one in whole:
        difficulty = one.pose.difficulty
        tally.add(f"{difficulty} whole", one.is_right)
        tally.add(f"{difficulty} called", one.looks > 0)
        if difficulty == "hard":
            tally.add("hard found", one.found)
    if is_shown:
        for ways in zip(direct, given, whole, strict=True):
            row = {"question": ways[0].pose.question, "answer": ways[0].pose.answer}
            print(json.dumps(row | dict(zip(("direct", "given", "whole"), (one.text for one in ways), strict=True))))
    return tally.shares()


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engine.lab.recipe.world_validation", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("model", type=Path, help="a checkpoint of the recipe or an exported folder")
    parser.add_argument("--split", default="validation", choices=("train", "validation", "test"))
    parser.add_argument("--count", type=int, default=50, help="drawings of each benchmark")
    parser.add_argument("--first", type=int, default=0, help="index of the first seed within the split")
    parser.add_argument("--only", choices=tuple(ROOMS))
    parser.add_argument("--show", action="store_true", help="print every answer as well")
    options = parser.parse_args()
    reader = open_reader(options.model)
    for name, room in ROOMS.items():
        if options.only in (None, name):
            drawings = _first_drawings(room, options.split, options.count, options.first)
            print(
                json.dumps({"benchmark": name, "n": options.count, **_check(reader, drawings, options.show)}),
                flush=True,
            )


if __name__ == "__main__":
    main()
