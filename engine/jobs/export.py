"""The kind "export": the store's traces as files in a format of `engine.exchange`.

It needs no model, and no checkpoint beside the file that it writes: a run that was stopped or killed goes on after its
last whole line. What is exported is the store as it is while the job runs, not as it was when it was queued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.exchange.formats import format_named
from engine.exchange.leaving import export
from engine.exchange.sheet import Options
from engine.exchange.writing import require_room
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

    def plan(
        self,
        out: Path,
        status: Status | None = None,
        format: str = "trace-json",
        options: Options | None = None,
        *,
        chosen: Sequence[str] | None = None,
    ) -> Plan:
        """The traces of `status` (None: all), or those `chosen` by their ids, into the folder `out`. Raises InvalidInput where
        it holds an export already, or the format cannot be written."""
        require_room(format_named(format), out.absolute())
        more: dict[str, Any] = {name: value for name, value in asdict(options or Options()).items() if value}
        if chosen is not None:
            more["chosen"] = list(chosen)
        return Plan({"format": format, "out": str(out.absolute()), "status": status, **more})

    def prepare(self, job: Job) -> ExportWork:
        return ExportWork(self.store, self.media, job)


@dataclass(frozen=True, slots=True)
class ExportWork:
    store: Store
    media: MediaFolder
    job: Job

    def run(self, report: Report) -> Ending:
        config: Mapping[str, Any] = self.job.config

        def tell(done: int, total: int) -> None:
            if done % _TOLD_EVERY == 0 or done == total:
                report.progress(done / total, f"{done:,} of {total:,} traces")

        written = export(
            self.store,
            self.media,
            format_named(config["format"]),
            Path(config["out"]),
            config["status"],
            Options(config.get("has_versions", False), config.get("protocol")),
            chosen=config.get("chosen"),
            run=self.job.id,
            on_progress=tell,
            should_stop=report.should_stop_soon,
        )
        traces = f"{written.traces:,} trace{'' if written.traces == 1 else 's'}"
        if not written.is_whole:
            return CutOff(f"after {traces}")
        for sentence in written.sentences():
            report.say(None, "lost", {"text": sentence})
        return Done(f"{traces} in {written.file}")
