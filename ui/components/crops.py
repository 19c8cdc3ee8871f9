"""The crops that the model looked at, large, in the colour and with the number of their step.

Value: the same as that of `ui.components.source.Source` (only its "marks" with a box are read), so one value serves
both. Pointing at a crop lights up its box and card (document event studio:step); it opens at full size in a new tab.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Crops"]


class Crops(StudioComponent):
    FILES = "crops"
