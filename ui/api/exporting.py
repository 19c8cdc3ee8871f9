"""Exporting by program: a job writes the traces of a status in one of the formats."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.exchange.formats import FORMATS
from engine.exchange.sheet import Options
from engine.store import Status
from ui.api.endpoint import Services
from ui.api.jobs import job_value
from ui.api.values import JobValue
from ui.data.export_routes import begin_export

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
    job = begin_export(services.studio, format, status, Options(has_versions, protocol))
    return job_value(services.studio, job)
