"""The types of what endpoints answer: JSON objects, in the forms of `engine.trace_json`."""

from __future__ import annotations

from typing import Any, Literal

# pydantic reads the TypedDict of the standard library from Python 3.12 on only.
from typing_extensions import TypedDict

from engine.store import JobState, Status
from engine.trace import MediaKind, StopReason

__all__ = [
    "DataSetValue",
    "DataSetsPage",
    "ExampleValue",
    "ExamplesPage",
    "JobValue",
    "JobsPage",
    "ListedTrace",
    "MediumValue",
    "OpenTraceValue",
    "ReviewedTrace",
    "StepValue",
    "TraceValue",
    "TracesPage",
    "ViewValue",
    "trace_url",
]


class MediumValue(TypedDict):
    """`width` and `height` in pixels."""

    sha256: str
    kind: MediaKind
    width: int
    height: int


class ViewValue(TypedDict):
    """`box` is [x1, y1, x2, y2] from 0 to 1 in the original, `frame` 1 to 16 of a clip, null of a picture."""

    number: int
    sha256: str
    frame: int | None
    box: list[float]


class StepValue(TypedDict, total=False):
    """One thought, and either an operation with what was observed, or the answer."""

    thought: str
    operation: dict[str, Any] | None
    observation: dict[str, Any] | None
    answer: str
    is_erroneous: bool


class _Trace(TypedDict):
    version: Literal[1]
    question: str
    answer: str | None
    policy: str
    protocol: str
    media: list[MediumValue]
    views: list[ViewValue]
    steps: list[StepValue]
    is_operating: bool


class TraceValue(_Trace):
    """A trace in JSON version 1. While it is asked `id`, `url` and `stop_reason` are null and `protocol` is empty; `thought`
    is what is being written, null between steps and at the end. `url` goes behind the studio's address."""

    id: str | None
    url: str | None
    stop_reason: StopReason | None
    thought: str | None


class OpenTraceValue(_Trace):
    """A trace in JSON version 1 as its latest revision has it, and what is known of it: `revision` names that version in a
    review; `known` is what is known of the example ("gold", "options", "evidence", ...); `score` and `confidence` are from 0
    to 1; attempts at the same example share their `group`."""

    id: str
    url: str
    stop_reason: StopReason
    status: Status
    number: int
    revision: str
    author: str
    score: float | None
    confidence: float | None
    group: str | None
    known: dict[str, Any]
    created_at: str
    updated_at: str


class ListedTrace(TypedDict):
    """A trace as a row of the queue, without its steps."""

    id: str
    url: str
    number: int
    status: Status
    question: str
    answer: str | None
    gold: str | None
    score: float | None
    confidence: float | None
    group: str | None
    policy: str
    source: str
    author: str
    stop_reason: StopReason
    step_count: int
    created_at: str
    updated_at: str


class TracesPage(TypedDict):
    """`total` counts all that were asked for; where `is_total_exact` is false there are at least that many. `has_more` says
    whether a page follows this one."""

    traces: list[ListedTrace]
    total: int
    is_total_exact: bool
    has_more: bool
    counts: dict[str, int]


class ReviewedTrace(TypedDict):
    """Where a trace stands after a verdict; `revision` is its latest version."""

    id: str
    url: str
    status: Status
    revision: str


class DataSetValue(TypedDict):
    """`with_answer` is how many of its `count` examples have one."""

    name: str
    count: int
    with_answer: int
    updated_at: str


class DataSetsPage(TypedDict):
    data_sets: list[DataSetValue]


class ExampleValue(TypedDict):
    """An example that was brought in; `example` is the JSON form of `engine.trace_json`."""

    id: str
    number: int
    data_set: str
    original_id: str | None
    file_names: list[str]
    example: dict[str, Any]


class ExamplesPage(TypedDict):
    """`next_after` asks for the next page; null after the last one."""

    examples: list[ExampleValue]
    next_after: int | None


class JobValue(TypedDict):
    """Background work: `progress` is from 0 to 1, `message` says where it is; `files` is where an export that is done has its
    zip, behind the studio's address."""

    id: str
    kind: str
    title: str
    state: JobState
    message: str
    progress: float
    files: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None


class JobsPage(TypedDict):
    jobs: list[JobValue]


def trace_url(trace_id: str) -> str:
    """Where people look at a trace, behind the studio's address."""
    return f"curate?trace={trace_id}"
