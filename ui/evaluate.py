"""Evaluate: says what will be here, and which commands score a policy today.

Not covered: running an evaluation from the screen, the table of benchmarks by adapters.
"""

from __future__ import annotations

import gradio as gr

from engine.evaluation.drawn import drawn_benchmarks
from ui.components.commands import Commands
from ui.page import Page, heading
from ui.studio import Studio

__all__ = ["build"]

_NOTE = (
    "Benchmarks by adapters, with errors of the mean, will stand here. Until then the command line scores whatever "
    "answers in Ask, promoted adapter included."
)
_DRAWN = (
    (
        "Signs too small to read at first sight: how often right, and how it got there",
        "python -m engine evaluate mini-signs",
    ),
    ("Clips in which the text shows in a few frames only", "python -m engine evaluate mini-clips"),
    (
        "The same without zooming: what pixel-space reasoning adds",
        "python -m engine evaluate mini-signs --no-operations",
    ),
)
"""Only where there are drawn benchmarks."""
_COMMANDS = (("Examples of your own, one JSON object a line", "python -m engine evaluate EXAMPLES.jsonl"),)


def build(studio: Studio, page: Page) -> None:
    with gr.Column(elem_classes="page"):
        heading("Evaluate", _NOTE)
        commands = (*(_DRAWN if drawn_benchmarks() else ()), *_COMMANDS)
        Commands({"items": [{"does": does, "command": command} for does, command in commands]})
