"""`verify`: every hash derived again, every media file hashed, every crop cut again, files that nothing refers to found."""

from __future__ import annotations

import argparse
from typing import TextIO

from engine.settings import Settings

ACTION = "verify"
SUMMARY = "derive every hash and cut every crop of the store again, and find files that nothing refers to"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--repair",
        action="store_true",
        help="remove files that nothing refers to, and finish what an emptying of the bin has left",
    )
    parser.epilog = "Exit status 1 where anything does not match; each problem is one line."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import NotFound
    from engine.opening import open_media, open_store
    from engine.upkeep import check

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    with open_store(settings) as store:
        checked = check(store, open_media(settings), settings.artifacts, is_repairing=arguments.repair)
    for sentence in (*checked.removed, *checked.problems):
        print(sentence, file=out)
    report, count = checked.report, len(checked.problems)
    counts = f"{report.traces} traces, {report.revisions} revisions, {report.media} media, {report.views} views"
    print(f"{counts}: {f'{count} problems' if count else 'all sound'}", file=out)
    return 1 if count else 0
