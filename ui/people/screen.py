"""People: one's own account, and, for an admin, everybody's."""

from __future__ import annotations

import gradio as gr

from ui.components.people import PeopleRoom
from ui.page import Page, heading
from ui.studio import Studio

__all__ = ["build"]

_NOTE = "Who you are here, what you asked, and what lets you or your programs in."


def build(studio: Studio, page: Page) -> None:
    with gr.Column(elem_classes="page people-page"):
        heading("People", _NOTE)
        PeopleRoom(elem_id="people")
