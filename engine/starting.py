"""Something that takes long to be there: made once, in a thread of its own, and watched meanwhile.

The idea: a page is answered at once and says how far the model is; whoever needs the model waits, or is told in a sentence
that it is still coming. It is there, or it is being made, or it failed with a sentence; what is there stays.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.errors import PersonError, Unavailable

__all__ = ["Loading", "Starting"]

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_LOOK_EVERY_S = 0.2
_BROKE = "Something broke on our side; the log says what."


@dataclass(frozen=True, slots=True)
class Loading:
    """How far it is: what is being done, the share of it in [0, 1] and about how many seconds are left, where they are
    known."""

    text: str = "starting"
    share: float | None = None
    left_s: float | None = None


class Starting(Generic[T]):
    """`name` is what people call it; `make` makes it, and tells a listener (what it does, share or None) on the way."""

    def __init__(self, name: str, make: Callable[[Callable[[str, float | None], None]], T]) -> None:
        self.name = name
        self._make = make
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._value: T | None = None
        self._problem: str | None = None
        self._loading = Loading()
        self._text_since = time.monotonic()

    def start(self) -> None:
        """Begins to make it, once."""
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="starting", daemon=True)
                self._thread.start()

    def load(self) -> T:
        """It, when it is there. Raises Unavailable where it could not be made."""
        self.start()
        self._ended.wait()
        return self.get()

    def get(self) -> T:
        """It, at once. Raises Unavailable, with a sentence that says how far it is, or why it will not come."""
        if self._value is None:
            raise Unavailable(self._problem or f"{self.sentence()}. Try again when it is there.")
        return self._value

    def wait(self, is_cancelled: Callable[[], bool], tell: Callable[[str], None]) -> T | None:
        """It, when it is there, or None where waiting was cancelled; `tell` hears sentences on the way. Raises
        Unavailable."""
        while not self._ended.wait(0 if self._value is not None else _LOOK_EVERY_S):
            if is_cancelled():
                return None
            tell(self.sentence())
        return self.get()

    @property
    def value(self) -> T | None:
        """It, or None while it is not there."""
        return self._value

    @property
    def problem(self) -> str | None:
        """Why it will not come, as a sentence."""
        return self._problem

    @property
    def loading(self) -> Loading | None:
        """How far it is; None once that has ended, well or not."""
        return None if self._ended.is_set() else self._loading

    def sentence(self) -> str:
        """How far it is: "PixelReasoner-RL-v1, 4bit: reading weights, 43%, about 1 min"."""
        now = self._loading
        share = "" if now.share is None else f", {now.share:.0%}"
        return f"{self.name}: {now.text}{share}{_left(now.left_s)}"

    def _work(self) -> None:
        try:
            self._value = self._make(self._on_loading)
        except PersonError as error:
            self._problem = str(error)
            _LOG.error("%s", error)
        except Exception:
            self._problem = _BROKE
            _LOG.exception("%s could not be made", self.name)
        finally:
            self._ended.set()

    def _on_loading(self, text: str, share: float | None) -> None:
        if text != self._loading.text:
            self._text_since = time.monotonic()
        passed_s = time.monotonic() - self._text_since
        left_s = passed_s / share * (1 - share) if share and passed_s > 1 else None
        self._loading = Loading(text, share, left_s)


def _left(left_s: float | None) -> str:
    if left_s is None:
        return ""
    return f", about {max(1, round(left_s))} s" if left_s < 50 else f", about {max(1, round(left_s / 60))} min"
