"""Reviewing by program: a verdict on a trace, and taking it back; what may be decided is the workbench's affair."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.store import TraceRecord, Verdict
from ui.api.endpoint import Services
from ui.api.values import ReviewedTrace, trace_url
from ui.curating.messages import MAX_REASON_CHARACTERS

__all__ = ["review", "take_back"]


def review(
    services: Services,
    person: str,
    id: Annotated[str, Field(description="The trace's id.", max_length=100)],
    revision: Annotated[
        str, Field(description="The version that was looked at, from trace; refused where it stands no longer.")
    ],
    verdict: Annotated[Verdict, Field(description="What it is.")],
    reason: Annotated[str, Field(description="Why, for people.", max_length=MAX_REASON_CHARACTERS)] = "",
) -> ReviewedTrace:
    """Decide on a trace: accept it (it is learned from), reject it, flag it for somebody else, or skip it."""
    return _reviewed(services.studio.workbench.review(id, person, verdict, reason, seen=revision))


def take_back(
    services: Services, person: str, id: Annotated[str, Field(description="The trace's id.", max_length=100)]
) -> ReviewedTrace:
    """Take your latest verdict on a trace back."""
    return _reviewed(services.studio.workbench.take_back(id, person))


def _reviewed(record: TraceRecord) -> ReviewedTrace:
    return {"id": record.id, "url": trace_url(record.id), "status": record.status, "revision": record.head_id}
