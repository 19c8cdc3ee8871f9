"""The answer, large; above it the question that was asked, below it how it ended and how long it took.

Value:

    {"state": "empty" | "running" | "done", "question": str, "answer": str | None, "note": str, "tone": "plain" |
    "warn" | "bad",
     "status": str (said to screen readers, politely), "elapsed_s": float | None, "policy": str (who answers),
     "hint": str (shown while empty),
     "problem": str (a sentence about what the person asked for, everything else staying as it was),
     "link": {"href": str, "text": str} | None, "trace_id": str | None,
     "attempt": str | None (while it runs, the key by which it is found again)}

While it runs, a clock counts on the page itself. At the end the page's address becomes `?trace=ID`, so that reloading
shows the same.

Event: `resume`, with "attempt" in the value, when the page comes back (it slept, lost its connection, or was thrown away
and loaded again) while an attempt is under way. A page that goes for good says so to `POST /ask/leave`.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Answer"]


class Answer(StudioComponent):
    FILES = "answer"
    TRIGGERS = ("resume",)
