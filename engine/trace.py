"""The values of pixel-space reasoning: media, views, boxes, operations, steps and traces.

The idea: one complete attempt at an example is a plain immutable value. Whatever has identity (an id, an author, a
place in a database) or does work (cuts pixels, calls a model) lives elsewhere and speaks in these values.

Invariants:
- a `Box` is in [0, 1] with x1 < x2 and y1 < y2; pixels appear only through `Box.to_pixels(size)`;
- a `View`'s box is in the coordinates of the ORIGINAL picture or frame, however deeply crops nest, so every view can be
  cut again from the original's pixels at full resolution;
- an operation's box is relative to the view that the operation names, as the model said it.

Not covered: their JSON (`engine.trace_json`), pixels (`engine.operations`), wire formats (`engine.protocols`), what a rule
gives an answer (`engine.evaluation.scoring`), revisions and reviews (`engine.store`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from engine.errors import InvalidBox

__all__ = [
    "CLIP_FRAMES",
    "MAX_SELECTED_FRAMES",
    "RULES",
    "STOP_REASONS",
    "Box",
    "Evidence",
    "Example",
    "Media",
    "MediaKind",
    "Observation",
    "Operation",
    "Rule",
    "SelectFrames",
    "Step",
    "StopReason",
    "Trace",
    "View",
    "ZoomIn",
    "first_views",
    "media_positions",
    "medium_of",
    "shown_before",
    "view_size",
]

CLIP_FRAMES = 16
"""How many frames a video is sampled to, evenly (paper, section 3)."""
MAX_SELECTED_FRAMES = 8
"""How many frames one `select_frames` may pick (paper, section 3)."""

MediaKind = Literal["image", "video"]
StopReason = Literal["answered", "max_steps", "max_tokens", "repetition", "cancelled", "failed"]
STOP_REASONS: tuple[StopReason, ...] = get_args(StopReason)
Rule = Literal["text", "letter", "number", "only-number", "anls"]
RULES: tuple[Rule, ...] = get_args(Rule)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle relative to its picture: 0 <= x1 < x2 <= 1, 0 <= y1 < y2 <= 1. Raises InvalidBox otherwise."""

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        values = (self.x1, self.y1, self.x2, self.y2)
        # Compared, not math.isfinite: that raises on an integer of hundreds of digits, which JSON may hold.
        if not all(isinstance(v, (int, float)) and -math.inf < v < math.inf for v in values):
            raise InvalidBox(f"a box needs four finite numbers, not {list(values)}")
        if not (0 <= self.x1 < self.x2 <= 1 and 0 <= self.y1 < self.y2 <= 1):
            raise InvalidBox(
                f"the box {list(values)} is empty, reversed or outside the picture: "
                "x1 < x2 and y1 < y2 are needed, all from 0 to 1"
            )
        for name, value in zip(("x1", "y1", "x2", "y2"), values, strict=True):
            object.__setattr__(self, name, float(value) + 0.0)  # -0.0 becomes 0.0: equal boxes hash alike

    @classmethod
    def full(cls) -> Box:
        return cls(0.0, 0.0, 1.0, 1.0)

    def as_list(self) -> list[float]:
        return [self.x1, self.y1, self.x2, self.y2]

    @property
    def area(self) -> float:
        """Share of the picture, in (0, 1]; 0 where that is too small for a float."""
        return (self.x2 - self.x1) * (self.y2 - self.y1)

    def to_pixels(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """The smallest whole-pixel rectangle (left, top, right, bottom) of a picture of `size` (width, height) that
        holds the box. Never empty; right and bottom are exclusive, as Pillow's `crop` wants them."""
        width, height = size
        # A boundary that float arithmetic put a hair past a whole pixel must not gain a row or column.
        left, top = math.floor(self.x1 * width + 1e-6), math.floor(self.y1 * height + 1e-6)
        right, bottom = math.ceil(self.x2 * width - 1e-6), math.ceil(self.y2 * height - 1e-6)
        left, top = min(left, width - 1), min(top, height - 1)
        return left, top, max(min(right, width), left + 1), max(min(bottom, height), top + 1)

    def within(self, outer: Box) -> Box:
        """This box, given relative to `outer`, in the coordinates that `outer` itself is given in."""
        width, height = outer.x2 - outer.x1, outer.y2 - outer.y1
        return Box(
            outer.x1 + self.x1 * width,
            outer.y1 + self.y1 * height,
            min(outer.x1 + self.x2 * width, outer.x2),
            min(outer.y1 + self.y2 * height, outer.y2),
        )

    def relative_to(self, outer: Box) -> Box:
        """This box, given in the coordinates that `outer` is given in, relative to `outer` and clamped to it: the inverse
        of `within`. Raises InvalidBox where the two do not overlap."""
        width, height = outer.x2 - outer.x1, outer.y2 - outer.y1
        x1, x2 = ((min(max(x, outer.x1), outer.x2) - outer.x1) / width for x in (self.x1, self.x2))
        y1, y2 = ((min(max(y, outer.y1), outer.y2) - outer.y1) / height for y in (self.y1, self.y2))
        return Box(max(x1, 0.0), max(y1, 0.0), min(x2, 1.0), min(y2, 1.0))

    def intersection_area(self, other: Box) -> float:
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        return max(width, 0.0) * max(height, 0.0)

    def iou(self, other: Box) -> float:
        """Intersection over union, in [0, 1]."""
        shared = self.intersection_area(other)
        union = self.area + other.area - shared
        # Two slivers may both be too small for their areas to be told from 0.
        return shared / union if union else float(self == other)

    def coverage_of(self, other: Box) -> float:
        """The share of `other` that lies inside this box, in [0, 1]."""
        if not other.area:
            return float(self.x1 <= other.x1 and self.y1 <= other.y1 and other.x2 <= self.x2 and other.y2 <= self.y2)
        return self.intersection_area(other) / other.area


@dataclass(frozen=True, slots=True)
class Media:
    """A source image or video, named by the SHA-256 of its bytes; width and height in pixels, as seen upright."""

    sha256: str
    kind: MediaKind
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class View:
    """One addressable picture, numbered from 1 in the order the model saw them.

    `sha256` names the media, `frame` the frame of the sampled clip (from 1; None for an image), and `box` the region in
    the ORIGINAL's coordinates.
    """

    number: int
    sha256: str
    frame: int | None
    box: Box


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where the answer is to be seen: boxes on the image, or frames (from 1) of the clip."""

    boxes: tuple[Box, ...] = ()
    frames: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """A question about media, with all that is known of its answer.

    `answer` is the gold answer, None where it is not known, and `other_answers` are as good (InfographicsVQA has several).
    `options` are the texts of a multiple choice, in the order A, B, C, ...; an answer is then a letter or such a text.
    `rule` is how an answer is scored; None: by letter with options, as text without. `category` and `difficulty` are what a
    summary reports apart. `source` is where it came from, "benchmark or file/its id in there".
    """

    question: str
    media: tuple[Media, ...]
    answer: str | None = None
    options: tuple[str, ...] = ()
    evidence: Evidence | None = None
    other_answers: tuple[str, ...] = ()
    rule: Rule | None = None
    category: str | None = None
    difficulty: str | None = None
    source: str = ""

    @property
    def right_answers(self) -> tuple[str, ...]:
        """All that are known to be right; empty where none is."""
        return () if self.answer is None else (self.answer, *self.other_answers)


@dataclass(frozen=True, slots=True)
class ZoomIn:
    """Look at the region `box` of the view numbered `view`; the box is relative to that view."""

    view: int
    box: Box


@dataclass(frozen=True, slots=True)
class SelectFrames:
    """Look at these frames of the clip (numbered from 1) at a higher resolution."""

    frames: tuple[int, ...]


Operation = ZoomIn | SelectFrames


@dataclass(frozen=True, slots=True)
class Observation:
    """What came back: the numbers of the new views, or an error that the model should read. Never both, never neither."""

    views: tuple[int, ...] = ()
    error: str | None = None

    def __post_init__(self) -> None:
        if bool(self.views) == (self.error is not None):
            raise ValueError(f"an observation has views or an error, not views={self.views} error={self.error!r}")


@dataclass(frozen=True, slots=True)
class Step:
    """One model turn: a thought, and an operation with its observation, or an answer.

    A call that could not be parsed has no operation: its text stays in `thought`, word for word, and the observation
    holds the error. A turn that was cut off (cancelled, out of tokens) has a thought alone. `is_erroneous` marks a step
    that is kept for correction training and masked in the loss.
    """

    thought: str
    operation: Operation | None = None
    observation: Observation | None = None
    answer: str | None = None
    is_erroneous: bool = False

    def __post_init__(self) -> None:
        if self.answer is not None and (self.operation is not None or self.observation is not None):
            raise ValueError("a step operates or answers, never both")


@dataclass(frozen=True, slots=True)
class Trace:
    """One complete attempt at an example. `policy` and `protocol` are names; views are numbered 1, 2, 3, ...
    `is_operating` is False where the policy was asked to answer without operations."""

    question: str
    media: tuple[Media, ...]
    views: tuple[View, ...]
    steps: tuple[Step, ...]
    stop_reason: StopReason
    policy: str
    protocol: str
    is_operating: bool = True

    def __post_init__(self) -> None:
        if [v.number for v in self.views] != list(range(1, len(self.views) + 1)):
            raise ValueError(f"views are numbered from 1 without gaps, not {[v.number for v in self.views]}")
        if self.stop_reason not in STOP_REASONS:
            raise ValueError(f"stop_reason {self.stop_reason!r} is none of {', '.join(STOP_REASONS)}")

    @property
    def example(self) -> Example:
        """What was asked, as an example of whose answer nothing is known."""
        return Example(self.question, self.media)

    @property
    def answer(self) -> str | None:
        """The answer of the last step, or None where the trace ended without one."""
        return self.steps[-1].answer if self.steps else None

    @property
    def has_operation(self) -> bool:
        """Whether any operation was executed with success; RaPR counts these."""
        return any(s.operation is not None and s.observation is not None and s.observation.views for s in self.steps)

    @property
    def invites_operations(self) -> bool:
        """Whether the question that these steps answer is the one that invites operations: a person's edit may have given
        an operation to a trace that was asked to do without."""
        return self.is_operating or self.has_operation

    @property
    def operation_errors(self) -> int:
        """How many turns came back with an execution error."""
        return sum(1 for s in self.steps if s.observation is not None and s.observation.error is not None)

    def view(self, number: int) -> View:
        return self.views[number - 1]


def medium_of(view: View, media: Sequence[Media]) -> Media:
    """The medium that the view shows."""
    return next(medium for medium in media if medium.sha256 == view.sha256)


def shown_before(views: Sequence[View], steps: Sequence[Step]) -> tuple[int, ...]:
    """For each step how many of `views`, all that these steps ended with, had been shown when it was said."""
    brought = [len(step.observation.views) if step.observation else 0 for step in steps]
    opening = max(len(views) - sum(brought), 0)
    return tuple(opening + sum(brought[:k]) for k in range(len(steps)))


def view_size(view: View, media: Sequence[Media]) -> tuple[int, int]:
    """Width and height in pixels of what the view shows, cut from the original at full resolution."""
    medium = medium_of(view, media)
    left, top, right, bottom = view.box.to_pixels((medium.width, medium.height))
    return right - left, bottom - top


def first_views(media: Sequence[Media]) -> tuple[View, ...]:
    """What the model sees before it does anything: each image whole, each video as its CLIP_FRAMES sampled frames."""
    views: list[View] = []
    for medium in media:
        frames: Sequence[int | None] = [None] if medium.kind == "image" else range(1, CLIP_FRAMES + 1)
        # Counted before: `extend` lets the list grow while the generator is read.
        shown = len(views)
        views.extend(View(shown + k, medium.sha256, frame, Box.full()) for k, frame in enumerate(frames, 1))
    return tuple(views)


def media_positions(media: Sequence[Media], views: Sequence[View], steps: Sequence[Step]) -> tuple[int, ...]:
    """For each view the position (from 0) in `media` of the medium that it shows.

    The same picture may stand in a question twice, and then its hash names neither of them: opening views follow the order
    of the media, a zoom stays within the picture that it looks into, and selected frames are those of the first clip. A
    view that fits into none of this is of the first medium with its hash. Raises ValueError for a hash that no medium has.
    """
    hashes = [medium.sha256 for medium in media]
    opening = max(len(views) - sum(len(step.observation.views) for step in steps if step.observation), 0)
    order = [position for position, medium in enumerate(media) for _ in first_views([medium])]
    found = {view.number: position for view, position in zip(views[:opening], order, strict=False)}
    clip = next((position for position, medium in enumerate(media) if medium.kind == "video"), None)
    for step in steps:
        operation = step.operation
        within = found.get(operation.view) if isinstance(operation, ZoomIn) else clip if operation else None
        if within is not None and step.observation is not None:
            found |= dict.fromkeys(step.observation.views, within)

    def position_of(view: View) -> int:
        known = found.get(view.number)
        if known is not None and media[known].sha256 == view.sha256:
            return known
        return hashes.index(view.sha256)

    return tuple([position_of(view) for view in views])
