"""Differences between two versions of a trace: words of thoughts and answers, boxes and frames, step by step.

Steps are matched by what they say and look at, not by their place: a step that was deleted is one removed step, whatever
became of those behind it.

Invariants: the equal and deleted words of a diff, joined, are the old text; the equal and inserted ones are the new; every
step of both versions stands in exactly one StepDiff; boxes are in the ORIGINAL's coordinates.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from engine.editing.draft import operation_boxes
from engine.trace import Box, SelectFrames, Step, Trace, ZoomIn

__all__ = ["BoxDiff", "FramesDiff", "StepDiff", "WordDiff", "diff", "step_diff_to_json", "word_diff"]

_LEAST_GAIN = 0.01


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
    """(old index, new index) of every step, in order; one of them is None where that version lacks the step."""
    before, after = _contents(old), _contents(new)
    shorter = min(len(before), len(after))
    start = next((k for k in range(shorter) if before[k] != after[k]), shorter)
    end = next((k for k in range(shorter - start) if before[-1 - k] != after[-1 - k]), shorter - start)
    yield from ((k, k) for k in range(start))
    middle = _aligned(before[start : len(before) - end], after[start : len(after) - end])
    yield from ((None if i is None else start + i, None if j is None else start + j) for i, j in middle)
    yield from ((len(before) - k, len(after) - k) for k in range(end, 0, -1))


@dataclass(frozen=True, slots=True)
class _Content:
    """What a step says and looks at. Numbers of views are left out, as they move with other steps."""

    thought: str
    answer: str | None
    box: Box | None
    frames: tuple[int, ...]

    @property
    def words(self) -> Counter[str]:
        return Counter(f"{self.thought} {self.answer or ''}".split())


def _contents(trace: Trace) -> list[_Content]:
    boxes = operation_boxes(trace)
    return [_Content(s.thought, s.answer, box, _frames(s)) for s, box in zip(trace.steps, boxes, strict=True)]


def _aligned(before: Sequence[_Content], after: Sequence[_Content]) -> list[tuple[int | None, int | None]]:
    """The pairs, in the order of both, whose likenesses have the largest sum (Needleman and Wunsch 1970, where a gap costs
    nothing); even a pair that has nothing in common is better than none, so that a step that was rewritten is one change."""
    words = [[step.words for step in side] for side in (before, after)]
    # best[i][j]: the largest sum for the steps from i and from j on.
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    gain = [
        [_LEAST_GAIN + _likeness(a, b, words[0][i], words[1][j]) for j, b in enumerate(after)]
        for i, a in enumerate(before)
    ]
    for i in reversed(range(len(before))):
        for j in reversed(range(len(after))):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], gain[i][j] + best[i + 1][j + 1])
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(before) and j < len(after):
        if best[i][j] == gain[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return pairs + [(k, None) for k in range(i, len(before))] + [(None, k) for k in range(j, len(after))]


def _likeness(a: _Content, b: _Content, a_words: Counter[str], b_words: Counter[str]) -> float:
    """How much two steps are the same one, in [0, 1]: half by their words (Dice's coefficient), half by where they look."""
    count = a_words.total() + b_words.total()
    said = 2 * (a_words & b_words).total() / count if count else 1.0
    if a.box is not None and b.box is not None:
        looked = a.box.iou(b.box)
    elif a.frames and b.frames:
        looked = len({*a.frames} & {*b.frames}) / len({*a.frames} | {*b.frames})
    else:
        looked = float((a.box is None, bool(a.frames)) == (b.box is None, bool(b.frames)))
    return (said + looked) / 2


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
