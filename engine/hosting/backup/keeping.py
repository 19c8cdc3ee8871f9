"""A push every few minutes beside a running studio, one more when it is stopped, and how old the last one is."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from engine.errors import StudioError
from engine.hosting.backup.places import Place
from engine.hosting.backup.snapshots import push
from engine.store import Store

__all__ = ["BackupState", "KeepingBackups"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackupState:
    """`age_s` is how long ago the home was last seen to be the same as its newest snapshot, None where it never was in this
    process; `problem` is why the last try failed, as a sentence."""

    where: str
    age_s: float | None
    problem: str | None


class KeepingBackups:
    """Pushes `home` to `place` every `every_s` seconds, from `start` to `close`. It never raises: what goes wrong is in `state`
    and in the log, and is tried again."""

    def __init__(self, store: Store, home: Path, place: Place, every_s: float) -> None:
        self._store = store
        self._home = home
        self._place = place
        self._every_s = every_s
        self._closing = threading.Event()
        self._pushing = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="backup", daemon=True)
        self._pushed_at: float | None = None
        self._problem: str | None = None

    @property
    def state(self) -> BackupState:
        age_s = None if self._pushed_at is None else time.monotonic() - self._pushed_at
        return BackupState(self._place.name, age_s, self._problem)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float) -> bool:
        """A last push; whether it was through within `timeout_s`. The one before it stands where it was not."""
        self._closing.set()
        last = threading.Thread(target=self.push, name="last backup", daemon=True)
        last.start()
        last.join(timeout_s)
        return not last.is_alive() and self._problem is None

    def push(self) -> None:
        with self._pushing:
            began_at = time.monotonic()
            try:
                snapshot, sent = push(self._store, self._home, self._place)
            except StudioError as error:
                self._problem = f"The backup to {self._place.name} failed: {error}."
                _LOG.error("%s", self._problem)
            except Exception:
                self._problem = f"The backup to {self._place.name} broke; the log says how."
                _LOG.exception("%s", self._problem)
            else:
                self._pushed_at, self._problem = began_at, None
                if sent:
                    _LOG.info("%s is at %s, %d new files", snapshot.title, self._place.name, sent)

    def _work(self) -> None:
        while not self._closing.is_set():
            self.push()
            self._closing.wait(self._every_s)
