"""The embedded reasoner's own thoughts for synthesised trajectories of the miniature benchmarks.

Idea: the recipe teaches to think in steps (`world_thoughts`); a warm start on templates that go straight to the answer would
teach it to leave the steps out. A drawing knows its things, so a trajectory's thoughts can be those of the recipe.

Invariant: a thought is what `world_thoughts` would say of the same views; where it cannot be said (the views do not show
what is asked about) the template is.

Not covered: examples that are no drawing of a miniature benchmark, which get the fallback.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType

from engine.evaluation.benchmarks import SEED_STRIDE
from engine.lab.recipe import world_speech, world_thoughts
from engine.lab.recipe.patches import BUDGETS, FACTOR, Budget, smart_resize
from engine.lab.recipe.world_poses import own_pose
from engine.lab.world.miniature import info, mv, tally, vstar
from engine.lab.world.miniature.drawing import Drawing
from engine.lab.world.scenes import seed_for
from engine.synthesis.wording import Situation, Wording, templates
from engine.trace import CLIP_FRAMES, Box, Example

__all__ = ["drawing_named", "thinking"]

_ROOMS: dict[str, ModuleType] = {"mini-vstar": vstar, "mini-tally": tally, "mini-info": info, "mini-mv": mv}
_NAME = re.compile(r"(mini-(?:vstar|tally|info|mv))(?:-(train|validation|test))?-(\d+)-(\d{5})")


@dataclass(frozen=True, slots=True)
class _Shown:
    """A part of a frame of `size` pixels, in which a thought names places. It is seen within `budget`."""

    box: Box
    size: tuple[int, int]
    budget: Budget

    def at(self, point: tuple[float, float]) -> int | None:
        return None

    def named(self, point: tuple[float, float]) -> str:
        x, y = self._share(point)
        return f"{x:.2f}, {y:.2f}"

    def order(self, point: tuple[float, float]) -> int:
        width, height = self.size[0] * (self.box.x2 - self.box.x1), self.size[1] * (self.box.y2 - self.box.y1)
        tall, wide = smart_resize(round(height), round(width), self.budget)
        x, y = self._share(point)
        return int(y * tall / FACTOR) * (wide // FACTOR) + int(x * wide / FACTOR)

    @property
    def end(self) -> int | None:
        return None

    def _share(self, point: tuple[float, float]) -> tuple[float, float]:
        x = (point[0] / self.size[0] - self.box.x1) / (self.box.x2 - self.box.x1)
        y = (point[1] / self.size[1] - self.box.y1) / (self.box.y2 - self.box.y1)
        return min(1.0, max(0.0, x)), min(1.0, max(0.0, y))


def thinking(drawing_of: Callable[[Example], Drawing | None], fallback: Wording = templates) -> Wording:
    """Thoughts of the recipe for the examples of which `drawing_of` knows the drawing."""

    def wording(situation: Situation, rng: random.Random) -> str:
        drawing = drawing_of(situation.example)
        if drawing is None:
            return fallback(situation, rng)
        if situation.stage == "look":
            return _text(world_thoughts.look_pieces(own_pose(drawing)))
        if situation.stage == "again":
            return world_thoughts.AGAIN
        if situation.stage == "closer":
            return world_thoughts.CLOSER
        opening = world_thoughts.LARGE_ENOUGH if situation.stage == "text" else world_thoughts.HERE
        try:
            pieces = world_thoughts.thought_pieces(own_pose(drawing), _eyes(situation, drawing), opening)
        except ValueError:
            return fallback(situation, rng)
        return _text(pieces)

    return wording


def _text(pieces: Sequence[world_speech.Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _eyes(situation: Situation, drawing: Drawing) -> world_speech.Eyes:
    """The views that the answer is read off: those of the last operation, or the first ones."""
    size, is_clip, is_first = drawing.frames[0].size, len(drawing.frames) > 1, situation.stage == "text"
    first = CLIP_FRAMES if is_clip else 1
    views = situation.views[:first] if is_first else situation.views[first:]
    seen_as = ("frame" if is_first else "selected_frame") if is_clip else ("image" if is_first else "crop")
    shown = {view.frame or 1: _Shown(view.box, size, BUDGETS[seen_as]) for view in views}  # a frame's last view counts
    return shown.get


def drawing_named(name: str) -> Drawing | None:
    """The drawing of an example, e.g. "mini-vstar-train-0-00012"; None for a name of another benchmark."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    benchmark, split, seed, index = found.groups()
    split = split or "test"
    drawing: Drawing | None = _ROOMS[benchmark].draw(seed_for(split, int(seed) * SEED_STRIDE + int(index)), split)
    return drawing
