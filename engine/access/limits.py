"""How much somebody may use in a while.

Algorithm: a sliding window. What was taken is remembered with its moment until it is older than the window; more may be taken
while the sum of what is remembered is below the most. What is not known beforehand (tokens) is taken afterwards: then the sum
may pass the most once, and nothing more is had until it has fallen again.

Not covered: several processes, each of which counts for itself; a restart, after which nothing is remembered.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

__all__ = ["Allowance"]

_FORGET_ABOVE = 10_000


class Allowance:
    """At most `most` of something in `window_s` seconds for each name; `most` 0 is without end."""

    def __init__(self, most: int, window_s: float = 3600, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._window_s = window_s
        self._clock = clock
        self._taken: dict[str, deque[tuple[float, int]]] = {}
        self._lock = threading.Lock()

    def wait_s(self, *names: str) -> float:
        """How long until each of `names` may take something; 0 where they may."""
        with self._lock:
            return max((self._wait_s(name) for name in names), default=0.0)

    def take(self, amount: int, *names: str) -> None:
        """Remembers what they took."""
        if not self._most:
            return
        with self._lock:
            if len(self._taken) > _FORGET_ABOVE:
                self._taken = {name: taken for name, taken in self._taken.items() if self._recent(taken)}
            for name in names:
                self._taken.setdefault(name, deque()).append((self._clock(), amount))

    def give_back(self, *names: str) -> None:
        """Forgets what each of `names` took last."""
        with self._lock:
            for name in names:
                if taken := self._taken.get(name):
                    taken.pop()

    def _wait_s(self, name: str) -> float:
        taken = self._taken.get(name)
        if not self._most or taken is None:
            return 0.0
        over = sum(amount for _, amount in self._recent(taken)) - self._most
        wait = 0.0
        for moment, amount in taken:
            if over < 0:
                break
            over, wait = over - amount, moment + self._window_s - self._clock()
        return wait

    def _recent(self, taken: deque[tuple[float, int]]) -> deque[tuple[float, int]]:
        while taken and taken[0][0] <= self._clock() - self._window_s:
            taken.popleft()
        return taken
