"""Benchmarks by policies: start an evaluation, see all that ran, compare two. It has no value.

Its module (`ui/evaluating/client`) asks the server's own routes (`ui.evaluating`).
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Evaluations"]


class Evaluations(StudioComponent):
    FILES = "evaluations"
    MODULE = "evaluating/client/evaluations.js"
