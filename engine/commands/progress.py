"""How far a command is, on standard error: one line that changes on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import time
from typing import TextIO

__all__ = ["ProgressLine"]


class ProgressLine:
    """`quiet_s` seconds pass between two lines where `stream` is no terminal."""

    def __init__(self, stream: TextIO, quiet_s: float = 15.0) -> None:
        self._stream = stream
        self._quiet_s = 0.2 if stream.isatty() else quiet_s
        self._shown_s = time.monotonic()
        self._is_line_open = False

    def show(self, text: str, is_last: bool = False) -> None:
        now_s = time.monotonic()
        if now_s - self._shown_s < self._quiet_s and not is_last:
            return
        self._shown_s = now_s
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[K{text}")
            self._is_line_open = True
        else:
            self._stream.write(text + "\n")
        self._stream.flush()

    def end(self) -> None:
        if self._is_line_open:
            self._stream.write("\n")
            self._stream.flush()
