"""Items made beforehand: their order, what is raised, how many wait, and closing."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.ahead import ahead


@given(items=st.lists(st.integers()), most=st.integers(1, 20))
def test_the_items_come_in_their_order(items: list[int], most: int):
    assert list(ahead(items, most)) == items


def test_what_the_iterator_raises_comes_in_its_place():
    def items():
        yield 1
        raise ValueError("two is no item")

    coming = ahead(items(), 8)
    assert next(coming) == 1
    with pytest.raises(ValueError, match="two is no item"):
        next(coming)


def test_few_are_made_beforehand_in_one_thread_and_closing_ends_them():
    made, threads, is_closed = [], set(), []

    def items():
        try:
            for number in range(100):
                made.append(number)
                threads.add(threading.current_thread())
                yield number
        finally:
            is_closed.append(True)

    coming = ahead(items(), 3)
    assert next(coming) == 0
    coming.close()
    assert len(made) <= 4
    assert len(threads) == 1 and threading.current_thread() not in threads
    assert is_closed == [True]
