"""A thread-safe cache that forgets what was used longest ago once its values outgrow a number of bytes.

Invariant: the sizes of the values held never sum to more than `max_bytes`, but that the newest value is always held. A value
larger than a quarter of `max_bytes` is given back once nobody has used it for `idle_s`.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["BoundedCache", "give_back"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def give_back() -> None:
    """Gives memory that was freed back to the system. glibc keeps what lies below 32 MB a piece, and Pillow asks for pictures in
    pieces of 16 MB, so a hundred megapixels would stay with the process. Nothing happens where there is no glibc."""
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        trim(0)


class BoundedCache(Generic[K, V]):
    def __init__(self, max_bytes: int, idle_s: float = 60.0) -> None:
        self._max_bytes = max_bytes
        self._idle_s = idle_s
        self._used_at: dict[K, float] = {}
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._held_bytes = 0
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            if key not in self._entries:
                return None
            self._entries.move_to_end(key)
            if key in self._used_at:
                self._used_at[key] = time.monotonic()
            return self._entries[key][0]

    def put(self, key: K, value: V, size_bytes: int) -> None:
        with self._lock:
            if key in self._entries:
                self._held_bytes -= self._entries.pop(key)[1]
            self._entries[key] = (value, size_bytes)
            self._held_bytes += size_bytes
            if size_bytes > self._max_bytes / 4:
                if key not in self._used_at:
                    self._look_again(key, self._idle_s)
                self._used_at[key] = time.monotonic()
            while self._held_bytes > self._max_bytes and len(self._entries) > 1:
                self._held_bytes -= self._entries.popitem(last=False)[1][1]

    def make_room(self, size_bytes: int) -> None:
        """Forgets what was used longest ago, until `size_bytes` fit beside what stays."""
        with self._lock:
            while self._entries and self._held_bytes + size_bytes > self._max_bytes:
                self._held_bytes -= self._entries.popitem(last=False)[1][1]

    def _look_again(self, key: K, after_s: float) -> None:
        timer = threading.Timer(after_s, self._give_back, [key])
        timer.daemon = True
        timer.start()

    def _give_back(self, key: K) -> None:
        with self._lock:
            left_s = self._used_at[key] + self._idle_s - time.monotonic()
            if key in self._entries and left_s > 0:
                self._look_again(key, left_s)
                return
            del self._used_at[key]
            if key in self._entries:
                self._held_bytes -= self._entries.pop(key)[1]
        give_back()

    def drop(self, is_unwanted: Callable[[K], bool]) -> None:
        """Forgets the values of unwanted keys."""
        with self._lock:
            for key in [key for key in self._entries if is_unwanted(key)]:
                self._held_bytes -= self._entries.pop(key)[1]

    @property
    def held_bytes(self) -> int:
        with self._lock:
            return self._held_bytes

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)
