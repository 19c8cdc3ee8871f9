"""Traces by program: pages of them by status, and one with its steps."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from engine.store import Query, QueueItem, QueueOrder, Status
from engine.trace_json import known_to_json, trace_to_json
from ui.api.endpoint import Services
from ui.api.values import ListedTrace, OpenTraceValue, TracesPage, trace_url

__all__ = ["trace", "traces"]

_PAGE, _MOST = 50, 200


def traces(
    services: Services,
    person: str,
    status: Annotated[Status | None, Field(description="Only traces of this status; null: of any.")] = None,
    search: Annotated[
        str, Field(description="Words that question, answer or thoughts hold; empty: all.", max_length=1000)
    ] = "",
    order: Annotated[QueueOrder, Field(description="What comes first; suggested: what teaches most.")] = "newest",
    after: Annotated[str | None, Field(description="The id of the last trace of the page before.")] = None,
    limit: Annotated[int, Field(description="How many at most.", ge=1, le=_MOST)] = _PAGE,
) -> TracesPage:
    """List the recorded traces, a page at a time, with how many of each status there are."""
    store = services.studio.store
    seer = services.studio.workbench.seer_of(person)
    page = store.queue.one_by_one(Query(search=search, status=status, order=order, seer=seer), limit, after)
    return {
        "traces": [_listed(one.item) for one in page.items],
        "total": page.total,
        "is_total_exact": page.is_total_exact,
        "has_more": page.has_more,
        "counts": dict(store.traces.counts(seer)),  # type: ignore[arg-type]
    }


def trace(
    services: Services, person: str, id: Annotated[str, Field(description="The trace's id.", max_length=100)]
) -> OpenTraceValue:
    """Read one trace: its steps as the latest revision has them, and what is known of it."""
    store = services.studio.store
    services.studio.workbench.require_seen(person, id)
    record, head = store.traces.get(id), store.revisions.head(id)
    item = record.item
    known: dict[str, Any] = {
        "url": trace_url(id),
        "is_operating": head.trace.is_operating,
        "status": item.status,
        "number": item.number,
        "revision": head.id,
        "author": item.author,
        "score": item.score,
        "confidence": item.confidence,
        "group": item.group_id,
        "known": known_to_json(record.example),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
    return trace_to_json(head.trace, id) | known  # type: ignore[return-value]


def _listed(item: QueueItem) -> ListedTrace:
    return {
        "id": item.id,
        "url": trace_url(item.id),
        "number": item.number,
        "status": item.status,
        "question": item.question,
        "answer": item.answer,
        "gold": item.gold,
        "score": item.score,
        "confidence": item.confidence,
        "group": item.group_id,
        "policy": item.policy,
        "source": item.source,
        "author": item.author,
        "stop_reason": item.stop_reason,
        "step_count": item.step_count,
        "created_at": item.created_at,
        "updated_at": item.updated_at,
    }
