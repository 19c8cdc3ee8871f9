"""How much memory something takes: the most of this process's resident set while it is watched, twenty times a second."""

from __future__ import annotations

import resource
import threading
from pathlib import Path

__all__ = ["Memory"]

_LOOK_EVERY_S = 0.05


class Memory:
    """Watches while it is entered; asked meanwhile, it tells of the time so far."""

    def __enter__(self) -> Memory:
        self._start = self._most = _resident_bytes()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_EVERY_S):
            self._most = max(self._most, _resident_bytes())

    @property
    def above_start_mb(self) -> float:
        return (self._most - self._start) / 1e6


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not on Linux: the most there ever was, in bytes on macOS
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()
