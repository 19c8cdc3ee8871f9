"""A notebook's way to the studio: ask, look at the boxes, record.

    from engine import notebook

    home = notebook.open_home()
    asked = home.ask("street.jpg", "What does the far sign say?")
    asked.pictures()[0]
    home.record(asked)

The last expression of a cell shows itself: a picture is Pillow's, with every view that a step opened as a numbered box.
What is recorded waits in the queue of whoever starts the studio in the same home.

Not covered: anything else that the studio does; `engine.opening` has its parts.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from engine.drivers.streaming import stream
from engine.errors import InvalidInput
from engine.media import LoadedMedia, MediaFolder
from engine.opening import loop_limits, open_media, open_policy, open_store
from engine.policies.base import Policy
from engine.reasoning import Finished, Limits
from engine.settings import Settings
from engine.store import Store
from engine.trace import Box, Example, Trace

__all__ = ["Asked", "Home", "open_home"]

_AUTHOR = "notebook"
_COLOURS = ("#e11d48", "#2563eb", "#16a34a", "#d97706", "#9333ea", "#0891b2")


@dataclass(frozen=True, slots=True)
class Asked:
    """One attempt: its trace, and how sure the policy was of it in [0, 1], None where it did not tell."""

    trace: Trace
    confidence: float | None
    name: str
    loaded: LoadedMedia

    @property
    def answer(self) -> str | None:
        return self.trace.answer

    def pictures(self) -> list[Image.Image]:
        """The picture, or each frame of the clip that a view shows, with the boxes that were looked at, each with its view's
        number."""
        shown: dict[int | None, list[tuple[int, Box]]] = {}
        for view in self.trace.views:
            boxes = shown.setdefault(view.frame, [])
            if view.box != Box.full():
                boxes.append((view.number, view.box))
        return [_drawn(self.loaded.picture(frame), boxes) for frame, boxes in shown.items()]


@dataclass(frozen=True, slots=True)
class Home:
    """A studio's home with a policy that answers."""

    store: Store
    media: MediaFolder
    policy: Policy
    limits: Limits

    def ask(self, media: Path | str, question: str, *, seed: int | None = None) -> Asked:
        """Asks about a picture or a clip, a file by its path; with a seed the answer is sampled, else greedy. Nothing is
        recorded. Raises InvalidMedia, and InvalidInput without a question."""
        if not question.strip():
            raise InvalidInput("the question is empty; ask something about the picture or video")
        loaded = self.media.take(media, self.policy.protocol.CLIP_SAMPLING)
        example = Example(question.strip(), (loaded.media,))
        notices = stream(self.policy, example, {loaded.media.sha256: loaded}, self.limits, seed=seed)
        [ended] = [notice for notice in notices if isinstance(notice, Finished)]
        return Asked(ended.trace, ended.confidence, Path(media).name, loaded)

    def record(self, asked: Asked) -> str:
        """Keeps the trace for review, and returns its id."""
        sha256 = asked.loaded.media.sha256
        with self.store.transaction():
            self.store.media.record(asked.loaded.media, asked.name, self.media.path(sha256).stat().st_size)
            return self.store.traces.record(
                asked.trace,
                author=_AUTHOR,
                policy_settings=dict(self.policy.settings()),
                confidence=asked.confidence,
            ).id


def open_home(environment: Mapping[str, str] | None = None) -> Home:
    """The home that STUDIO_... variables name (README has them), by default the working directory with the embedded model.
    Raises InvalidSetting, Unavailable."""
    settings = Settings.from_environment(os.environ if environment is None else environment)
    policy = open_policy(settings)
    return Home(open_store(settings), open_media(settings), policy, loop_limits(settings))


def _drawn(picture: Image.Image, boxes: list[tuple[int, Box]]) -> Image.Image:
    """A copy of the picture with numbered boxes; lines are wider on larger pictures."""
    copy = picture.convert("RGB")
    copy = copy.copy() if copy is picture else copy
    pen, width_px = ImageDraw.Draw(copy), max(2, max(copy.size) // 300)
    for number, box in boxes:
        colour = _COLOURS[number % len(_COLOURS)]
        left, top, right, bottom = box.to_pixels(copy.size)
        pen.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=width_px)
        place, size_px = (left + width_px, top + width_px), max(12, max(copy.size) // 40)
        pen.rectangle(pen.textbbox(place, str(number), font_size=size_px), fill=colour)
        pen.text(place, str(number), fill="white", font_size=size_px)
    return copy
