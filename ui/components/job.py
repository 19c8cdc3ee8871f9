"""One run of a job: where it stands, how long it still takes, what it said on the way.

Value (made by `ui.training.run_values.job_value`):

    {"id": str | None, "state": JobState | "none", "label": str, "title": str, "message": str, "progress": float | None,
     "foot": [str], "facts": [{"name": str, "value": str}], "log": [{"time": str, "text": str}], "alarm": str (what must
     be seen now, or ""), "links": [{"href": str, "text": str}] (what can be taken away), "status": str (said to
     screen readers, politely; changes seldom), "empty": str (what to say where there is no run)}

The page's address becomes `?job=ID` while a run is chosen (`is_chosen`), so that reloading shows the same one.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Job"]


class Job(StudioComponent):
    FILES = "job"
