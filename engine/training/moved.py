"""The same trace with its boxes moved a little, another way in each pass: what is learned is where to look, not where one
person's hand stopped, and each crop is read from several cuts.

    side of a box    moved by between MOST_INWARDS of the box's width or height inwards and MOST_OUTWARDS of it outwards, each
                     side by itself, evenly drawn; never beyond the picture that is zoomed into
    crop             cut anew, so that what the call says and what comes back agree

The idea: sixty traces hold sixty crops, and a small network learns them by heart. Boxes that people draw hold some room around
what they are drawn around, of which the inward part takes less than half; where boxes are drawn to the edge they should not
be moved, so `SftConfig.box_variants` is 0 unless it is asked for. What it brings is measured by `bench teaching`.

Only steps that carry loss are moved: what a person marked erroneous stays the mistake that it was. Where a box cannot be moved,
it stays. Invariant: pure in (example, seed); the answer and all words are the trace's own.
"""

from __future__ import annotations

import dataclasses
import random

from engine.editing import SetBox, apply, draft_of
from engine.errors import PersonError
from engine.media import Pictures
from engine.protocols import WireProtocol
from engine.trace import Box, ZoomIn
from engine.training.dataset import TrainingExample

__all__ = ["MOST_INWARDS", "MOST_OUTWARDS", "moved", "moved_box"]

MOST_INWARDS, MOST_OUTWARDS = 0.06, 0.09
"""`box_on` leaves an eighth of the box on each side."""


def moved(example: TrainingExample, pictures: Pictures, protocol: WireProtocol, seed: str) -> TrainingExample:
    """`example` with every zoom that carries loss moved, as `seed` draws it; itself where none can be."""
    trace, rng = example.trace, random.Random(seed)
    try:
        draft = draft_of("", trace)
    except PersonError:
        return example
    for number in range(len(trace.steps)):
        state = draft.state
        operation = state.steps[number].operation
        if not isinstance(operation, ZoomIn) or not example.carries_loss(number):
            continue
        asked = operation.box.within(state.views[operation.view - 1].box)
        try:
            draft = apply(draft, SetBox(number, moved_box(asked, rng), operation.view), pictures, protocol)
        except PersonError:
            continue
    state = draft.state
    return dataclasses.replace(example, trace=dataclasses.replace(trace, views=state.views, steps=state.steps))


def moved_box(box: Box, rng: random.Random) -> Box:
    """Each side of `box` moved by itself, inside of [0, 1]."""
    width, height = box.x2 - box.x1, box.y2 - box.y1

    def by(side: float) -> float:
        return side * rng.uniform(-MOST_INWARDS, MOST_OUTWARDS)

    return Box(
        max(0.0, box.x1 - by(width)),
        max(0.0, box.y1 - by(height)),
        min(1.0, box.x2 + by(width)),
        min(1.0, box.y2 + by(height)),
    )
