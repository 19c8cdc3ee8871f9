"""`export FORMAT --out DIR`: traces with all that is known of them, as files; the same job that the studio runs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from engine.settings import Settings

if TYPE_CHECKING:
    from engine.jobs.kinds import Plan
    from engine.store import Job, Store

ACTION = "export"
SUMMARY = "write the store's traces, their labels, reviews and media as files"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("format", metavar="FORMAT", choices=("trace-json",), help="trace-json")
    parser.add_argument("--out", metavar="DIR", required=True, help="a folder for TRACES.jsonl and the media")
    parser.add_argument(
        "--status",
        metavar="S",
        choices=("new", "edited", "flagged", "accepted", "rejected"),
        help="only the traces of this status: new, edited, flagged, accepted or rejected",
    )
    parser.epilog = "Ctrl-C stops it; the same command goes on where it was stopped."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import NotFound, Unavailable
    from engine.jobs.export import ExportKind
    from engine.jobs.running import run_in_foreground
    from engine.opening import open_media, open_store

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    with open_store(settings) as store:
        kind = ExportKind(store, open_media(settings))
        plan = kind.plan(Path(arguments.out), arguments.status)
        job = run_in_foreground(store, settings.artifacts, kind, _stopped(store, plan) or plan)
    if job.state != "done":
        raise Unavailable(f"the export did not come to its end: {job.message}")
    print(job.message, file=out)
    return 0


def _stopped(store: Store, plan: Plan) -> Job | None:
    """The job of the same plan that was stopped, if there is one."""
    from engine.jobs.kinds import EXPORT

    stopped = store.jobs.list("stopped", kinds=[EXPORT])
    return next((job for job in stopped if job.config == plan.config), None)
