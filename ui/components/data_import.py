"""Where people's own data come in: files or a name, a look at the first rows, columns, and the job. Value:
`ui.data.values.import_value`.

Its module (`ui/data/client`) asks the server's own routes (`ui.data`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["DataImport"]


class DataImport(StudioComponent):
    FILES = "data_import"
    MODULE = "data/client/import.js"
