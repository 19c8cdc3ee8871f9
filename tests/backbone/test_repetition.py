"""A turn that goes round in circles is noticed, and one that only repeats a form is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.backbone.repetition import LEAST_COPIES, LEAST_TOKENS, LONGEST_PERIOD, Repetition


def found_at(tokens: list[int]) -> int | None:
    """After how many tokens the repetition is found."""
    repetition = Repetition()
    return next((end for end in range(1, len(tokens) + 1) if repetition.is_found(tokens[:end])), None)


@given(
    before=st.lists(st.integers(0, 3), max_size=20),
    period=st.integers(1, LONGEST_PERIOD),
)
def test_it_is_found_once_there_are_copies_enough(before, period):
    phrase = list(range(100, 100 + period))
    needed = max(LEAST_TOKENS, LEAST_COPIES * period)
    assert found_at(before + phrase * (LEAST_TOKENS + LEAST_COPIES)) == len(before) + needed


def test_a_table_whose_numbers_differ_is_no_repetition():
    assert found_at([token for row in range(300) for token in (1, 2, 1000 + row, 3)]) is None


def test_a_phrase_that_is_broken_begins_anew():
    phrase = [5, 6, 7, 8]
    assert found_at((phrase * 31 + [9]) * 10) is None
