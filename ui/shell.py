"""The pages of the studio and what they share: the bar on top, the theme, and one screen each.

Every room is a real page with its own address, laid out inside one Blocks (Gradio's multipage), so that links, the
back button and a second tab work as anywhere, and only the components of the page at hand are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import Request

from ui import ask, curate, evaluate, train
from ui.answering import Answering
from ui.asking.first import about_ask
from ui.components.component import StudioComponent
from ui.curating.presence import Presence
from ui.data import screen as data
from ui.navigation import Navigation
from ui.page import Page
from ui.people import screen as people
from ui.rights import handles
from ui.sending.bundles import bundled
from ui.sending.first_page import FirstPage
from ui.sending.pages import About
from ui.studio import Studio

_LOOK_EVERY_S = 1.0
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_name": False}

__all__ = ["SCREENS", "Screen", "about_pages", "build_pages", "code_of_pages"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Screen:
    """A room: its name in the bar, its path below the root ("" is the first page), and what lays it out."""

    name: str
    path: str
    build: Callable[[Studio, Page], None]


SCREENS = (
    Screen("Ask", "", ask.build),
    Screen("Curate", "curate", curate.build),
    Screen("Train", "train", train.build),
    Screen("Evaluate", "evaluate", evaluate.build),
    Screen("Data", "data", data.build),
    Screen("People", "people", people.build),
)


_ROOMS = tuple((screen.name, screen.path) for screen in SCREENS if screen.build is not people.build)
"""Those that stand in the bar; one's own account stands behind one's name there."""


def build_pages(studio: Studio, answering: Answering, presence: Presence) -> gr.Blocks:
    """All pages, ready to be mounted by `ui.server`."""
    blocks = gr.Blocks(title="Pixel Reasoner Studio", fill_width=True, analytics_enabled=False)
    for screen in SCREENS:
        context = blocks if screen.path == "" else blocks.route(screen.name, screen.path, show_in_navbar=False)
        with context:
            navigation = Navigation(_ROOMS, screen.path, elem_id="navigation")
            screen.build(studio, Page(blocks, navigation, answering, presence))
            _tell_of_loading(studio, blocks, navigation)
    return blocks


def code_of_pages(blocks: gr.Blocks) -> Mapping[str, str]:
    """The modules of each page's components in one, by the page's path ("/", "/curate", ...)."""
    parts = [block for block in blocks.blocks.values() if isinstance(block, StudioComponent)]
    return {
        f"/{screen.path}": bundled([part.module() for part in parts if part.page == screen.path], _FOLDER)
        for screen in SCREENS
    }


def about_pages(studio: Studio, answering: Answering) -> Mapping[str, Callable[[Request], About]]:
    """What each page is about, by its path."""
    bars = {screen.path: Navigation.html(_ROOMS, screen.path) for screen in SCREENS}
    plain = {
        f"/{screen.path}": partial(_about_room, About(screen.name, FirstPage(bars[screen.path], screen.name)))
        for screen in SCREENS
    }
    return plain | {"/": partial(about_ask, studio, answering, bars[""])}


def _about_room(about: About, request: Request) -> About:
    return about


def _tell_of_loading(studio: Studio, blocks: gr.Blocks, navigation: Navigation) -> None:
    """While the model is loading, the bar says how far it is."""
    timer = gr.Timer(_LOOK_EVERY_S, active=False)

    @handles("look")
    def look_at_loading(request: gr.Request) -> tuple:
        loading = None if studio.reasoner is None else studio.reasoner.loading
        share = None if loading is None else loading.share
        return {"note": studio.unready or "", "share": share}, gr.Timer(active=loading is not None)

    blocks.load(look_at_loading, None, [navigation, timer], **_QUIET)
    timer.tick(look_at_loading, None, [navigation, timer], **_QUIET)
