"""A studio in a process of its own, as `make run` starts it, for whoever drives it from outside: benches and tests.

Invariant: the studio is reached over HTTP and through its database file alone; nothing of it is imported here.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType

from engine.errors import Unavailable
from engine.media import MediaFolder
from engine.store import Store

__all__ = ["RunningStudio"]

_ROOT = Path(__file__).resolve().parents[3]
_READY_WITHIN_S = 240


class RunningStudio:
    """`python app.py` on a free port, with `home` as its STUDIO_HOME and the scripted policy, unless `environment` says
    otherwise; `environment` is all that it is started with; of another `checkout` than this one where a build is compared.
    `store()` and `media()` open what it wrote. As a context manager it starts, and stops at the end."""

    def __init__(self, home: Path, *, checkout: Path = _ROOT, **environment: str) -> None:
        self.home = home
        self._checkout = checkout
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "STUDIO_HOME": str(home),
            "STUDIO_PORT": str(self.port),
            "STUDIO_HOST": "127.0.0.1",
            "STUDIO_MODEL": "scripted",
            "OMP_NUM_THREADS": "1",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> RunningStudio:
        """Returns when it answers. Raises Unavailable where it ends or does not answer in time."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "app.py"],
                cwd=self._checkout,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise Unavailable("the studio ended at once:\n" + self.log.read_text(errors="replace")[-3000:])
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5):
                    return self
            except OSError:
                time.sleep(0.2)
        self.kill()
        raise Unavailable(f"the studio did not answer within {_READY_WITHIN_S} s; see {self.log}")

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None, "the studio does not run"
        return self._process.pid

    def signal(self, number: int, timeout_s: float) -> int:
        """Sends a signal and waits for the end; the exit status. Raises subprocess.TimeoutExpired."""
        assert self._process is not None, "the studio does not run"
        self._process.send_signal(number)
        status = self._process.wait(timeout_s)
        self._process = None
        return status

    def kill(self) -> None:
        """As a crash or a power cut ends it: nothing is flushed, nobody is told."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
            self._process = None
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def log(self) -> Path:
        """What it wrote to its standard output and standard error."""
        return self.home / "server.log"

    def store(self) -> Store:
        return Store(self.home / "annotations.db")

    def media(self) -> MediaFolder:
        return MediaFolder(self.home / "artifacts" / "media")

    def __enter__(self) -> RunningStudio:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
