"""Rows of the queue and traces as the JSON that the Curate screen draws. Pure but for looking media up.

A trace for the screen:

    {"id", "number", "status", "question", "answer", "gold", "score", "policy", "protocol", "source", "author", "stop_reason",
     "created_at", "options": [str], "evidence": {"boxes": [...], "frames": [...]} | None,
     "head": {"id", "number", "author", "created_at"}, "media": [media_value | {"is_missing": True, ...}],
     "views", "steps" (as `ui.trace_values.view_values` and `step_values` give them),
     "attempts": [{"id", "number", "status", "head_id", "answer", "score", "confidence"}], all that stand together, itself among
     them (`engine.store.groups`),
     "reviews": [{"reviewer", "verdict", "reason", "created_at", "is_undone", "is_of_head"}]}

Not covered: what a person may change (`ui.curating.drafting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.errors import PersonError
from engine.store import Listed, QueueItem, Review, Revision, TraceRecord
from engine.trace import Media, Trace
from engine.trace_json import known_to_json, media_to_json
from ui.studio import Studio
from ui.trace_values import media_value, step_values, thumbnail_url, view_values

__all__ = [
    "attempt_value",
    "item_value",
    "media_values",
    "picture_of",
    "review_value",
    "revision_value",
    "steps_and_views",
    "trace_value",
]

_QUEUE_SIDE_PX = 128


def item_value(listed: Listed, person: str) -> dict[str, Any]:
    """One row of the queue as `person` sees it: "holder" is somebody else who is working on it."""
    item = listed.item
    return {
        "id": item.id,
        "number": item.number,
        "status": item.status,
        "head_id": item.head_id,
        "question": item.question,
        "answer": item.answer,
        "gold": item.gold,
        "score": item.score,
        "confidence": item.confidence,
        "policy": item.policy,
        "kind": item.media_kind,
        "attempts": listed.group_size,
        "is_pretending": listed.is_pretending,
        "ignores_error": listed.ignores_error,
        "evidence_share": listed.evidence_share,
        "tags": list(listed.tags),
        "holder": None if listed.holder == person else listed.holder,
        "round": listed.round,
        "picture": picture_of(item),
    }


def picture_of(item: QueueItem) -> str | None:
    """The address of a small picture of a trace's first medium, None for a trace without."""
    frame = 1 if item.media_kind == "video" else None
    return thumbnail_url(item.media_sha256, frame, _QUEUE_SIDE_PX) if item.media_sha256 else None


def trace_value(studio: Studio, record: TraceRecord, head: Revision, reviews: Sequence[Review]) -> dict[str, Any]:
    """One trace as the screen draws it (format: module docstring)."""
    item, trace = record.item, head.trace
    return {
        "id": item.id,
        "number": item.number,
        "status": item.status,
        "question": trace.question,
        "answer": trace.answer,
        **known_to_json(record.example),
        "score": item.score,
        "policy": trace.policy,
        "protocol": trace.protocol,
        "author": item.author,
        "stop_reason": trace.stop_reason,
        "created_at": item.created_at,
        "head": revision_value(head),
        "media": media_values(studio, trace.media),
        **steps_and_views(trace),
        "reviews": [review_value(review) for review in reviews],
        "attempts": [attempt_value(one) for one in studio.store.queue.group(item.id)],
    }


def attempt_value(item: QueueItem) -> dict[str, Any]:
    """One of the attempts that stand together, as its button and, once it is chosen, its row of the queue show it."""
    return {
        "id": item.id,
        "number": item.number,
        "status": item.status,
        "head_id": item.head_id,
        "answer": item.answer,
        "score": item.score,
        "confidence": item.confidence,
    }


def review_value(review: Review) -> dict[str, Any]:
    return {
        "reviewer": review.reviewer,
        "verdict": review.verdict,
        "reason": review.reason,
        "created_at": review.created_at,
        "is_undone": review.undone_at is not None,
        "is_of_head": review.is_of_head,
    }


def steps_and_views(trace: Trace) -> dict[str, Any]:
    """The "views" and "steps" of a trace."""
    return {
        "views": view_values(trace.media, trace.views, trace.steps),
        "steps": step_values(trace.steps, trace.views),
    }


def revision_value(revision: Revision) -> dict[str, Any]:
    return {
        "id": revision.id,
        "number": revision.number,
        "author": revision.author,
        "created_at": revision.created_at,
    }


def media_values(studio: Studio, media: Sequence[Media]) -> list[dict[str, Any]]:
    """`media_value` of each; of one whose file is not here, what the trace knows, and "is_missing"."""
    return [_media_value(studio, medium) for medium in media]


def _media_value(studio: Studio, medium: Media) -> dict[str, Any]:
    name = studio.store.media.name_of(medium.sha256)
    try:
        return media_value(studio.media.load(medium.sha256), name) | {"is_missing": False}
    except PersonError:
        return media_to_json(medium) | {"times_s": [], "name": name, "is_missing": True}
