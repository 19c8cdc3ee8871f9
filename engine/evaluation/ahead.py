"""Items made a few at a time before they are asked for, in a thread of their own.

The idea: drawing, decoding and encoding a picture let go of the interpreter for most of their time, so the next examples are
made on another core while the policy speaks.

Invariants: the order is that of the iterator, which only ever runs in that one thread; at most `most` items wait; what it
raises is raised where its item would have come.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead"]

T = TypeVar("T")


def ahead(items: Iterable[T], most: int) -> Generator[T, None, None]:
    """The items in their order, up to `most` (from 1) of them made beforehand. Closing it ends the iterator after the item that
    is being made."""
    coming = iter(items)
    made: deque[Future[tuple[T] | None]] = deque()
    with ThreadPoolExecutor(1, "ahead") as maker:
        try:
            made.extend(maker.submit(_next, coming) for _ in range(most))
            while (one := made.popleft().result()) is not None:
                made.append(maker.submit(_next, coming))
                yield one[0]
        finally:
            for unneeded in made:
                unneeded.cancel()
            if isinstance(coming, Generator):
                maker.submit(coming.close).result()


def _next(coming: Iterator[T]) -> tuple[T] | None:
    try:
        return (next(coming),)
    except StopIteration:
        return None
