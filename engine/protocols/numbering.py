"""How wire formats call pictures: the question's own, and which of them a later view was cut from.

The idea: a trace numbers its views from 1 in the order in which they were shown, each frame of a clip by itself. Families
count otherwise; they translate with what stands here.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InvalidBox
from engine.trace import Box, Media, View, ZoomIn, first_views

__all__ = ["opening_views", "root_of", "zoom_from_root"]


def opening_views(views: Sequence[View], media: Sequence[Media]) -> Sequence[View]:
    """The views that the question opened with."""
    return views[: len(first_views(media))]


def root_of(view: View, views: Sequence[View], media: Sequence[Media]) -> View:
    """The picture or frame of the question that `view` was cut from, or is. Where the same picture stands in a question
    twice, it is the first."""
    return next(one for one in opening_views(views, media) if (one.sha256, one.frame) == (view.sha256, view.frame))


def zoom_from_root(zoom: ZoomIn, views: Sequence[View], media: Sequence[Media]) -> ZoomIn:
    """The same region as a zoom into the picture of the question: for families in which nothing else can be named. A zoom
    into a picture that was never shown stays as it is."""
    if not 1 <= zoom.view <= len(views):
        return zoom
    outer = views[zoom.view - 1]
    if zoom.view <= len(opening_views(views, media)):
        return zoom
    root = root_of(outer, views, media)
    if outer.box == Box.full():
        return ZoomIn(root.number, zoom.box)
    try:
        return ZoomIn(root.number, zoom.box.within(outer.box))
    except InvalidBox:  # too thin for a float: the crop itself is the nearest region there is
        return ZoomIn(root.number, outer.box)
