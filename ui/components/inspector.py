"""The right column of Curate: step cards, the answer, verdicts, and the bar of decisions.

It has no value: its module (`ui/curating/client`) draws the state of the workbench, which the three columns share, and asks the
server's own routes (`ui.curating.routes`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Inspector"]


class Inspector(StudioComponent):
    FILES = "inspector"
    MODULE = "curating/client/inspector.js"
