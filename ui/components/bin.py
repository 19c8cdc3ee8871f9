"""The section of the Data screen for deleting: by picture, by person, before a day; and the bin.

It has no value: its module (`ui/deleting/client/bin.js`) asks the server's own routes (`ui.deleting.routes`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Bin"]


class Bin(StudioComponent):
    FILES = "bin"
    MODULE = "deleting/client/bin.js"
