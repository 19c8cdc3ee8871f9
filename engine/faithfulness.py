"""Faithfulness: does a trace do what it says, and look at what it should.

Pure and cheap, so that the store keeps the result of every head as columns to filter by. What is found are labels for a
person's eye, by documented heuristics on English text; they decide nothing.

- *pretended operation*: a thought contains what only an observation says ("Here is the cropped image", a tool response,
  "Execution error:"), or speaks of a crop or of selected frames as of something seen ("in the cropped image", "after
  zooming in") though no such operation has succeeded before it. Plans ("let me zoom in", "I would need a cropped view")
  are not counted: a sentence with a word of intention, condition or negation claims nothing.
- *ignored error*: an execution error, then an answer, and no operation that succeeded in between.
- *evidence*: which share of the evidence an operation's pictures hold.
- *trajectory*: the paper's five kinds, recognised by the operations alone.

Not covered: whether the answer needs the crop (`engine.blanking` asks the policy).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from engine.trace import Evidence, SelectFrames, Step, Trace, ZoomIn, media_positions

__all__ = [
    "TRAJECTORIES",
    "Faithfulness",
    "Trajectory",
    "evidence_shares",
    "faithfulness",
    "final_evidence_share",
    "ignored_errors",
    "pretended_steps",
    "trajectory",
]

Trajectory = Literal["text", "single_pass", "recrop_once", "recrop_twice", "further_zoom", "reselect", "mixed"]
TRAJECTORIES: tuple[Trajectory, ...] = get_args(Trajectory)

_FAKE = re.compile(
    r"here is the cropped image|here are the selected frames|<tool_response>|</?observation>|^\s*execution error:",
    re.IGNORECASE | re.MULTILINE,
)
_CROP_CLAIM = re.compile(
    r"\b(?:(?:zoomed|cropped|magnified|enlarged)(?:[- ]in)? (?:image|picture|photo|view|region|area|part|section|crop)"
    r"|(?:i|i've|have|was|is) (?:now )?(?:zoomed|cropped|magnified|enlarged)\b|zoomed[- ]in\b"
    r"|after (?:zooming|cropping)|zooming in(?:to \w+)? shows)",
    re.IGNORECASE,
)
_FRAMES_CLAIM = re.compile(r"\b(?:the|these|those) selected frames?\b|after selecting\b", re.IGNORECASE)
_NO_CLAIM = re.compile(
    r"\b(?:will|would|could|should|shall|may|might|can be|cannot|can't|must|need|needs|let me|let us|let's|if|to be|not|"
    r"haven't|hasn't|without|want|going to|try|asks?|asked|unless|instead of)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Labels of a trace. `pretended` and `ignored` are step indices from 0; `evidence_shares[k]` is the largest share
    (0 to 1) of the evidence that step k's pictures hold, None where it brought none or nothing is known."""

    trajectory: Trajectory
    pretended: tuple[int, ...]
    ignored: tuple[int, ...]
    evidence_shares: tuple[float | None, ...]


def faithfulness(trace: Trace, evidence: Evidence | None = None) -> Faithfulness:
    return Faithfulness(
        trajectory(trace), pretended_steps(trace), ignored_errors(trace), evidence_shares(trace, evidence)
    )


def trajectory(trace: Trace) -> Trajectory:
    """By the operations that succeeded: none is "text"; selections of frames are "single_pass" or "reselect"; zooms are
    "further_zoom" where one lies in an earlier crop, else "single_pass", "recrop_once" or "recrop_twice" (or more)."""
    done = [s for s in trace.steps if s.operation is not None and s.observation is not None and s.observation.views]
    zooms = [s for s in done if isinstance(s.operation, ZoomIn)]
    if not done:
        return "text"
    if zooms and len(zooms) < len(done):
        return "mixed"
    if not zooms:
        return "single_pass" if len(done) == 1 else "reselect"
    crops = {n for s in zooms if s.observation for n in s.observation.views}
    if any(isinstance(s.operation, ZoomIn) and s.operation.view in crops for s in zooms):
        return "further_zoom"
    return ("single_pass", "recrop_once", "recrop_twice")[min(len(zooms), 3) - 1]


def pretended_steps(trace: Trace) -> tuple[int, ...]:
    """The steps (from 0) whose thought pretends that an operation ran."""
    found: list[int] = []
    has_crop = has_frames = False
    for index, step in enumerate(trace.steps):
        claims = [s for s in re.split(r"(?<=[.!?\n])\s+", step.thought) if not _NO_CLAIM.search(s)]
        if (
            _FAKE.search(step.thought)
            or (not has_crop and any(_CROP_CLAIM.search(s) for s in claims))
            or (not has_frames and any(_FRAMES_CLAIM.search(s) for s in claims))
        ):
            found.append(index)
        if step.observation is not None and step.observation.views:
            has_crop = has_crop or isinstance(step.operation, ZoomIn)
            has_frames = has_frames or isinstance(step.operation, SelectFrames)
    return tuple(found)


def ignored_errors(trace: Trace) -> tuple[int, ...]:
    """The steps (from 0) whose execution error was followed by the answer without an operation that succeeded."""
    if trace.answer is None:
        return ()
    last_success = max((k for k, s in enumerate(trace.steps) if s.observation and s.observation.views), default=-1)
    return tuple(
        k for k, s in enumerate(trace.steps) if k > last_success and s.observation is not None and s.observation.error
    )


def evidence_shares(trace: Trace, evidence: Evidence | None) -> tuple[float | None, ...]:
    """For each step the largest share of an evidence box that its crop holds, or the share of the evidence frames that
    it selected (or cropped). Boxes lie on the trace's first medium."""
    if evidence is None:
        return (None,) * len(trace.steps)
    positions = media_positions(trace.media, trace.views, trace.steps)
    return tuple(_share(step, trace, evidence, positions) for step in trace.steps)


def final_evidence_share(trace: Trace, evidence: Evidence | None) -> float | None:
    """The best share over all steps that are not marked as erroneous; None where nothing is known."""
    shares = evidence_shares(trace, evidence)
    return max(
        (v for v, s in zip(shares, trace.steps, strict=True) if v is not None and not s.is_erroneous), default=None
    )


def _share(step: Step, trace: Trace, evidence: Evidence, positions: Sequence[int]) -> float | None:
    if step.observation is None or not step.observation.views:
        return None
    views = [trace.view(number) for number in step.observation.views if 1 <= number <= len(trace.views)]
    if evidence.frames and any(view.frame is not None for view in views):
        return len({view.frame for view in views} & set(evidence.frames)) / len(set(evidence.frames))
    still = [view for view in views if view.frame is None]
    if not evidence.boxes or not still:
        return None
    return max(
        view.box.coverage_of(box) if positions[view.number - 1] == 0 else 0.0
        for view in still
        for box in evidence.boxes
    )
