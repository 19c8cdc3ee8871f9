"""What the Ask page asks of the server beside Gradio's events.

    POST /ask/leave        the id of an attempt, as text: its page goes, so it stops unless somebody comes back. 204, always
    GET  /ask/news/{id}    {"number", "is_over"}: whether there is news of an attempt that a page may have missed
    GET  /ask/mine         {"questions": [{"id", "question", "answer", "kind", "url", "asked_at", "is_over"}]}, newest first
    GET  /ask/kept/{id}/trace.json, crops.zip, boxes.png     what can be taken away (`ui.asking.keeping`)
    GET  /ask/kept/{id}/told, seen/{number}.png              what the model was told, and a view as it was shown it
    POST /ask/judge        {"trace", "is_right": bool, "right_answer"?: str}: what whoever asked says of the answer goes to
                           whoever reviews, as the reason of a flag; it changes neither the answer nor what is trained on

A page that is closed has no time for an event of Gradio; the browser sends the first after it (`navigator.sendBeacon`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from engine.store.traces import QueueItem
from engine.trace import Media
from ui.answering import Answering, Attempt
from ui.asking.keeping import Kept, boxed_picture, crops_zip, kept_of, seen_picture, told_value, trace_file
from ui.curating.messages import answer_posts, flag_of, text_of
from ui.guests import user_of
from ui.rights import acts
from ui.studio import Studio
from ui.trace_values import thumbnail_url

__all__ = ["ask_routes"]

_MOST_BYTES = 100
_MOST_QUESTIONS = 30
_MOST_ANSWER_CHARACTERS = 500
_SIDE_PX = 128
_FRESH = {"Cache-Control": "no-store"}


def ask_routes(studio: Studio, answering: Answering) -> APIRouter:
    routes = APIRouter()

    @routes.post("/ask/leave", dependencies=[acts("ask")])
    async def leave(request: Request) -> Response:
        key = bytearray()
        async for piece in request.stream():
            key += piece
            if len(key) > _MOST_BYTES:
                return Response(status_code=204)
        attempt = answering.find(key.decode("ascii", "replace"))
        if attempt is not None and attempt.author == user_of(request):
            answering.leave(attempt.id)
        return Response(status_code=204)

    @routes.get("/ask/news/{id}", dependencies=[acts("look")])
    def news(id: str, request: Request) -> JSONResponse:
        attempt = answering.find_for(id, user_of(request))
        told = {"number": -1, "is_over": True}
        if attempt is not None:
            told = {"number": attempt.progress.number, "is_over": attempt.is_over}
        return JSONResponse(told, headers=_FRESH)

    @routes.get("/ask/mine", dependencies=[acts("look")])
    def mine(request: Request) -> JSONResponse:
        person = user_of(request)
        asked = [_under_way(attempt) for attempt in answering.of(person)]
        asked += [_kept(item) for item in studio.store.traces.asked_by(person, _MOST_QUESTIONS)]
        return JSONResponse({"questions": asked[:_MOST_QUESTIONS]}, headers=_FRESH)

    def file(name: str, media_type: str, make: Callable[[Kept], bytes], *, is_saved: bool = True) -> None:
        @routes.get(f"/ask/kept/{{id}}/{name}", dependencies=[acts("look")])
        def send(id: str, request: Request) -> Response:
            studio.workbench.require_seen(user_of(request), id)
            saved = {"Content-Disposition": f'attachment; filename="{id[:12]}-{name}"'} if is_saved else {}
            return Response(make(kept_of(studio, id)), media_type=media_type, headers=_FRESH | saved)

    file("trace.json", "application/json", trace_file)
    file("crops.zip", "application/zip", crops_zip)
    file("boxes.png", "image/png", boxed_picture)
    file("told", "application/json", lambda kept: json.dumps(told_value(kept)).encode(), is_saved=False)

    @routes.get("/ask/kept/{id}/seen/{number}.png", dependencies=[acts("look")])
    def seen(id: str, number: int, request: Request) -> Response:
        studio.workbench.require_seen(user_of(request), id)
        return Response(seen_picture(kept_of(studio, id), number), media_type="image/png", headers=_FRESH)

    def judge(body: dict[str, Any], person: str) -> dict[str, Any]:
        said = "right" if flag_of(body, "is_right") else "wrong"
        answer = text_of(body, "right_answer", _MOST_ANSWER_CHARACTERS).strip()
        reason = f"Whoever asked says: {said}." + (f" The right answer: {answer}" if answer else "")
        record = studio.workbench.send_to_review(text_of(body, "trace"), person, reason)
        return {"status": record.status}

    answer_posts(routes, "/ask/judge", "send_to_review", judge)
    return routes


def _under_way(attempt: Attempt) -> dict[str, Any]:
    return _row(attempt.id, attempt.example.question, None, attempt.example.media[0]) | {"is_over": False}


def _kept(item: QueueItem) -> dict[str, Any]:
    medium = Media(item.media_sha256, item.media_kind, 1, 1) if item.media_sha256 and item.media_kind else None
    return _row(item.id, item.question, item.answer, medium) | {"is_over": True, "asked_at": item.created_at}


def _row(id: str, question: str, answer: str | None, medium: Media | None) -> dict[str, Any]:
    url = medium and thumbnail_url(medium.sha256, 1 if medium.kind == "video" else None, _SIDE_PX)
    return {"id": id, "question": question, "answer": answer, "url": url, "asked_at": None}
