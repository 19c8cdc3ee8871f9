"""Live curves of a run: one small chart for each series, against the optimiser step.

Value (made by `ui.training.curves.curves_value`):

    {"series": [{"name": str, "label": str, "unit": "number" | "share", "points": [[step, value | null], ...],
                 "threshold": number | null (drawn as a dashed line),
                 "others": [{"tone": int from 1, "points": ...}] (the same of other runs)}],
     "names": [str] (of the run and of those others, [] where it stands alone),
     "differences": [{"name": str, "values": [str]}] (settings in which they differ, in that order),
     "steps": int (how many the run will take), "empty": str (what to say without points)}

A null breaks the line (a loss that was no number). Above 60 points a running mean is drawn over the raw line. Pointing
at a chart reads the step under the pointer in all of them; the same numbers are in a table for whoever cannot point.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Curves"]


class Curves(StudioComponent):
    FILES = "curves"
