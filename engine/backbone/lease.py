"""The lease: who may touch the backbone now.

The idea: PEFT switches adapters by mutating shared modules, so one holder at a time; waiting is first come, first served,
so that a training loop that gives the lease back and asks again at once cannot starve an answer (a plain lock lets it).
The quantum is one generation turn, those of a batch together, or one micro-batch of training (docs/design.md, the one process).

Invariant: the lease may be released by another thread than took it (Gradio runs each step of a generator on whichever
worker is free), and never twice.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Lease"]


@dataclass(slots=True)
class Lease:
    """A first-come-first-served mutual exclusion that is not bound to a thread."""

    _guard: threading.Lock = field(default_factory=threading.Lock)
    _waiting: deque[threading.Event] = field(default_factory=deque)
    _is_held: bool = False

    def acquire(self) -> None:
        """Wait for our turn and take the lease."""
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            ours = threading.Event()
            self._waiting.append(ours)
        ours.wait()

    def release(self) -> None:
        """Hand the lease to whoever has waited longest. Raises RuntimeError where nobody holds it."""
        with self._guard:
            if not self._is_held:
                raise RuntimeError("the lease is released by someone who does not hold it")
            if self._waiting:
                self._waiting.popleft().set()  # still held, by them
            else:
                self._is_held = False

    @property
    def is_held(self) -> bool:
        return self._is_held

    @property
    def is_wanted(self) -> bool:
        """Whether somebody waits for it. Its holder may go on for long only while nobody does."""
        return bool(self._waiting)

    @contextmanager
    def held(self) -> Iterator[None]:
        self.acquire()
        try:
            yield
        finally:
            self.release()
