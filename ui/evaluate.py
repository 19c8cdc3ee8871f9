"""Evaluate: not built yet; one honest line."""

from __future__ import annotations

import gradio as gr

from ui.page import Page, heading
from ui.studio import Studio

__all__ = ["build"]


def build(studio: Studio, page: Page) -> None:
    with gr.Column(elem_classes="page"):
        heading("Evaluate", "This room is not furnished yet.")
