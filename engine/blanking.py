"""Blanking: would the answer change if a crop had shown nothing?

The idea: the policy goes on after the step twice, greedily: once as it was, once with the crop's pixels replaced by their
mean colour. A crop that can be blanked without changing the answer was not what the answer came from.

Invariant: only that crop is blank; the whole picture, from which it was cut, is shown as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageStat

from engine.editing import continue_from, draft_of, prefix
from engine.errors import InvalidInput
from engine.media import LoadedMedia, Pictures
from engine.policies.base import Policy, never
from engine.reasoning import Finished, Limits
from engine.trace import Box, Trace, View, ZoomIn

__all__ = ["Blanked", "blank_out", "would_answer_change"]


@dataclass(frozen=True, slots=True)
class Blanked:
    """`expected` is what the policy answers with the crop, `answer` what it answers without; None is no answer."""

    step_index: int
    expected: str
    answer: str | None

    @property
    def is_changed(self) -> bool:
        return _plain(self.expected) != _plain(self.answer)


@dataclass(frozen=True, slots=True, eq=False)
class _BlankedMedia(LoadedMedia):
    """Media whose crop at one place is a blank."""

    blank_frame: int | None = None
    blank_box: Box = Box(0.0, 0.0, 1.0, 1.0)

    def crop(self, frame: int | None, box: Box) -> Image.Image:
        # Named in full: a slotted dataclass is made anew, and plain super() would still mean the first one.
        picture = LoadedMedia.crop(self, frame, box)
        if (frame, box) != (self.blank_frame, self.blank_box):
            return picture
        colour = tuple(round(value) for value in ImageStat.Stat(picture).mean)
        return Image.new("RGB", picture.size, colour)


def blank_out(pictures: Pictures, view: View) -> Pictures:
    """The pictures with this one view's pixels blank. Raises InvalidInput where the view is a whole picture."""
    if view.box == Box.full():
        raise InvalidInput("this step shows the whole picture, which cannot be blanked without hiding everything")
    loaded = pictures[view.sha256]
    blanked = _BlankedMedia(loaded.media, loaded.frames, loaded.times_s, view.frame, view.box)
    return {**pictures, view.sha256: blanked}


def would_answer_change(
    trace: Trace,
    step_index: int,
    policy: Policy,
    pictures: Pictures,
    *,
    options: tuple[str, ...] = (),
    limits: Limits | None = None,
    is_cancelled: Callable[[], bool] = never,
) -> Blanked | None:
    """Asks the policy to go on after the zoom at `step_index` (from 0), with its crop and with a blank; None where it was
    cancelled. Raises InvalidInput where that step brought no crop, or no answer comes even with it, and whatever the
    policy raises."""
    prefix(trace, step_index)  # says what is wrong with the index before anything runs
    step = trace.steps[step_index] if step_index >= 0 else None
    if step is None or not isinstance(step.operation, ZoomIn) or not (step.observation and step.observation.views):
        raise InvalidInput(f"step {step_index + 1} did not bring a crop that could be blanked")
    blanked = blank_out(pictures, trace.view(step.observation.views[0]))
    draft = draft_of("", trace)

    def answer_from(shown: Pictures) -> str | None:
        notices = continue_from(
            draft, step_index, policy, shown, options=options, limits=limits, is_cancelled=is_cancelled
        )
        return next((notice.trace.answer for notice in notices if isinstance(notice, Finished)), None)

    expected = answer_from(pictures)
    if is_cancelled():
        return None
    if expected is None:
        raise InvalidInput("from this step on no answer comes even with the crop, so blanking it would show nothing")
    answer = answer_from(blanked)
    return None if is_cancelled() else Blanked(step_index, expected, answer)


def _plain(answer: str | None) -> str:
    return " ".join((answer or "").split()).casefold()
