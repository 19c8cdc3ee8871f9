"""The bar on top of every page: the name, the five rooms, and on the right what the screen wants to say.

Value: `{"note": str, "share": float | None}`, or None; `note` is a short text ("12 of 40 reviewed") and `share`, in
[0, 1], draws a thin bar beside it. The person's name comes from the route `/me`. The rooms are plain links with the
ids nav-ask ... nav-data, so they work with the middle mouse button and without a script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ui.components.component import StudioComponent

__all__ = ["Navigation"]

_LINK = '<a id="nav-{key}" href="{href}"{current}>{name}</a>'


class Navigation(StudioComponent):
    """`rooms` are (name, path) in order, with the path "" for the first page; `here` is the path of this page."""

    FILES = "navigation"

    def __init__(self, rooms: Sequence[tuple[str, str]] = (), here: str = "", value: Any = None, **options: Any):
        super().__init__(value=value, template=self.html(rooms, here), **options)

    @classmethod
    def html(cls, rooms: Sequence[tuple[str, str]], here: str) -> str:
        """The bar as it stands before its module is there."""
        links = "".join(
            _LINK.format(
                key=name.lower(), name=name, href=path or "./", current=' aria-current="page"' if path == here else ""
            )
            for name, path in rooms
        )
        return cls.template().replace("<!--rooms-->", links)
