"""What of a trace can be learned from, as far as that can be told without a model and its wire format.

The idea: whether a trace can be learned from is for its model's protocol to say, text by text
(`engine.training.dataset.objection`). Nearly always the answer is yes, and that is seen from the trace alone: such a trace
is a plain lesson. The store keeps the answer in a column, so that counting what can be learned from reads an index; only
what is not plain is read and judged.

Invariant: no protocol of the studio has an objection to a plain lesson (tests/test_lessons.py). The reverse does not hold.
"""

from __future__ import annotations

from engine.trace import Step, Trace, ZoomIn, first_views

__all__ = ["carries_loss", "is_finished", "is_plain_lesson"]

_LEAST_SIDE = 0.02
"""Boxes at least this wide and high are not empty however few decimals a protocol writes; down to two."""


def is_finished(step: Step) -> bool:
    """Whether the model ended this turn itself: with an answer, or with a call that something came back to."""
    return step.answer is not None or step.observation is not None


def carries_loss(step: Step) -> bool:
    """Whether the model should learn to say this turn."""
    has_failed = step.observation is not None and step.observation.error is not None
    return is_finished(step) and not step.is_erroneous and not has_failed


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
