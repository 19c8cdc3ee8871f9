"""Which page looks at which traces: a page that is gone lets go of its own at once.

A page that is closed says so itself; a browser that was killed, or a machine that lost its line, cannot. Gradio keeps a
connection to each page and tells when it breaks (`unload`), by the page's session hash, which the page names with
everything that it holds (`POST /curate/hold`).

Invariant: what another page of the same person looks at stays held. A page that is not heard of again, or a name that is no
page's, is forgotten once 2,000 others hold something: what it held runs out.

Not covered: a server that is gone itself; its reservations run out (`engine.store.reservations`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from engine.workbench import Workbench

__all__ = ["Presence"]

_PAGES = 2000


class Presence:
    """What the pages of one server hold. Safe for many threads."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._held: dict[str, tuple[str, set[str]]] = {}
        self._lock = threading.Lock()

    def holds(self, page: str, person: str, trace_id: str) -> None:
        """The page, if it has a name, looks at a trace that its person holds."""
        if page:
            with self._lock:
                _, held = self._held.pop(page, ("", set()))
                self._held[page] = person, held | {trace_id}
                if len(self._held) > _PAGES:
                    del self._held[next(iter(self._held))]

    def lets_go(self, page: str, trace_ids: Sequence[str]) -> None:
        """The page looks at these no longer; whoever calls this has released them."""
        with self._lock:
            person, held = self._held.pop(page, ("", set()))
            if left := held.difference(trace_ids):
                self._held[page] = person, left

    def is_gone(self, page: str) -> None:
        """The page's connection is broken."""
        with self._lock:
            person, held = self._held.pop(page, ("", set()))
            for holder, traces in self._held.values():
                if holder == person:
                    held = held - traces
        if held:
            self._workbench.release(sorted(held), person)
