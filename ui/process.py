"""How the studio's process ends: what is under way comes to a place that can be gone on from, within ten seconds.

SIGTERM (a Space, docker, systemd) and SIGINT (Ctrl-C) end it alike, in this order: nothing new is asked; answers under way are
kept as cancelled; the running job goes on to the end of its step and keeps its checkpoint; connections are closed; a last
snapshot goes to the backup, which may take longer. What was not through is left as a killed process leaves it: the next start
takes it up, and the snapshot before it stands.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import time

import uvicorn
from fastapi import FastAPI

from ui.answering import Answering
from ui.studio import Studio

__all__ = ["serve"]

_END_WITHIN_S = 9.0
_ANSWERS_WITHIN_S = 5.0
_CONNECTIONS_WITHIN_S = 1
_BACKUP_WITHIN_S = 15.0
"""Beyond the ten seconds, as most who stop a process give it some more."""


def serve(studio: Studio, server: FastAPI, answering: Answering, listening: socket.socket) -> None:
    """Answers on `listening`, loads the model behind it and keeps backups, until the process is asked to end; returns when all
    is closed, or the time is up."""
    # uvicorn handles it, and raises it once more when it has shut down, which would end the process at once.
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    config = uvicorn.Config(
        server,
        log_level="warning",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_CONNECTIONS_WITHIN_S,
    )
    running = _Server(config, studio, answering)
    try:
        running.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        asked_at = running.asked_at or time.monotonic()
        studio.worker.close(max(0.0, asked_at + _END_WITHIN_S - time.monotonic()))
        if studio.backup is not None:
            studio.backup.close(_BACKUP_WITHIN_S)
        studio.store.close()


class _Server(uvicorn.Server):
    """`asked_at` is when it was asked to end, by the monotonic clock."""

    def __init__(self, config: uvicorn.Config, studio: Studio, answering: Answering) -> None:
        super().__init__(config)
        self._studio = studio
        self._answering = answering
        self.asked_at: float | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Not before: the first page would wait for what the model imports.
        if self._studio.reasoner is not None:
            self._studio.reasoner.start()
        if self._studio.backup is not None:
            self._studio.backup.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.asked_at = time.monotonic()
        self._studio.worker.close(0)
        await asyncio.to_thread(self._answering.close, _ANSWERS_WITHIN_S)
        await super().shutdown(sockets)
