"""The kind "export": the store's traces as files in the format `trace-json` (`engine.exchange.trace_json`).

It needs no model, and no checkpoint beside the file that it writes: a run that was stopped or killed goes on after its
last whole line. What is exported is the store as it is while the job runs, not as it was when it was queued.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from engine.errors import InvalidInput
from engine.exchange.trace_json import FILE_NAME, export_traces
from engine.jobs.kinds import EXPORT, TITLES, CutOff, Done, Ending, Plan
from engine.jobs.report import Report
from engine.media import MediaFolder
from engine.store import Job, Status, Store

__all__ = ["ExportKind", "ExportWork"]

_TOLD_EVERY = 100
"""Traces between two signs of progress."""


@dataclass(frozen=True, slots=True)
class ExportKind:
    store: Store
    media: MediaFolder
    name: str = EXPORT
    title: str = TITLES[EXPORT]

    def plan(self, out: Path, status: Status | None = None) -> Plan:
        """The traces of `status` (None: all) into the folder `out`. Raises InvalidInput where it holds an export
        already."""
        target = out.absolute() / FILE_NAME
        if target.exists():
            raise InvalidInput(f"{target} is there already; choose another folder")
        return Plan({"format": "trace-json", "out": str(out.absolute()), "status": status})

    def prepare(self, job: Job) -> ExportWork:
        return ExportWork(self.store, self.media, job)


@dataclass(frozen=True, slots=True)
class ExportWork:
    store: Store
    media: MediaFolder
    job: Job

    def run(self, report: Report) -> Ending:
        config: dict[str, Any] = self.job.config

        def tell(done: int, total: int) -> None:
            if done % _TOLD_EVERY == 0 or done == total:
                report.progress(done / total, f"{done:,} of {total:,} traces")

        exported = export_traces(
            self.store,
            self.media,
            Path(config["out"]),
            cast(Status | None, config["status"]),
            run=self.job.id,
            on_progress=tell,
            should_stop=report.should_stop_soon,
        )
        traces = f"{exported.count:,} trace{'' if exported.count == 1 else 's'}"
        if not exported.is_whole:
            return CutOff(f"after {traces}")
        return Done(f"{traces} in {Path(config['out']) / FILE_NAME}")
