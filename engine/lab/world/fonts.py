"""The faces that texts are set in: which exist, which are held out, and loading them at a size.

Invariant: a family belongs to exactly one split, so a held-out face is a shape of letters that training never
showed in any weight. Files come with the project, and layout is Pillow's own (no Raqm), so that every machine sets
the same text alike.

Not covered: hinting may differ between FreeType versions by a grey level; seeds are exact for one version of
Pillow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

__all__ = ["ASSETS", "Face", "catalogue", "faces", "load_for_height"]

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True, slots=True)
class Face:
    file: str
    family: str
    weight: int


@lru_cache(maxsize=1)
def catalogue() -> dict:
    return json.loads((ASSETS / "catalogue.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=2)
def faces(is_heldout: bool) -> tuple[Face, ...]:
    """The faces of one side of the split, in the catalogue's order."""
    split = "heldout" if is_heldout else "train"
    rows = (row for row in catalogue()["fonts"] if row["split"] == split)
    return tuple(Face(row["file"], row["family"], row["weight"]) for row in rows)


@lru_cache(maxsize=8192)
def _load(face: Face, size: int) -> ImageFont.FreeTypeFont:
    path = ASSETS / "fonts" / face.file
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1024)
def _cap_ratio(face: Face) -> float:
    """Height of a capital letter as a share of the font size: families of one size differ by a third."""
    _, top, _, bottom = _load(face, 100).getbbox("H", anchor="ls")
    return max(0.4, (bottom - top) / 100)


def load_for_height(face: Face, cap_height: float) -> ImageFont.FreeTypeFont:
    """The face at the whole size whose capitals are about `cap_height` pixels high."""
    return _load(face, max(6, round(cap_height / _cap_ratio(face))))
