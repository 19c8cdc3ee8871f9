"""Exporting by program: a job writes the traces of a status in one of the formats."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

from pydantic import Field

from engine.exchange.formats import FORMATS
from engine.exchange.sheet import Options
from engine.jobs.export import ExportKind
from engine.jobs.running import queue_job
from engine.store import Status
from ui.api.endpoint import Services
from ui.api.jobs import job_value
from ui.api.values import JobValue

__all__ = ["export"]

_FORMATS = [format.name for format in FORMATS]


def export(
    services: Services,
    person: str,
    format: Annotated[
        str, Field(description="The format of whatever reads it next.", json_schema_extra={"enum": list(_FORMATS)})
    ] = "trace-json",
    status: Annotated[Status | None, Field(description="Only traces of this status; null: of any.")] = None,
    has_versions: Annotated[bool, Field(description="Every revision, not the latest alone (trace-json).")] = False,
    protocol: Annotated[
        Literal["studio", "pixel-reasoner", "qwen3-vl", "deepeyes", "mini-o3"] | None,
        Field(description="The wire format of conversations; null: the format or the trace decides."),
    ] = None,
) -> JobValue:
    """Write the traces as files, in the background: the answer is the job; ask job for how far it is."""
    studio = services.studio
    kind = ExportKind(studio.store, studio.media)
    out = studio.settings.artifacts / "exports" / secrets.token_hex(8)
    job = queue_job(studio.store, kind, kind.plan(out, status, format, Options(has_versions, protocol)))
    studio.worker.wake()
    return job_value(job)
