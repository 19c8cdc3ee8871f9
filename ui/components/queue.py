"""The left column of Curate: search, status, order, and the list of traces, more of which is fetched as it is scrolled.

Value: what it can be filtered by, and the page's name (`ui.curating.filters.queue_value`). Its module
(`ui/curating/client`) draws the state of the workbench, which the three columns share, and asks the server's own routes
(`ui.curating.routes`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Queue"]


class Queue(StudioComponent):
    FILES = "queue"
    MODULE = "curating/client/queue.js"
