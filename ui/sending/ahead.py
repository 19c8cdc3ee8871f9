"""Gradio's code that a page needs, named in the page, so that a browser asks for all of it at once.

The idea: Gradio's modules import one another over four levels, and on a slow line each level costs a round trip. Which files a
page ends up with was looked up in a browser (`python -m tests.ahead` writes `ahead.json`); their names hold a hash of their
content, so after an update of Gradio those that are gone are left out, and the page is only slower.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path

import gradio

__all__ = ["FILE", "ahead_of_pages"]

FILE = Path(__file__).parent / "ahead.json"
_ASSETS = Path(gradio.__file__).parent / "templates" / "frontend"


def ahead_of_pages() -> Mapping[str, str]:
    """The links that stand in the head of each page, by its path ("/", "/curate", ...)."""
    named: dict[str, list[str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        page: "".join(map(_link, filter(lambda name: (_ASSETS / name).is_file(), names)))
        for page, names in named.items()
    }


def _link(name: str) -> str:
    if name.endswith(".css"):
        return f'<link rel="preload" as="style" crossorigin href="{escape(name)}">'
    return f'<link rel="modulepreload" crossorigin href="{escape(name)}">'
