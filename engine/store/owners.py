"""Who runs a job: a process on a machine, and whether it still lives.

A process is named by its host, the machine's boot, its number and the moment it began, so that a number that the
system gave out again is not mistaken for it. Where the system does not tell (another machine, or no /proc), the answer
is "unknown" and only the job's heartbeat can say.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from engine.store.identity import canonical_json

__all__ = ["Owner", "this_process"]


@dataclass(frozen=True, slots=True)
class Owner:
    """`boot` and `began` are "" where the system does not tell them."""

    host: str
    boot: str
    pid: int
    began: str

    def as_text(self) -> str:
        return canonical_json([self.host, self.boot, self.pid, self.began])

    def is_alive(self) -> bool | None:
        """True or False where this machine can tell, else None."""
        here = this_process()
        if self == here:
            return True
        if self.host != here.host:
            return None
        if self.boot != here.boot:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        began = _began(self.pid)
        return None if not began or not self.began else began == self.began


def this_process() -> Owner:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return Owner(socket.gethostname(), boot, os.getpid(), _began(os.getpid()))


def _began(pid: int) -> str:
    try:
        # The name in brackets may hold spaces and brackets itself: count from the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    # A zombie has ended, though its parent has not yet asked for it.
    return "ended" if fields[0] in "ZX" else fields[19]
