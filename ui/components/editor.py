"""The middle column of Curate: the question, the source with its boxes, the filmstrip, and the crops of the chosen step.

It has no value: its module (`ui/curating/client`) draws the state of the workbench, which the three columns share, and asks the
server's own routes (`ui.curating.routes`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Editor"]


class Editor(StudioComponent):
    FILES = "editor"
    MODULE = "curating/client/stage.js"
