"""Data: says what will be here, where everything lies, and which commands work on it today.

Not covered: import, export, synthesis, statistics and backup.
"""

from __future__ import annotations

import gradio as gr

from engine.evaluation.drawn import drawn_benchmarks
from ui.components.bin import Bin
from ui.components.commands import Commands
from ui.page import Page, heading
from ui.studio import Studio

__all__ = ["build"]

_NOTE = (
    "Import, export, synthesis and backup will stand here. Until then everything that the studio knows lies in "
    "annotations.db and artifacts/, and these commands work on it."
)
_COMMANDS = (
    ("Derive every hash and cut every crop again", "python -m engine verify"),
    ("Ask one question, record its trace, and print it as JSON", 'python -m engine ask PICTURE "QUESTION" --json'),
)
_DRAWN = (("Draw examples with known answers, as files", "python -m engine examples mini-signs --count 20 --out DIR"),)
"""Only where there are drawn benchmarks."""


def build(studio: Studio, page: Page) -> None:
    with gr.Column(elem_classes="page"):
        heading("Data", _NOTE)
        commands = (*_COMMANDS, *(_DRAWN if drawn_benchmarks() else ()))
        Commands({"items": [{"does": does, "command": command} for does, command in commands]})
        Bin(elem_id="data-bin")
