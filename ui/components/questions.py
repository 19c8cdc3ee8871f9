"""My questions: what this person asked, newest first, each a link to its attempt.

It has no value: `ui/asking/client/mine.js` asks `GET /ask/mine` when the page opens and whenever something was asked
(document event studio:asked). A plain click opens the attempt on the page, without loading it anew.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Questions"]


class Questions(StudioComponent):
    FILES = "questions"
    MODULE = "asking/client/mine.js"
