"""Differences between two versions of a trace: words of thoughts and answers, boxes and frames, step by step.

Invariants: the equal and deleted words of a diff, joined, are the old text; the equal and inserted ones are the new; every
step of both versions stands in exactly one StepDiff; boxes are in the ORIGINAL's coordinates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from engine.editing.draft import operation_boxes
from engine.trace import Box, SelectFrames, Step, Trace, ZoomIn

__all__ = ["BoxDiff", "FramesDiff", "StepDiff", "WordDiff", "diff", "step_diff_to_json", "word_diff"]


@dataclass(frozen=True, slots=True)
class WordDiff:
    """A run of words (with the spaces before them) that is in both texts, only in the new or only in the old one."""

    kind: Literal["equal", "insert", "delete"]
    text: str


@dataclass(frozen=True, slots=True)
class BoxDiff:
    """The box asked for before and after; `iou` is None where one of them is missing."""

    old: Box | None
    new: Box | None
    iou: float | None


@dataclass(frozen=True, slots=True)
class FramesDiff:
    old: tuple[int, ...]
    new: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StepDiff:
    """One step in both versions; an index (from 0) is None where that version lacks it. `box` and `frames` are None
    where neither version has any, or both have the same."""

    kind: Literal["same", "changed", "added", "removed"]
    old_index: int | None
    new_index: int | None
    thought: tuple[WordDiff, ...]
    answer: tuple[WordDiff, ...]
    box: BoxDiff | None
    frames: FramesDiff | None
    is_mark_changed: bool


def word_diff(old: str, new: str) -> tuple[WordDiff, ...]:
    """The texts as runs of words. An exchanged run is first deleted, then inserted."""
    before, after = (re.findall(r"\s*\S+|\s+$", text) for text in (old, new))
    runs: list[WordDiff] = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            runs.append(WordDiff("equal", "".join(before[a1:a2])))
            continue
        if a2 > a1:
            runs.append(WordDiff("delete", "".join(before[a1:a2])))
        if b2 > b1:
            runs.append(WordDiff("insert", "".join(after[b1:b2])))
    return tuple(runs)


def diff(old: Trace, new: Trace) -> tuple[StepDiff, ...]:
    """What changed from `old` to `new`, in the order of the new steps, removed steps where they stood."""
    boxes = operation_boxes(old), operation_boxes(new)
    return tuple(_step_diff(old, new, i, j, boxes) for i, j in _pairs(old, new))


def step_diff_to_json(step: StepDiff) -> dict[str, Any]:
    """As plain JSON; word runs are `[kind, text]`, boxes four numbers."""
    box, frames = step.box, step.frames
    return {
        "kind": step.kind,
        "old_index": step.old_index,
        "new_index": step.new_index,
        "thought": [[run.kind, run.text] for run in step.thought],
        "answer": [[run.kind, run.text] for run in step.answer],
        "box": box and {"old": box.old and box.old.as_list(), "new": box.new and box.new.as_list(), "iou": box.iou},
        "frames": frames and {"old": list(frames.old), "new": list(frames.new)},
        "is_mark_changed": step.is_mark_changed,
    }


def _pairs(old: Trace, new: Trace) -> Iterator[tuple[int | None, int | None]]:
    matcher = SequenceMatcher(None, [_looks(s) for s in old.steps], [_looks(s) for s in new.steps], autojunk=False)
    for _, a1, a2, b1, b2 in matcher.get_opcodes():
        shared = min(a2 - a1, b2 - b1)
        yield from ((a1 + k, b1 + k) for k in range(shared))
        yield from ((i, None) for i in range(a1 + shared, a2))
        yield from ((None, j) for j in range(b1 + shared, b2))


def _looks(step: Step) -> tuple[str, str, str | None]:
    """What makes two steps the same step: numbers of views are left out, as they move with other steps."""
    return type(step.operation).__name__, step.thought, step.answer


def _step_diff(
    old: Trace, new: Trace, i: int | None, j: int | None, boxes: tuple[tuple[Box | None, ...], tuple[Box | None, ...]]
) -> StepDiff:
    before = old.steps[i] if i is not None else None
    after = new.steps[j] if j is not None else None
    box_before = boxes[0][i] if i is not None else None
    box_after = boxes[1][j] if j is not None else None
    frames_before, frames_after = _frames(before), _frames(after)
    box = None
    if box_before != box_after:
        both = box_before is not None and box_after is not None
        box = BoxDiff(box_before, box_after, box_before.iou(box_after) if both else None)  # type: ignore[union-attr, arg-type]
    frames = FramesDiff(frames_before, frames_after) if frames_before != frames_after else None
    thought = word_diff(before.thought if before else "", after.thought if after else "")
    answer = word_diff((before and before.answer) or "", (after and after.answer) or "")
    is_mark_changed = before is not None and after is not None and before.is_erroneous != after.is_erroneous
    if before is None or after is None:
        kind: Literal["same", "changed", "added", "removed"] = "added" if before is None else "removed"
    else:
        is_same = (
            (before.thought, before.answer, _error(before)) == (after.thought, after.answer, _error(after))
            and box is None
            and frames is None
            and not is_mark_changed
            and isinstance(before.operation, ZoomIn) == isinstance(after.operation, ZoomIn)
        )
        kind = "same" if is_same else "changed"
    return StepDiff(kind, i, j, thought, answer, box, frames, is_mark_changed)


def _frames(step: Step | None) -> tuple[int, ...]:
    return step.operation.frames if step is not None and isinstance(step.operation, SelectFrames) else ()


def _error(step: Step) -> str | None:
    return step.observation.error if step.observation else None
