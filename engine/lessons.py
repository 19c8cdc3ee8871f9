"""What of a trace can be learned from, as far as that can be told without a model and its wire format.

The idea: whether a trace can be learned from is for its model's protocol to say, text by text
(`engine.training.dataset.objection`). Nearly always the answer is yes, and that is seen from the trace alone: such a trace
is a plain lesson. The store keeps the answer in a column, so that counting what can be learned from reads an index; only
what is not plain is read and judged. Attempts that say the same words at the same looks are one lesson, whoever made them:
`lesson_key` is equal for them.

Invariant: no protocol of the studio has an objection to a plain lesson (tests/test_lessons.py). The reverse does not hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from engine.trace import Step, Trace, View, ZoomIn, first_views
from engine.trace_json import step_to_json, view_to_json

__all__ = ["carries_loss", "is_finished", "is_plain_lesson", "key_of_text", "lesson_key", "lesson_text", "parting"]

_LEAST_SIDE = 0.02
"""Boxes at least this wide and high are not empty however few decimals a protocol writes; down to two."""


def is_finished(step: Step) -> bool:
    """Whether the model ended this turn itself: with an answer, or with a call that something came back to."""
    return step.answer is not None or step.observation is not None


def carries_loss(step: Step) -> bool:
    """Whether the model should learn to say this turn."""
    has_failed = step.observation is not None and step.observation.error is not None
    return is_finished(step) and not step.is_erroneous and not has_failed


def parting(chosen: Trace, rejected: Trace) -> int | None:
    """The first step (from 0) that two attempts at one question say differently, after the same history: where of two ways to
    go on one is the better; None where one only goes on longer."""
    for place, (one, other) in enumerate(zip(chosen.steps, rejected.steps, strict=False)):
        if (one.thought, one.operation, one.answer) != (other.thought, other.operation, other.answer):
            return place
        if one.observation != other.observation or _brought(chosen, place) != _brought(rejected, place):
            return None
    return None


def _brought(trace: Trace, place: int) -> tuple[View, ...]:
    observation = trace.steps[place].observation
    return tuple(trace.view(number) for number in observation.views) if observation else ()


def lesson_key(trace: Trace, options: Sequence[str] = ()) -> int:
    """Equal for traces that are the same conversation to a model (`lesson_text`)."""
    return key_of_text(lesson_text(trace, options))


def lesson_text(trace: Trace, options: Sequence[str] = ()) -> str:
    """What a model would be shown and would learn to say, whatever its wire format: question, `options`, pictures and steps,
    with which of them carry loss; as JSON."""
    said = [
        trace.question,
        list(options),
        [medium.sha256 for medium in trace.media],
        trace.invites_operations,
        [view_to_json(view) for view in trace.views],
        [step_to_json(step) for step in trace.steps],
    ]
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def key_of_text(text: str) -> int:
    """The key of a `lesson_text`: 60 bits of its SHA-256, above 0."""
    return 1 + int(hashlib.sha256(text.encode("ascii")).hexdigest()[:15], 16)


def is_plain_lesson(trace: Trace) -> bool:
    """Whether it has a step to learn from, pictures that match its media, and nothing that a wire format could be unable
    to write: no mark in a text, no braces in an answer, no sliver of a box."""
    return (
        any(carries_loss(step) for step in trace.steps)
        and len(trace.views) >= len(first_views(trace.media))
        and all(_is_writable(step) for step in trace.steps)
    )


def _is_writable(step: Step) -> bool:
    answer = step.answer or ""
    box = step.operation.box if isinstance(step.operation, ZoomIn) else None
    return (
        "<" not in step.thought + answer
        and not any(mark in answer for mark in "{}\\")
        and answer == answer.strip()
        and (box is None or min(box.x2 - box.x1, box.y2 - box.y1) >= _LEAST_SIDE)
    )
