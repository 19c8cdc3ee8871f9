"""Data: bring questions in, let the policy attempt them, and take traces out, in sections one below the other."""

from __future__ import annotations

import gradio as gr

from engine.evaluation.drawn import drawn_benchmarks
from ui.components.bin import Bin
from ui.components.commands import Commands
from ui.components.data_export import DataExport
from ui.components.data_import import DataImport
from ui.components.data_sets import DataSets
from ui.data.values import formats_value, import_value
from ui.page import Page, eyebrow, heading
from ui.studio import Studio

__all__ = ["build"]

_NOTE = (
    "Questions of your own come in, the policy attempts them, people correct the attempts, and what they made goes out."
)
_COMMANDS = (
    ("Bring a folder, a zip or a table in", "python -m engine import auto PATH"),
    ("Let the policy attempt a data set", "python -m engine collect NAME"),
    ("Write what was accepted for a trainer", "python -m engine export ms-swift --status accepted --out DIR"),
    ("Say what would go with a picture, and delete nothing", "python -m engine delete picture SHA256 --plan"),
    ("Derive every hash and cut every crop again", "python -m engine verify"),
)
_DRAWN = (("Draw examples with known answers, as files", "python -m engine examples mini-signs --count 20 --out DIR"),)
"""Only where there are drawn benchmarks."""


def build(studio: Studio, page: Page) -> None:
    with gr.Column(elem_classes="page data"):
        heading("Data", _NOTE)
        DataImport(import_value(studio), elem_id="data-import")
        DataSets(elem_id="data-sets")
        DataExport(formats_value(), elem_id="data-export")
        Bin(elem_id="data-bin")
        eyebrow("The same without a screen")
        commands = (*_COMMANDS, *(_DRAWN if drawn_benchmarks() else ()))
        Commands({"items": [{"does": does, "command": command} for does, command in commands]})
