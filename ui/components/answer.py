"""The answer, large; above it the question that was asked, below it how sure it is, how it ended and how long it took.

Value (made by `ui.asking.shown`):

    {"state": "empty" | "running" | "done", "question": str, "options": [str], "answer": str | None, "note": str,
     "tone": "plain" | "warn" | "bad",
     "sure": a value of `ui.asking.sureness` | None,
     "status": str (said to screen readers, politely), "elapsed_s": float | None, "policy": str (who answers),
     "hint": str (shown while empty),
     "problem": str (a sentence about what the person asked for, everything else staying as it was),
     "link": {"href": str, "text": str} | None, "trace_id": str | None (once it is recorded),
     "address": "?trace=ID" | "?media=SHA256,..." | "" (where the page is; without it the page stays where it is),
     "number": int (of the news), "attempt": str | None (its id, while it runs)}

While it runs, a clock counts on the page itself. The page's address and title follow the value.

Event: `open`, with "wanted" ({"trace"} or {"media"}) in the value: the page went back or forward, or comes back to an
attempt whose stream broke. A page that goes says so to `POST /ask/leave`.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Answer"]


class Answer(StudioComponent):
    FILES = "answer"
    TRIGGERS = ("open",)
