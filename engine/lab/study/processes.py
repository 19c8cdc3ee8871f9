"""A part in a process of its own, and the pipe on which it tells how far it is.

Invariants: a worker that loses its parent stops by itself at the next token or step, as if it had been asked to; Ctrl-C, which
reaches the whole group, is the parent's to answer. A new process is spawned, never forked: torch's threads do not survive a
fork.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from engine.errors import PersonError, Unavailable
from engine.lab.study.folder import Folder
from engine.lab.study.material import Stopped
from engine.lab.study.plan import Sizes, StudyPart
from engine.settings import Settings

__all__ = ["Worker"]


class Worker:
    """A part that is being run elsewhere, from the moment this is made. `error` is why it failed, once it has ended."""

    def __init__(self, root: Path, part: StudyPart, sizes: Sizes, settings: Settings) -> None:
        context = get_context("spawn")
        self._part = part
        self._hears, says = context.Pipe(duplex=False)
        self._stopping = context.Event()
        words = (says, self._stopping, os.getpid(), root, part, sizes, settings)
        self._process = context.Process(target=_work, args=words, name=part.name)
        with _threads(settings.threads):
            self._process.start()
        says.close()
        self._is_asked = False
        self._is_over = False
        self._failure: tuple[str, str] | None = None

    def ask_to_stop(self) -> None:
        if not self._is_asked:
            self._is_asked = True
            self._stopping.set()

    @staticmethod
    def wait(workers: Collection[Worker], timeout_s: float) -> None:
        """Until one of them has news or has ended."""
        connection.wait([one._hears for one in workers if not one._is_over], timeout_s)

    def news(self) -> Iterator[Mapping[str, Any]]:
        """Progress that has come since the last time."""
        try:
            while not self._is_over and self._hears.poll():
                kind, data = self._hears.recv()
                if kind == "progress":
                    yield data
                else:
                    self._failure = kind, data
        except EOFError:
            self._is_over = True

    @property
    def is_running(self) -> bool:
        if self._is_over:
            self._process.join()
        return not self._is_over

    @property
    def error(self) -> Exception | None:
        if self._failure is not None:
            kind, text = self._failure
            return None if kind == "stopped" else Unavailable(f"the part {self._part.name} failed: {text}")
        return Unavailable(f"the part {self._part.name} was ended from outside (exit status {self._process.exitcode})")

    def end(self) -> None:
        """At once, whatever it does; its last checkpoint stays."""
        self._process.terminate()
        self._process.join()


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """A process that is started inside gets `count` threads in every library that asks OpenMP; 0 leaves it alone."""
    before = os.environ.get("OMP_NUM_THREADS")
    if count:
        os.environ["OMP_NUM_THREADS"] = str(count)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("OMP_NUM_THREADS", None)
        else:
            os.environ["OMP_NUM_THREADS"] = before


def _work(
    says: Connection, stopping: Any, parent: int, root: Path, part: StudyPart, sizes: Sizes, settings: Settings
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Imported only here: drawing needs no torch, and torch takes seconds.
    from engine.lab.study.running import Workplace, run_part
    from engine.opening import open_backbone

    def should_stop() -> bool:
        return stopping.is_set() or os.getppid() != parent

    def on_progress(done: int, total: int, numbers: Mapping[str, Any]) -> None:
        with suppress(OSError):  # nobody listens any more; `should_stop` will say so
            says.send(("progress", {"done": done, "total": total, **numbers}))

    try:
        run_part(part, Workplace(Folder(root), sizes, lambda: open_backbone(settings), on_progress, should_stop))
    except Stopped as stopped:
        _say(says, "stopped", str(stopped))
    except PersonError as error:
        _say(says, "failed", str(error))
    except BaseException as error:
        traceback.print_exc(file=sys.stderr)
        _say(says, "failed", f"{type(error).__name__}: {error}")


def _say(says: Connection, kind: str, text: str) -> None:
    with suppress(OSError):
        says.send((kind, text))
