"""What a screen is given to lay itself out on, and the few words of HTML that every screen needs."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import gradio as gr

from ui.answering import Answering
from ui.curating.presence import Presence
from ui.navigation import Navigation

__all__ = ["Page", "eyebrow", "heading"]


@dataclass(frozen=True, slots=True)
class Page:
    """`blocks` is for `load` events; `navigation` is the bar on top (its value: see `ui.navigation`); `answering` holds
    the questions under way, which outlive the pages that asked them; `presence` what the pages of Curate look at."""

    blocks: gr.Blocks
    navigation: Navigation
    answering: Answering
    presence: Presence


def heading(title: str, note: str = "") -> gr.HTML:
    """The one h1 of a page, with an optional line below. For the author's own words, not for data."""
    below = f'<p class="page-note">{_safe(note)}</p>' if note else ""
    return _words(f'<h1 class="page-title">{_safe(title)}</h1>{below}')


def eyebrow(title: str) -> gr.HTML:
    """A small heading above a block."""
    return _words(f'<h2 class="eyebrow">{_safe(title)}</h2>')


def _words(html: str) -> gr.HTML:
    return gr.HTML(html_template=html, js_on_load=None, apply_default_css=False)


def _safe(text: str) -> str:
    if "${" in text or "{{" in text:
        raise ValueError(f"{text!r} would be run as code by Gradio's template")
    return escape(text)
