"""What the policy makes of an edited trace, while the page waits: going on from a step, doing without a crop, weighing looks.

    POST /curate/continue    {"trace", "step" (from 0; -1 from the question), "seed" or None}
    POST /curate/blank       {"trace", "step"}: would the answer change if the crop were blank?
    POST /curate/weigh       {"trace"}: what was each look worth?

The first answers with one JSON object a line: {"thought"} while a step is written, {"steps", "views", "answer"} after each step
(all new steps so far, all views of the whole), the same with "stop_reason" and "edit" (which takes them) at the end, or
{"error"}; nothing changes until the person takes it. The others answer with the trace, whose steps say what was found.

Invariants: closing the connection stops the policy within one token; the policy runs in one thread from beginning to end, as
`ui.answering` does; a thought that has grown since is not sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from engine.editing import continuation, edit_to_json
from engine.errors import InvalidInput, PersonError
from engine.reasoning import Finished, Stepped, Thinking
from engine.trace import Step, Trace, View
from engine.workbench import Continuing, OpenTrace
from ui.curating.drafting import open_trace_value
from ui.curating.messages import answer, number_of, read_json, refusal, text_of
from ui.guests import user_of
from ui.rights import acts
from ui.studio import Studio
from ui.trace_values import step_values, view_values

__all__ = ["continue_routes"]

_LOG = logging.getLogger(__name__)
_WAIT_S = 0.25


def continue_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.post("/continue", dependencies=[acts("continue")])
    async def go_on(request: Request) -> Response:
        cancel = threading.Event()
        try:
            body, person = await read_json(request), user_of(request)
            step, continuing = await asyncio.to_thread(_begun, studio, body, person, cancel)
        except PersonError as error:
            return refusal(error)
        return StreamingResponse(
            _lines(step, continuing, cancel),
            media_type="application/x-ndjson",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    @routes.post("/blank", dependencies=[acts("blank")])
    async def blank(request: Request) -> Response:
        def make(body: dict[str, Any], person: str, is_cancelled: Callable[[], bool]) -> OpenTrace:
            trace_id, step = text_of(body, "trace"), number_of(body, "step")
            return studio.workbench.blank(trace_id, person, step, is_cancelled=is_cancelled)

        return await _made(request, make)

    @routes.post("/weigh", dependencies=[acts("weigh")])
    async def weigh(request: Request) -> Response:
        def make(body: dict[str, Any], person: str, is_cancelled: Callable[[], bool]) -> OpenTrace:
            return studio.workbench.weigh(text_of(body, "trace"), person, is_cancelled=is_cancelled)

        return await _made(request, make)

    return routes


async def _made(request: Request, make: Callable[[dict[str, Any], str, Callable[[], bool]], OpenTrace]) -> Response:
    """What `make` finds of the request's body and person, until the page goes away."""
    cancel = threading.Event()
    try:
        body, person = await read_json(request), user_of(request)
    except PersonError as error:
        return refusal(error)

    def answered() -> dict[str, Any]:
        return open_trace_value(make(body, person, cancel.is_set), person)

    work = asyncio.ensure_future(asyncio.to_thread(answer, answered))
    while not (await asyncio.wait({work}, timeout=_WAIT_S))[0]:
        if await request.is_disconnected():
            cancel.set()
    return work.result()


def _begun(studio: Studio, body: dict[str, Any], person: str, cancel: threading.Event) -> tuple[int, Continuing]:
    step, seed = number_of(body, "step"), body.get("seed")
    if not isinstance(seed, int | None) or isinstance(seed, bool):
        raise InvalidInput("The page sent no usable seed; reload it and try again.")
    trace_id = text_of(body, "trace")
    return step, studio.workbench.continue_from(trace_id, person, step, seed=seed, is_cancelled=cancel.is_set)


async def _lines(step: int, continuing: Continuing, cancel: threading.Event) -> AsyncIterator[bytes]:
    mailbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
    work = (step, continuing, mailbox)
    threading.Thread(target=_work, args=work, name="continuing", daemon=True).start()
    try:
        while True:
            try:
                news = [await asyncio.to_thread(mailbox.get, timeout=_WAIT_S)]
            except Empty:
                continue
            while not mailbox.empty():
                news.append(mailbox.get_nowait())
            for index, one in enumerate(news):
                # A thought that has grown since is not worth a line of its own.
                if "thought" in one and index + 1 < len(news) and "thought" in news[index + 1]:
                    continue
                yield json.dumps(one).encode() + b"\n"
            if "stop_reason" in news[-1] or "error" in news[-1]:
                return
    finally:
        cancel.set()


def _work(step: int, continuing: Continuing, mailbox: SimpleQueue[dict[str, Any]]) -> None:
    kept = continuing.kept
    try:
        steps: list[Step] = []
        views: list[View] = list(kept.views)
        for notice in continuing.notices:
            if isinstance(notice, Thinking):
                mailbox.put({"thought": notice.thought})
            elif isinstance(notice, Stepped):
                steps.append(notice.step)
                views.extend(notice.views)
                mailbox.put(_so_far(kept, steps, views))
            elif isinstance(notice, Finished):
                trace = notice.trace
                done = _so_far(kept, trace.steps[step + 1 :], trace.views)
                mailbox.put(done | {"edit": edit_to_json(continuation(step, trace)), "stop_reason": trace.stop_reason})
    except PersonError as error:
        mailbox.put({"error": str(error)})
    except Exception:
        _LOG.exception("continuing from step %d failed", step)
        mailbox.put({"error": "Something broke on our side; the server's log says what."})


def _so_far(kept: Trace, steps: Sequence[Step], views: Sequence[View]) -> dict[str, Any]:
    return {
        "steps": step_values([*kept.steps, *steps], views)[len(kept.steps) :],
        "views": view_values(kept.media, views, [*kept.steps, *steps]),
        "answer": steps[-1].answer if steps else None,
    }
