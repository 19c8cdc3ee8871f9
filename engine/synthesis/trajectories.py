"""An example with evidence -> a trace as a good policy would have left it, with the errors of its kind (paper, section 4.1).

    single_pass     look -> operate on the cue -> answer
    recrop_once     look -> a box beside the cue* -> the cue -> answer         (recrop_twice: two of them*)
    further_zoom    look -> a box that is too large* -> the cue, within it -> answer
    reselect        look -> frames that do not show the cue* -> its frames -> answer
    text            answer from the first views

Steps marked * are `is_erroneous`: they stay in the conversation and carry no loss (engine/training/dataset.py), so that
the model learns to go on from an error without learning to make it.

Invariants: operations are executed as the loop executes them, with the protocol's own rule, so every view can be cut
again; the protocol can write every step; the answer is the example's; the same seed gives the same trace.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from engine.errors import InvalidInput, ModelMistake
from engine.evaluation.reading import read_letter
from engine.media import Pictures
from engine.operations import execute
from engine.protocols import WireProtocol
from engine.synthesis.kinds import Kind, is_possible
from engine.synthesis.regions import box_around, box_beside, box_on, box_within, cue_of, frames_on, other_frames
from engine.synthesis.wording import Situation, Stage, Wording, templates
from engine.trace import (
    Example,
    Observation,
    Operation,
    SelectFrames,
    Step,
    Trace,
    View,
    ZoomIn,
    first_views,
    shown_before,
)

__all__ = ["POLICY", "synthesize"]

POLICY = "synthesis"
"""The policy name that synthesised traces carry."""


def synthesize(
    example: Example,
    pictures: Pictures,
    kind: Kind,
    seed: int | str,
    protocol: WireProtocol,
    wording: Wording = templates,
    *,
    frames: tuple[int, ...] = (),
    policy: str = POLICY,
) -> Trace:
    """A trajectory of `kind`. `frames` of the evidence are selected, by default as many as can be at once, evenly chosen;
    `policy` names the trace's.

    Raises InvalidInput where the kind is not possible for this example (no answer, no evidence, no room), or its
    operation cannot be executed or written.
    """
    if not example.answer:
        raise InvalidInput("a trajectory needs an example with an answer")
    if not is_possible(kind, example.evidence, protocol.CROP_RULE):
        raise InvalidInput(f"no {kind} trajectory can be made of this example: its evidence does not allow it")
    if kind != "text" and bool(example.evidence and example.evidence.frames) != (example.media[0].kind == "video"):
        raise InvalidInput(
            "the evidence is of another kind than the media: boxes go with a picture, frames with a clip"
        )
    if beside := set(frames) - set(example.evidence.frames if example.evidence else ()):
        raise InvalidInput(f"the frames to select, {sorted(frames)}, are of the evidence: {sorted(beside)} are not")
    making = _Making(example, pictures, random.Random(f"trajectory {seed}"), protocol, wording)
    try:
        if kind != "text" and example.evidence is not None and example.evidence.frames:
            making.look_at_frames(kind, example.evidence.frames, frames)
        elif kind != "text":
            making.look_at_boxes(kind)
    except ModelMistake as mistake:
        raise InvalidInput(f"no {kind} trajectory can be made of this example: {mistake}") from mistake
    making.answer("text" if kind == "text" else "answer")
    trace = Trace(
        question=example.question,
        media=example.media,
        views=tuple(making.views),
        steps=tuple(making.steps),
        stop_reason="answered",
        policy=policy,
        protocol=protocol.NAME,
    )
    for step, shown in zip(trace.steps, shown_before(trace.views, trace.steps), strict=True):
        protocol.render(step, trace.views[:shown], trace.media)  # raises where it could not be written
    return trace


@dataclass(slots=True)
class _Making:
    """A trajectory on its way."""

    example: Example
    pictures: Pictures
    rng: random.Random
    protocol: WireProtocol
    wording: Wording
    views: list[View] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.views = list(first_views(self.example.media))

    def look_at_boxes(self, kind: Kind) -> None:
        assert self.example.evidence is not None
        cue = cue_of(self.example.evidence.boxes)
        padding = self.protocol.CROP_RULE.padding
        stage: Stage = "look"
        for _ in range({"recrop_once": 1, "recrop_twice": 2}.get(kind, 0)):
            self.operate(stage, ZoomIn(1, box_beside(cue, padding, self.rng)), is_erroneous=True)
            stage = "again"
        if kind == "further_zoom":
            self.operate(stage, ZoomIn(1, box_around(cue, self.rng)), is_erroneous=True)
            outer = self.views[-1]
            self.operate("closer", ZoomIn(outer.number, box_within(cue, outer.box)))
        else:
            self.operate(stage, ZoomIn(1, box_on(cue)))

    def look_at_frames(self, kind: Kind, evidence: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        wanted = wanted or frames_on(evidence)
        stage: Stage = "look"
        if kind == "reselect":
            self.operate(stage, SelectFrames(other_frames(evidence, len(wanted), self.rng)), is_erroneous=True)
            stage = "again"
        self.operate(stage, SelectFrames(wanted))

    def operate(self, stage: Stage, operation: Operation, *, is_erroneous: bool = False) -> None:
        thought = self.word(stage, operation, None)
        new = execute(operation, self.views, self.pictures, self.protocol.CROP_RULE)
        observation = Observation(views=tuple(view.number for view in new))
        self.steps.append(Step(thought, operation, observation, is_erroneous=is_erroneous))
        self.views.extend(new)

    def answer(self, stage: Stage) -> None:
        answer = self.example.answer or ""
        if self.example.options:
            answer = read_letter(answer, self.example.options) or answer
        self.steps.append(Step(self.word(stage, None, answer), answer=answer))

    def word(self, stage: Stage, operation: Operation | None, answer: str | None) -> str:
        situation = Situation(stage, self.example, self.pictures, tuple(self.views), operation, answer)
        return self.wording(situation, self.rng).strip()
