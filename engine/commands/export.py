"""`export FORMAT --out DIR`: traces with all that is known of them, as files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from engine.settings import Settings

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


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import NotFound
    from engine.exchange.trace_json import FILE_NAME, export_traces
    from engine.opening import open_media, open_store

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    folder = Path(arguments.out)
    with open_store(settings) as store:
        count = export_traces(store, open_media(settings), folder, arguments.status)
    print(f"{count} trace{'' if count == 1 else 's'} in {folder / FILE_NAME}", file=out)
    return 0
