"""A conversation that somebody wrote down becomes a trace: its turns are parsed, its operations executed again.

The algorithm: from the first views of its media on, each turn is parsed by the protocol; an operation whose result was
pictures is executed on the original's pixels, by the protocol's own crop rule and without padding, and of these crops the
one is taken that looks like the picture in the file. So a trace's views are always our own, cut at full resolution,
and where none of them looks alike, that is counted and told.

Invariant: what was written in a protocol by `engine.exchange.conversation`, and read here, is the same trace, but for what
the format loses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image, ImageChops, ImageStat

from engine.errors import InvalidInput, ModelMistake
from engine.exchange.files import Source, load, picture
from engine.exchange.format import Brought
from engine.exchange.placeholders import unescaped
from engine.media import Pictures
from engine.operations import CropRule, cut, execute
from engine.protocols import WireProtocol
from engine.store import Dossier
from engine.trace import Example, Media, Observation, Operation, Step, StopReason, Trace, View, first_views

__all__ = ["DIFFERENT", "IMPORTED", "SaidTurn", "question_and_options", "replayed"]

IMPORTED = "imported"
"""The policy of a trace whose file does not name one."""
DIFFERENT = "crops that look otherwise than the box shows, for which the studio's own were taken"

_ALIKE = 12.0
"""The mean difference of grey values, of 255, up to which two pictures look alike at 64 x 64: what JPEG and resizing do."""
_OPTION = re.compile(r"\(([A-Z])\) (.*)")


@dataclass(frozen=True, slots=True)
class SaidTurn:
    """A turn of the model in the words of a protocol, and what came back: pictures, or an error, or neither."""

    text: str
    pictures: tuple[Source, ...] = ()
    error: str | None = None
    is_erroneous: bool = False


def replayed(
    place: str,
    example: Example,
    files: Sequence[Source],
    turns: Sequence[SaidTurn],
    protocol: WireProtocol,
    *,
    is_operating: bool = True,
    policy: str = IMPORTED,
    known: Dossier | None = None,
) -> Brought:
    """The trace of these turns; `example` has no media yet, `known` is what else the file says of it. Raises InvalidInput
    where an operation cannot have been executed, InvalidMedia for a picture."""
    sampling = protocol.CLIP_SAMPLING
    loaded = [load(file, sampling) for file in files]
    media = tuple(one.media for one in loaded)
    replay = _Replay(protocol, media, {one.media.sha256: one for one in loaded})
    for number, turn in enumerate(turns, 1):
        try:
            replay.take(turn)
        except ModelMistake as mistake:
            raise InvalidInput(f"turn {number} cannot have brought pictures: {mistake}") from None
    question = replace(example, media=media, question=unescaped(example.question))
    question = replace(question, options=tuple(map(unescaped, example.options)))
    stop: StopReason = "answered" if replay.steps and replay.steps[-1].answer is not None else "max_steps"
    trace = Trace(
        question.question,
        media,
        tuple(replay.views),
        tuple(replay.steps),
        stop,
        policy,
        protocol.NAME,
        is_operating,
    )
    dossier = replace(known or Dossier(trace, question), trace=trace, example=question)
    return Brought(place, dossier, tuple(files), sampling, tuple(replay.notes))


class _Replay:
    def __init__(self, protocol: WireProtocol, media: tuple[Media, ...], pictures: Pictures) -> None:
        self.protocol, self.media, self.pictures = protocol, media, pictures
        self.views: list[View] = list(first_views(media))
        self.sizes = [pictures[view.sha256].picture(view.frame).size for view in self.views]
        self.steps: list[Step] = []
        self.notes: list[str] = []

    def take(self, turn: SaidTurn) -> None:
        step = self._parsed(turn)
        if turn.pictures:
            if step.operation is None:
                raise ModelMistake("it calls no operation")
            shown = [picture(source) for source in turn.pictures]
            new = self._executed(step.operation, shown)
            step = replace(step, observation=Observation(tuple(view.number for view in new)))
            self.views += new
            self.sizes += [one.size for one in shown]
        self.steps.append(step)

    def _parsed(self, turn: SaidTurn) -> Step:
        error = None if turn.error is None else Observation(error=unescaped(turn.error))
        try:
            step = self.protocol.parse(turn.text, self.views, self.media, self.sizes)
        except ModelMistake as mistake:
            if turn.pictures:
                raise
            said = unescaped(turn.text.strip())
            return Step(said, observation=error or Observation(error=str(mistake)), is_erroneous=turn.is_erroneous)
        if error is not None and step.operation is None:
            step = Step(turn.text.strip())
        thought = unescaped(step.thought)
        answer = None if step.answer is None else unescaped(step.answer)
        return Step(thought, step.operation, error, answer, turn.is_erroneous)

    def _executed(self, operation: Operation, shown: Sequence[Image.Image]) -> tuple[View, ...]:
        rule = self.protocol.CROP_RULE
        found: dict[tuple[View, ...], float] = {}
        mistake: ModelMistake | None = None
        for one in (rule, CropRule(), replace(rule, min_side_px=1), CropRule(padding=0.1)):
            try:
                new = execute(operation, self.views, self.pictures, one)
            except ModelMistake as error:
                mistake = mistake or error
            else:
                if new not in found and len(new) == len(shown):
                    found[new] = sum(
                        _difference(cut(view, self.pictures), two) for view, two in zip(new, shown, strict=True)
                    )
        if not found:
            raise mistake or ModelMistake(f"it asks for another number of pictures than the {len(shown)} that came")
        best = min(found, key=lambda new: found[new])
        if found[best] > _ALIKE * len(shown):
            self.notes.append(DIFFERENT)
        return best


def _difference(ours: Image.Image, theirs: Image.Image) -> float:
    """How different two pictures look, from 0 to 255; a little more where their sizes differ, much where their shapes do."""
    size = (64, 64)
    grey = [one.convert("L").resize(size, Image.Resampling.BOX, reducing_gap=2.0) for one in (ours, theirs)]
    seen = ImageStat.Stat(ImageChops.difference(*grey)).mean[0]
    shape = abs(ours.width * theirs.height - theirs.width * ours.height) / (ours.width * theirs.height)
    return seen + (0 if ours.size == theirs.size else 1) + (255 if shape > 0.1 else 0)


def question_and_options(text: str) -> tuple[str, tuple[str, ...]]:
    """The inverse of `engine.protocols.calls.question_text`: lines "(A) ...", "(B) ..." at the end are options."""
    lines = text.split("\n")
    found: list[str] = []
    while lines and (option := _OPTION.fullmatch(lines[-1])):
        found.insert(0, lines.pop())
        if option[1] == "A":
            break
    letters = [line[1] for line in found]
    if len(found) < 2 or not lines or letters != [chr(ord("A") + k) for k in range(len(found))]:
        return text, ()
    return "\n".join(lines), tuple(line[4:] for line in found)
