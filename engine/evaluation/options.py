"""Options of a multiple choice: in another order, what guessing among them scores, and whether answers agree.

The order of options is worth points (docs/evaluation.md): data sets ship the right one first, or shuffled; whoever compares
scores must know which. Pure: no I/O, no torch.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable

from engine.evaluation.reading import normalised, read_letter, read_number
from engine.evaluation.scoring import rule_of
from engine.trace import Example

__all__ = ["agree", "chance", "shuffled"]


def shuffled(example: Example, seed: int, position: int) -> Example:
    """The example with its options in an order that follows from `seed` and its `position` in its source, its answers the
    letters that now stand before them; one without options as it is."""
    if len(example.options) < 2:
        return example
    order = list(range(len(example.options)))
    random.Random(f"{seed}/{position}").shuffle(order)

    def moved(answer: str) -> str:
        letter = read_letter(answer, example.options)
        return answer if letter is None else chr(ord("A") + order.index(ord(letter) - ord("A")))

    return dataclasses.replace(
        example,
        options=tuple(example.options[k] for k in order),
        answer=None if example.answer is None else moved(example.answer),
        other_answers=tuple(moved(answer) for answer in example.other_answers),
    )


def chance(example: Example) -> float | None:
    """What choosing any option blindly scores on average, None where there is nothing to choose from."""
    if example.answer is None or rule_of(example) != "letter" or not example.options:
        return None
    right = {read_letter(answer, example.options) for answer in (example.answer, *example.other_answers)}
    return len(right) / len(example.options)


def agree(answers: Iterable[str | None], example: Example) -> bool:
    """Whether all answers to an example say the same, as its rule reads them; None is no answer."""
    return len({_said(answer, example) for answer in answers}) <= 1


def _said(answer: str | None, example: Example) -> str | int | None:
    if answer is None:
        return None
    read: str | int | None = None
    if rule_of(example) == "letter":
        read = read_letter(answer, example.options, len(example.options) or 26)
    elif rule_of(example) in ("number", "only-number"):
        read = read_number(answer)
    return normalised(answer) if read is None else read
