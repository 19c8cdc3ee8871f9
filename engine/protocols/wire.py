"""What a wire format offers, and the parts that its messages are made of.

The idea: a protocol is a module with the functions of `WireProtocol`; a message is a tuple of parts, text or picture, that a
policy turns into tokens.

Invariant: `parse(render(step, views, media), views, media) == step` for every step that the protocol can write
(coordinates on its grid, thoughts stripped and free of its markers). In a family whose zooms are always into the picture
of the question, a zoom into a crop comes back as the zoom into that picture that shows the same region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from engine.media import Sampling
from engine.operations import CropRule
from engine.trace import Box, Media, Observation, Step, View

__all__ = [
    "Part",
    "PictureRole",
    "PicturePart",
    "TextPart",
    "WireProtocol",
    "is_selection",
    "picture_role",
    "seen_together",
]

PictureRole = Literal["image", "frame", "crop", "selected_frame"]
"""What a picture is to the model; each role has its own pixel budget."""


@dataclass(frozen=True, slots=True)
class TextPart:
    text: str


@dataclass(frozen=True, slots=True)
class PicturePart:
    view: View
    role: PictureRole


Part = TextPart | PicturePart


class WireProtocol(Protocol):
    """What every protocol module offers. `views` are all views shown so far, `media` their sources. A view's number is the
    trace's; what the family calls it is the module's to translate, both ways."""

    NAME: str
    CROP_RULE: CropRule
    CALL_END: str
    """The text that ends a call, and with it the model's turn."""
    CLIP_SAMPLING: Sampling
    """Which frames of a clip the family was trained on; in time where it saw no clips."""

    CLIP_IS_ONE_VIDEO: bool
    """Whether the frames of a clip went in as one video in training, two a temporal patch, or each as a picture."""

    def system(self, views: Sequence[View], is_operating: bool) -> str | None:
        """The system message, or None where the family has none. `views` are those that the question opens with."""

    def opening(
        self, question: str, options: Sequence[str], views: Sequence[View], is_operating: bool
    ) -> tuple[Part, ...]:
        """The first user turn: the pictures and the question."""

    def observation(
        self,
        observation: Observation,
        views: Sequence[View],
        media: Sequence[Media],
        shown_sizes: Sequence[tuple[int, int]],
    ) -> tuple[Part, ...]:
        """The user turn that answers an operation. `views` may hold later ones, too; `shown_sizes` are (width, height) of
        the new pictures as the policy will show them, after its pixel budget."""

    def render(self, step: Step, views: Sequence[View], media: Sequence[Media]) -> str:
        """The step as the model would write it when `views` had been shown. Raises InvalidInput where the wire format
        cannot carry it."""

    def parse(
        self, text: str, views: Sequence[View], media: Sequence[Media], shown_sizes: Sequence[tuple[int, int]] = ()
    ) -> Step:
        """The step that the model wrote, without its observation. `shown_sizes` are (width, height) at which the policy
        showed each of `views`: pixels that a model writes may be of what it saw. What `render` wrote is read without
        them. Raises ModelMistake for a bad call, InvalidInput for pixels without a size; a text with neither call nor
        box is an answer as it stands."""


def seen_together(shown: Sequence[PicturePart], *, is_one_video: bool) -> list[tuple[PicturePart, ...]]:
    """Pictures that stand side by side as the model sees them: each by itself, but the frames of a clip that is one video."""
    together: list[tuple[PicturePart, ...]] = []
    for part in shown:
        last = together[-1] if together else ()
        is_next = is_one_video and part.role == "frame" and last and last[-1].role == "frame"
        if is_next and last[-1].view.sha256 == part.view.sha256:
            together[-1] = (*last, part)
        else:
            together.append((part,))
    return together


def picture_role(view: View, *, is_opening: bool) -> PictureRole:
    """What a picture is to the model, in every protocol: a whole frame that is asked for again is a selected one, any
    other region a crop. `is_opening` says that it was among the first views."""
    if is_opening:
        return "image" if view.frame is None else "frame"
    return "crop" if view.frame is None or view.box != Box.full() else "selected_frame"


def is_selection(new: Sequence[View]) -> bool:
    """Whether the new views of an observation are whole frames of a clip, that is, came from `select_frames`."""
    return new[0].frame is not None and new[0].box == Box.full()
