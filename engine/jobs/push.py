"""The kind "push": the store's traces become a data set on the Hugging Face Hub (`engine.exchange.hub`), with a card.

It first writes the files into its own folder, and goes on there after a stop or a kill; then it sends them, in one commit. The
record names no token: it is read from the environment when the job runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.exchange.card import Tally, require_licence
from engine.exchange.hub import CARD, HUB_DATA, require_repo, require_token, upload
from engine.exchange.leaving import export
from engine.exchange.sheet import Options
from engine.jobs.kinds import PUSH, TITLES, CutOff, Done, Ending, Plan
from engine.jobs.report import Report
from engine.media import MediaFolder
from engine.protocols import protocol_named
from engine.store import Job, Seer, Status, Store

__all__ = ["PushKind", "PushWork"]

_TOLD_EVERY = 100
_WRITTEN = 0.7
"""Share of the progress that stands for writing; sending is the rest."""


@dataclass(frozen=True, slots=True)
class PushKind:
    store: Store
    media: MediaFolder
    name: str = PUSH
    title: str = TITLES[PUSH]

    def plan(
        self,
        repo: str,
        licence: str,
        status: Status | None = "accepted",
        *,
        title: str = "",
        is_public: bool = False,
        protocol: str | None = None,
    ) -> Plan:
        """The traces of `status` (None: all) into the data set `repo` (OWNER/NAME). `title` heads the card, by default its
        name; `protocol` is the wire format of the conversations, by default that of each trace.

        Raises InvalidInput for a name or licence that is none, or where there are no such traces; InvalidSetting without a
        token or for an unknown protocol.
        """
        counts = self.store.traces.counts(Seer("", is_reader=True))
        if not (sum(counts.values()) if status is None else counts[status]):
            raise InvalidInput(f"there are no {status or ''} traces to push".replace("  ", " "))
        require_token()
        return Plan(
            {
                "repo": require_repo(repo),
                "licence": require_licence(licence),
                "status": status,
                "title": title or repo.partition("/")[2],
                "is_public": is_public,
                "protocol": protocol and protocol_named(protocol).NAME,
            }
        )

    def prepare(self, job: Job) -> PushWork:
        return PushWork(self.store, self.media, job)


@dataclass(frozen=True, slots=True)
class PushWork:
    store: Store
    media: MediaFolder
    job: Job

    def run(self, report: Report) -> Ending:
        config: Mapping[str, Any] = self.job.config
        folder = report.folder / "data_set"
        stopped = self._write_rows(folder, config, report) or self._write_card(folder, config, report)
        if stopped is not None:
            return stopped
        report.progress(_WRITTEN, f"sending to {config['repo']}")

        def tell(done: int, total: int) -> None:
            report.progress(_WRITTEN + (1 - _WRITTEN) * done / total, f"sent {done} of {total} files")

        files = (HUB_DATA.file, CARD)
        sent = upload(
            folder,
            files,
            config["repo"],
            is_public=config["is_public"],
            on_progress=tell,
            should_stop=report.should_stop,
        )
        return CutOff("before all was sent") if sent is None else Done(f"pushed to {sent}")

    def _write_rows(self, folder: Path, config: Mapping[str, Any], report: Report) -> CutOff | None:
        if (folder / HUB_DATA.file).exists():
            return None

        def tell(done: int, total: int) -> None:
            if done % _TOLD_EVERY == 0 or done == total:
                report.progress(_WRITTEN * done / total, f"{done:,} of {total:,} traces")

        made = export(
            self.store,
            self.media,
            HUB_DATA,
            folder,
            config["status"],
            Options(protocol=config["protocol"]),
            run=self.job.id,
            on_progress=tell,
            should_stop=report.should_stop_soon,
        )
        if not made.is_whole:
            return CutOff(f"after {made.traces:,} traces")
        if not made.rows:
            raise InvalidInput("none of these traces can be said in this wire format, so there is nothing to push")
        for sentence in made.sentences():
            report.say(None, "lost", {"text": sentence})
        return None

    def _write_card(self, folder: Path, config: Mapping[str, Any], report: Report) -> CutOff | None:
        from pyarrow import parquet

        tally = Tally()
        for batch in parquet.ParquetFile(folder / HUB_DATA.file).iter_batches(1000, columns=["id"]):
            for trace_id in batch["id"].to_pylist():
                if report.should_stop_soon():
                    return CutOff("while the card was written")
                tally.add(self.store.dossiers.get(trace_id))
        (folder / CARD).write_text(tally.card(config["title"], config["licence"], config["repo"]), encoding="utf-8")
        return None
