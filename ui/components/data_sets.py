"""The data sets that were brought in, and attempts at them. It has no value.

Its module (`ui/data/client`) asks the server's own routes (`ui.data`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["DataSets"]


class DataSets(StudioComponent):
    FILES = "data_sets"
    MODULE = "data/client/sets.js"
