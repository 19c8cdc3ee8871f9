"""`export FORMAT --out DIR`: traces as files in one of the formats; the same job that the studio runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TextIO

from engine.settings import PROTOCOLS, Settings

ACTION = "export"
SUMMARY = "write the store's traces as files, in the format of whatever reads them next"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("format", metavar="FORMAT", help="trace-json, or another of docs/exchange.md")
    parser.add_argument("--out", metavar="DIR", required=True, help="a folder for the file and its pictures")
    parser.add_argument(
        "--status",
        metavar="S",
        choices=("new", "edited", "flagged", "accepted", "rejected"),
        help="only the traces of this status: new, edited, flagged, accepted or rejected",
    )
    parser.add_argument(
        "--revisions", action="store_true", help="every version of a trace, where the format has a place"
    )
    parser.add_argument(
        "--protocol",
        metavar="N",
        choices=PROTOCOLS,
        help=f"the wire format of conversations, where the format has none of its own: {', '.join(PROTOCOLS)}",
    )
    parser.epilog = "What the format cannot hold is told on standard error. Ctrl-C stops it; the same command goes on."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import NotFound, Unavailable
    from engine.exchange.sheet import Options
    from engine.jobs.export import ExportKind
    from engine.jobs.running import run_in_foreground, unfinished
    from engine.opening import open_media, open_store

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    with open_store(settings) as store:
        kind = ExportKind(store, open_media(settings))
        options = Options(arguments.revisions, arguments.protocol)
        plan = kind.plan(Path(arguments.out), arguments.status, arguments.format, options)
        job = run_in_foreground(store, settings.artifacts, kind, unfinished(store, kind, plan) or plan)
        lost = store.jobs.events(job.id, kind="lost")
    if job.state != "done":
        raise Unavailable(f"the export did not come to its end: {job.message}")
    for event in lost:
        print(event.data["text"], file=sys.stderr)
    print(job.message, file=out)
    return 0
