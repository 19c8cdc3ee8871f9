"""Deleting over HTTP; each asks for the right "delete".

GET  /bin                                  {"deletions": [...], "is_unfinished"}: what can be restored, newest first
POST /bin/plan     {"kind", "names"}       {"sentences", "is_refused"}: what would go (`engine.upkeep.told`)
POST /bin/put      {"kind", "names"}       the deletion; 409 while a job works with what would go
POST /bin/restore  {"deletion"}            what came back
POST /bin/empty    {}                      what is gone for good
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.access import Access
from engine.store import Deletion, target_of
from engine.upkeep import Deleting, told
from ui.curating.messages import answer, answer_posts, ids_of, text_of
from ui.rights import acts
from ui.studio import Studio

__all__ = ["bin_routes"]

_MAX_NAMED = 1000


def bin_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/bin")
    deleting = Deleting(studio.store, studio.media, studio.settings.artifacts)

    @routes.get("", dependencies=[acts("delete")])
    def listed(request: Request) -> Response:
        return answer(lambda: _bin(studio))

    answer_posts(routes, "/plan", "delete", partial(_plan, deleting, studio.access))
    answer_posts(routes, "/put", "delete", partial(_put, deleting, studio.access))
    answer_posts(routes, "/restore", "delete", partial(_restore, deleting, studio.access))
    answer_posts(routes, "/empty", "delete", partial(_empty, deleting, studio.access))
    return routes


def _bin(studio: Studio) -> dict[str, Any]:
    store = studio.store
    return {
        "deletions": [_value(one) for one in store.bin.list()],
        "is_unfinished": bool(store.emptying.erasures()),
    }


def _plan(deleting: Deleting, access: Access, body: dict[str, Any], person: str) -> dict[str, Any]:
    plan = deleting.plan(_target(body), access.role_of(person))
    return {"sentences": list(told(plan, deleting.media_bytes(plan.media))), "is_refused": bool(plan.at_work)}


def _put(deleting: Deleting, access: Access, body: dict[str, Any], person: str) -> dict[str, Any]:
    return _value(deleting.put(_target(body), person, access.role_of(person)))


def _restore(deleting: Deleting, access: Access, body: dict[str, Any], person: str) -> dict[str, Any]:
    return _value(deleting.restore(text_of(body, "deletion"), access.role_of(person)))


def _empty(deleting: Deleting, access: Access, body: dict[str, Any], person: str) -> dict[str, Any]:
    gone = deleting.empty(access.role_of(person))
    return {"traces": gone.traces, "revisions": gone.revisions, "media": gone.media}


def _target(body: dict[str, Any]) -> Any:
    return target_of(text_of(body, "kind"), [name.strip() for name in ids_of(body, "names", _MAX_NAMED)])


def _value(deletion: Deletion) -> dict[str, Any]:
    return {
        "id": deletion.id,
        "kind": deletion.target.kind,
        "names": list(deletion.target.names[:3]),
        "count": len(deletion.target.names),
        "first": None if deletion.first is None else {"number": deletion.first[0], "question": deletion.first[1]},
        "author": deletion.author,
        "created_at": deletion.created_at,
        "traces": deletion.traces,
        "media": deletion.media,
    }
