"""The texts of a trace's turns, the boxes that they should propose, and the tokens that attention should look at.

Invariant: every text is what the engine's protocol `studio` renders; `tests/lab/recipe` compares them.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache

from transformers import PreTrainedTokenizerFast

from engine.lab.recipe.sequences import EARLY, LATE, Encode, Sequence
from engine.lab.recipe.views import LabelledPicture, Shares
from engine.lab.world import clips, scenes
from engine.lab.world.words import CHARACTERS

__all__ = [
    "AFTER_ERROR",
    "CUT_OFF",
    "ERRORS",
    "NO_OPERATIONS",
    "WRONG_FRAME",
    "WRONG_PLACE",
    "Lexicon",
    "add_answer",
    "answer",
    "call_select",
    "call_zoom",
    "guess",
    "jitter",
    "lexicon_of",
    "margin_box",
    "shares_of",
    "thought_for",
]

NO_OPERATIONS = " Answer without operations."
TOO_SMALL = "The text on the {color} {shape} is too small to read. I will {plan}."
ZOOM_PLAN, SELECT_PLAN = "zoom in", "select the frame"
WRONG_PLACE = "That is not the {color} {shape}. I will look again."
WRONG_FRAME = "That is not the frame. I will look again."
CUT_OFF = "The text is cut off. I will zoom in again."
AFTER_ERROR = "I will try again."
ERRORS = (
    "the box {box} is empty, reversed or outside the picture: x1 < x2 and y1 < y2 are needed, all from 0 to 1",
    "there is no picture {number}",
    "the call is not valid JSON",
    "bbox_2d needs four numbers [x1, y1, x2, y2], not {box}",
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The tokens that samples look at."""

    encode: Encode
    picture_id: int
    coordinate_ids: frozenset[int]
    character_ids: frozenset[int]
    digit_ids: frozenset[int]

    def begin(self) -> Sequence:
        return Sequence(self.encode, self.picture_id)


def lexicon_of(tokenizer: PreTrainedTokenizerFast) -> Lexicon:
    """The lexicon of a tokenizer. Its texts repeat, so their tokens are remembered."""
    vocabulary = tokenizer.get_vocab()

    @lru_cache(maxsize=20000)
    def encode(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def ids(tokens: list[str]) -> frozenset[int]:
        return frozenset(vocabulary[token] for token in tokens)

    coordinates = ids([f"{k / 100:.2f}" for k in range(101)])
    return Lexicon(encode, vocabulary["<|image_pad|>"], coordinates, ids(list(CHARACTERS)), ids(list("0123456789")))


def call_zoom(thought: str, box: Shares, picture: int = 1) -> str:
    edges = ", ".join(f"{edge:.2f}" for edge in box)
    return (
        f'{thought}<tool_call>{{"name": "zoom_in", "arguments": {{"bbox_2d": [{edges}], "target_image": {picture}}}}}'
        "</tool_call>"
    )


def call_select(thought: str, frame: int) -> str:
    return f'{thought}<tool_call>{{"name": "select_frames", "arguments": {{"target_frames": [{frame}]}}}}</tool_call>'


def answer(text: str) -> str:
    return f"It says \\boxed{{{text}}}"


def guess(text: str) -> str:
    return f"I can only guess: \\boxed{{{text}}}"


def thought_for(sign: scenes.Sign | clips.ClipSign, plan: str) -> str:
    return TOO_SMALL.format(color=sign.color, shape=sign.shape, plan=plan)


def shares_of(box: tuple[float, ...], size: tuple[int, int]) -> Shares:
    return box[0] / size[0], box[1] / size[1], box[2] / size[0], box[3] / size[1]


def margin_box(box: tuple[int, int, int, int], size: tuple[int, int]) -> Shares:
    """The box to propose for a sign, with a margin that forgives the usual error of a box: a tenth of its width at each
    side and a sixth of its height above and below, but at least one and two hundredths of the picture; rounded outwards
    to hundredths. Signs are about twice as wide as high, so the same error cuts them off above or below first."""
    x1, y1, x2, y2 = shares_of(box, size)
    across, down = max(0.01, (x2 - x1) / 10), max(0.02, (y2 - y1) / 6)
    return (
        max(0.0, math.floor(100 * (x1 - across)) / 100),
        max(0.0, math.floor(100 * (y1 - down)) / 100),
        min(1.0, math.ceil(100 * (x2 + across)) / 100),
        min(1.0, math.ceil(100 * (y2 + down)) / 100),
    )


def jitter(rng: random.Random, box: Shares, spread: float) -> Shares:
    """A box as a model might propose it instead."""
    x1, y1, x2, y2 = (min(1.0, max(0.0, round(edge + rng.gauss(0, spread), 2))) for edge in box)
    return (x1, y1, x2, y2) if x2 - x1 > 0.02 and y2 - y1 > 0.02 else box


def add_answer(
    lexicon: Lexicon,
    sequence: Sequence,
    text: str,
    view: LabelledPicture,
    start: int,
    centers: list[tuple[float, float]],
) -> None:
    """The answer; each character is read off the token that its centre lies in, found from the one before it."""
    where = sequence.add_assistant(answer(text))
    first = where.stop - 1 - len(text)  # the characters stand before the closing brace
    for k, (x, y) in enumerate(centers):
        token = view.token_at(x, y)
        if token is not None:
            sequence.pulls.append((first + k - 1, start + token, LATE))
            sequence.pulls.append((first + k, start + token, EARLY))
