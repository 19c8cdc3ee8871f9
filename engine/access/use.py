"""What people use of what is everybody's: questions, tokens, bytes in an hour, and the room on the disk.

A visitor or an annotator has so much of each, whether one counts by name or by the address that they ask from: a new name, or a
new browser, brings nothing. Who runs jobs, or looks after the studio, is not counted.

Invariant: whoever may not is told what was used up and when there is more. Not covered: a person who asks from many addresses
under many names.
"""

from __future__ import annotations

import math
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from engine.access.limits import Allowance
from engine.errors import TooMuch, Unavailable
from engine.rights import Person, may
from engine.settings import Settings

__all__ = ["Use"]

_MB = 1_000_000
_REMEMBERED = 10_000
_COUNTED_EVERY_S = 60.0


class Use:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._asks = Allowance(settings.asks_per_hour)
        self._tokens = Allowance(settings.tokens_per_hour)
        self._bytes = Allowance(settings.upload_mb_per_hour * _MB)
        self._address_of: dict[str, str] = {}
        self._home_counted = (-math.inf, 0)

    @staticmethod
    def is_counted(person: Person) -> bool:
        return not may(person.role, "train")

    def ask(self, person: Person) -> None:
        """Takes a question. Raises TooMuch, and Unavailable where what comes of it could not be kept."""
        self.require_room()
        if not self.is_counted(person):
            return
        self._require(self._asks, person, f"{self.settings.asks_per_hour} questions")
        self._require(self._tokens, person, f"{self.settings.tokens_per_hour:,} tokens")
        self._asks.take(1, *_names(person.name, person.address))
        if len(self._address_of) > _REMEMBERED:
            self._address_of.clear()
        self._address_of[person.name] = person.address

    def said(self, name: str, tokens: int) -> None:
        """Counts the tokens of an answer to somebody."""
        if name in self._address_of:
            self._tokens.take(tokens, *_names(name, self._address_of[name]))

    def require_bytes(self, person: Person) -> None:
        """Raises TooMuch, and Unavailable where there is no room for what is brought."""
        self.require_room()
        if self.is_counted(person):
            self._require(self._bytes, person, f"{self.settings.upload_mb_per_hour} MB")

    def brought(self, person: Person, byte_size: int) -> None:
        """Counts what was brought."""
        if self.is_counted(person):
            self._bytes.take(byte_size, *_names(person.name, person.address))

    def require_room(self) -> None:
        """Raises Unavailable while the home's disk is nearly full, or the home takes more than it may."""
        free_mb = shutil.disk_usage(self.settings.home).free // _MB
        if free_mb < self.settings.min_free_mb:
            raise Unavailable(
                f"The studio's disk is nearly full ({free_mb} MB free, {self.settings.min_free_mb} MB are kept so); nothing "
                "new can be kept until its host makes room."
            )
        home_bytes = self.home_bytes()
        if home_bytes is not None and home_bytes >= self.settings.max_home_mb * _MB:
            raise Unavailable(
                f"The studio's home is full ({self.settings.max_home_mb:,} MB, STUDIO_MAX_HOME_MB); nothing new is kept until "
                "its host deletes something or allows more."
            )

    def home_bytes(self) -> int | None:
        """What the home takes, as it was a minute ago at most, since a large home takes a while to count; None where it may take
        any."""
        if not self.settings.max_home_mb:
            return None
        if time.monotonic() >= self._home_counted[0] + _COUNTED_EVERY_S:
            self._home_counted = time.monotonic(), _bytes_below(self.settings.home)
        return self._home_counted[1]

    def _require(self, allowance: Allowance, person: Person, most: str) -> None:
        if (wait_s := allowance.wait_s(*_names(person.name, person.address))) > 0:
            minutes = math.ceil(wait_s / 60)
            raise TooMuch(
                f"You have had {most} in this hour, which is what one may have; there is more in {minutes} min."
            )


def _bytes_below(folder: Path) -> int:
    """Of all files, links not followed; what goes meanwhile is left out."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def _names(name: str, address: str) -> tuple[str, ...]:
    return (f"name {name}", f"address {address}") if address else (f"name {name}",)
