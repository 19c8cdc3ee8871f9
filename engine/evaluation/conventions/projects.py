"""The projects whose conventions can be asked for, by the names that `evaluate --protocol-of` takes."""

from __future__ import annotations

from engine.errors import InvalidInput
from engine.evaluation.conventions.convention import Following, Project
from engine.evaluation.conventions.lmms_eval import LMMS_EVAL
from engine.evaluation.conventions.pixel_reasoner import PIXEL_REASONER
from engine.evaluation.conventions.vlmevalkit import VLMEVALKIT

__all__ = ["PROJECTS", "following"]

PROJECTS: tuple[Project, ...] = (PIXEL_REASONER, LMMS_EVAL, VLMEVALKIT)


def following(name: str | None, benchmark: str) -> Following | None:
    """A run over `benchmark` as the project `name` does it, None where none is named. Raises InvalidInput."""
    if name is None:
        return None
    if (found := next((one for one in PROJECTS if one.name == name), None)) is None:
        raise InvalidInput(f"--protocol-of takes {', '.join(one.name for one in PROJECTS)}, not {name!r}")
    return Following(found, benchmark)
