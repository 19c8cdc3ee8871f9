"""Evaluate: score a policy on a benchmark, see all that ran, and what changed between two runs."""

from __future__ import annotations

import gradio as gr

from ui.components.commands import Commands
from ui.components.evaluations import Evaluations
from ui.page import Page, eyebrow, heading
from ui.studio import Studio

__all__ = ["build"]

_NOTE = "Every attempt is a trace with its score, which can be opened and corrected; beside a score stands what it depends on."
_COMMANDS = (
    ("Score what answers, or any other policy", "python -m engine evaluate BENCHMARK --record --policy P"),
    ("How far two evaluations are apart", "python -m engine compare FIRST SECOND"),
)


def build(studio: Studio, page: Page) -> None:
    with gr.Column(elem_classes="page data"):
        heading("Evaluate", _NOTE)
        Evaluations(elem_id="evaluations")
        eyebrow("The same without a screen")
        Commands({"items": [{"does": does, "command": command} for does, command in _COMMANDS]})
