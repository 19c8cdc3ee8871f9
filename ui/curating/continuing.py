"""A policy goes on from an edited step, streamed to the page; nothing changes until the person takes it.

    POST /curate/continue    {"trace", "step" (from 0; -1 from the question), "seed" or None}

Answers with one JSON object a line: {"thought"} while a step is written, {"steps", "views", "answer"} after each step (all new
steps so far, all views of the whole), the same with "stop_reason" and "edit" (which takes them) at the end, or
{"error"}. Closing the
connection stops the policy within one token.

Invariant: the policy runs in one thread from beginning to end, as `ui.answering` does; a thought that has grown since is not
sent.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from engine.editing import Draft, continuation, continue_from, edit_to_json, prefix
from engine.errors import InvalidInput, PersonError
from engine.reasoning import Finished, Limits, Stepped, Thinking
from engine.trace import Step, Trace, View
from engine.workbench import Workbench
from ui.curating.presenting import step_value, view_values
from ui.curating.routes import answer, read_json, text_of
from ui.people import user_of
from ui.studio import Studio

__all__ = ["continue_routes"]

_LOG = logging.getLogger(__name__)
_WAIT_S = 0.25


def continue_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.post("/continue")
    async def go_on(request: Request) -> Response:
        body, person = await read_json(request), user_of(request)
        try:
            draft, step, seed, options = await asyncio.to_thread(_wanted, studio, body, person)
        except PersonError as error:
            sentence = error
            return answer(lambda: _raise(sentence))
        return StreamingResponse(
            _lines(studio, draft, step, seed, options),
            media_type="application/x-ndjson",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return routes


def _raise(error: PersonError) -> None:
    raise error


def _wanted(studio: Studio, body: dict[str, Any], person: str) -> tuple[Draft, int, int | None, tuple[str, ...]]:
    trace_id, step, seed = text_of(body, "trace"), body.get("step"), body.get("seed")
    if not isinstance(step, int) or isinstance(step, bool) or not isinstance(seed, int | None):
        raise InvalidInput("The page sent no usable step; reload it and try again.")
    draft = Workbench(studio.store, studio.media).open(trace_id, person).draft
    prefix(draft.trace, step)
    return draft, step, seed, studio.store.traces.get(trace_id).options


async def _lines(
    studio: Studio, draft: Draft, step: int, seed: int | None, options: tuple[str, ...]
) -> AsyncIterator[bytes]:
    cancel = threading.Event()
    mailbox: SimpleQueue[dict[str, Any]] = SimpleQueue()
    work = (studio, draft, step, seed, options, cancel, mailbox)
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


def _work(
    studio: Studio,
    draft: Draft,
    step: int,
    seed: int | None,
    options: tuple[str, ...],
    cancel: threading.Event,
    mailbox: SimpleQueue[dict[str, Any]],
) -> None:
    try:
        kept = prefix(draft.trace, step)
        settings = studio.settings
        limits = Limits(max_steps=settings.max_steps, max_tokens=settings.max_tokens)
        steps: list[Step] = []
        views: list[View] = list(kept.views)
        events = continue_from(
            draft,
            step,
            studio.policy(),
            studio.media.pictures(draft.base.media),
            options=options,
            limits=limits,
            seed=seed,
            is_cancelled=cancel.is_set,
        )
        for event in events:
            if isinstance(event, Thinking):
                mailbox.put({"thought": event.thought})
            elif isinstance(event, Stepped):
                steps.append(event.step)
                views.extend(event.views)
                mailbox.put(_so_far(draft.base, kept.steps, steps, views))
            elif isinstance(event, Finished):
                trace = event.trace
                done = _so_far(trace, trace.steps[: step + 1], trace.steps[step + 1 :], trace.views)
                mailbox.put(done | {"edit": edit_to_json(continuation(step, trace)), "stop_reason": trace.stop_reason})
    except PersonError as error:
        mailbox.put({"error": str(error)})
    except Exception:
        _LOG.exception("continuing from step %d failed", step)
        mailbox.put({"error": "Something broke on our side; the server's log says what."})


def _so_far(of: Trace, kept: Sequence[Step], steps: Sequence[Step], views: Sequence[View]) -> dict[str, Any]:
    return {
        "steps": [step_value(one, views) for one in steps],
        "views": view_values(of.media, views, [*kept, *steps]),
        "answer": steps[-1].answer if steps else None,
    }
