"""Whether a trace looked at the evidence: True or False against the example's evidence, None where the example has none.

Invariant: what counts as looked at is what was cut, in the original's coordinates; looking at everything finds nothing. Pure:
no I/O, no torch.

Not covered: whether the answer was right (`engine.evaluation.scoring`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engine.thresholds import HELD_SHARE
from engine.trace import MAX_SELECTED_FRAMES, Box, Evidence, SelectFrames, Step, Trace, ZoomIn, media_positions

__all__ = ["LARGEST_HIT_AREA", "is_box_hit", "is_frame_hit", "is_hit"]

LARGEST_HIT_AREA = 0.25
"""The share of the picture that a zoom may show at most and still count: looking at everything finds nothing."""


def is_hit(trace: Trace, evidence: Evidence | None) -> bool | None:
    """Whether any operation of the trace showed the evidence; None where there is no evidence.

    Only operations that were executed count (those that came back with views). What counts as shown is what was cut,
    in the original's coordinates, so nested zooms and a protocol's padding are judged by their pixels: a zoom hits by
    `is_box_hit` on any evidence box, where evidence lies on a clip's frames only on one of these frames; a selection
    hits by `is_frame_hit`. Evidence of boxes is hit by zooms alone, evidence of frames alone by selections alone. Boxes
    are those of the trace's first media.
    """
    if evidence is None or not (evidence.boxes or evidence.frames):
        return None
    positions = media_positions(trace.media, trace.views, trace.steps)
    return any(_shows(trace, step, evidence, positions) for step in trace.steps)


def _shows(trace: Trace, step: Step, evidence: Evidence, positions: Sequence[int]) -> bool:
    if step.observation is None or not step.observation.views:
        return False
    shown = [trace.view(number) for number in step.observation.views]
    if isinstance(step.operation, ZoomIn) and evidence.boxes:
        view = shown[0]
        is_there = positions[view.number - 1] == 0 and (not evidence.frames or view.frame in evidence.frames)
        return is_there and is_box_hit(view.box, evidence.boxes)
    if isinstance(step.operation, SelectFrames) and not evidence.boxes:
        return is_frame_hit([view.frame for view in shown if view.frame is not None], evidence.frames)
    return False


def is_box_hit(shown: Box, boxes: Iterable[Box]) -> bool:
    """Whether `shown`, in the original's coordinates, covers at least HELD_SHARE of the area of one of `boxes`
    while its own area is at most LARGEST_HIT_AREA of the picture."""
    if shown.area > LARGEST_HIT_AREA:
        return False
    return any(shown.coverage_of(box) >= HELD_SHARE for box in boxes)


def is_frame_hit(selected: Sequence[int], frames: Iterable[int]) -> bool:
    """Whether one of the `selected` frames is among `frames`, and at most MAX_SELECTED_FRAMES were selected."""
    return len(selected) <= MAX_SELECTED_FRAMES and not set(selected).isdisjoint(frames)
