"""The Curate screen: the queue of traces, one trace on the workbench, and the verdict on it.

Laid out here; what it does lies in `ui.curating`: routes that answer in JSON, and modules that draw in the browser. Nothing
of a person's work is kept in this process: the cursor is the page's, everything else is in the store, and
`/curate?trace=ID` opens a trace.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui.components.editor import Editor
from ui.components.inspector import Inspector
from ui.components.queue import Queue
from ui.curating.filters import queue_value
from ui.guests import user_of
from ui.page import Page
from ui.rights import handles
from ui.studio import Studio

__all__ = ["build"]

_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_name": False}


def build(studio: Studio, page: Page) -> None:
    shown = queue_value(studio.settings.reject_reasons)
    with gr.Row(elem_classes="columns workbench"):
        with gr.Column(scale=0, min_width=300, elem_classes="column-left workbench-left"):
            queue = Queue(shown)
        with gr.Column(scale=1, min_width=320, elem_classes="column-middle workbench-middle"):
            Editor()
        with gr.Column(scale=0, min_width=392, elem_classes="column-right workbench-right"):
            Inspector()

    @handles("look")
    def name_page(request: gr.Request) -> dict[str, Any]:
        return shown | {"page": request.session_hash, "me": user_of(request)}

    @handles("look")
    def leave(request: gr.Request) -> None:
        page.presence.is_gone(request.session_hash or "")

    page.blocks.load(name_page, None, queue, **_QUIET)
    page.blocks.unload(leave)
