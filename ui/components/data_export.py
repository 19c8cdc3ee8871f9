"""The formats that traces can be written in, and exports. Value: `ui.data.values.formats_value`.

Its module (`ui/data/client`) asks the server's own routes (`ui.data`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["DataExport"]


class DataExport(StudioComponent):
    FILES = "data_export"
    MODULE = "data/client/export.js"
