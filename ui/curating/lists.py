"""Work on the queue itself: what it can be filtered by, and views that a person keeps.

GET  /curate/choices      values that the filters offer: policies, sources, tags; the person's views; formats to export in
POST /curate/view         {"name", "query": {...}} keeps a view; without "query" it is deleted
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.errors import InvalidInput
from engine.exchange.formats import FORMATS
from engine.store import Query
from ui.curating.messages import answer, answer_posts, object_of, text_of
from ui.guests import user_of
from ui.rights import acts
from ui.studio import Studio

__all__ = ["list_routes"]


def list_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.get("/choices", dependencies=[acts("look_at_work")])
    def choices(request: Request) -> Response:
        return answer(lambda: _choices(studio, user_of(request)))

    answer_posts(routes, "/view", "keep_view", partial(_view, studio))
    return routes


def _choices(studio: Studio, person: str) -> dict[str, Any]:
    store = studio.store
    return {
        "me": person,
        "policy": store.traces.policies(),
        "source": store.traces.sources(),
        "tag": sorted(store.tags.all()),
        "formats": [[one.name, one.title] for one in FORMATS if one.is_written],
        "views": [{"name": view.name, "query": view.query.to_params()} for view in store.tags.views(person)],
    }


def _view(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    params = None if body.get("query") is None else object_of(body, "query")
    if params is not None and not all(isinstance(value, str) for value in params.values()):
        raise InvalidInput("The page sent no usable view; reload it and try again.")
    query = None if params is None else Query.from_params(params)
    studio.workbench.keep_view(text_of(body, "name"), query, person)
    return _choices(studio, person)
