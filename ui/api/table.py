"""Every endpoint, and the action that it is in the table of rights."""

from __future__ import annotations

from ui.api.asking import ask
from ui.api.endpoint import Endpoint, endpoint
from ui.api.examples import data_sets, examples
from ui.api.exporting import export
from ui.api.jobs import job, jobs
from ui.api.reviewing import review, take_back
from ui.api.traces import trace, traces

__all__ = ["ENDPOINTS"]

ENDPOINTS: tuple[Endpoint, ...] = (
    endpoint("ask", ask),
    endpoint("look_at_work", data_sets),
    endpoint("look_at_work", examples),
    endpoint("look", traces),
    endpoint("look", trace),
    endpoint("review", review),
    endpoint("take_back", take_back),
    endpoint("export", export),
    endpoint("look_at_work", jobs),
    endpoint("look_at_work", job),
)
