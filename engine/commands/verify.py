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
        help="remove files that nothing refers to, finish what an emptying of the bin has left, and take what is damaged from "
        "the last snapshot at STUDIO_BACKUP",
    )
    parser.epilog = "Exit status 1 where anything does not match; each problem is one line."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import Broken, NotFound
    from engine.hosting.backup.places import place_named
    from engine.hosting.backup.saving import lost_files, save_database, save_files
    from engine.hosting.backup.snapshots import newest
    from engine.opening import open_media, open_store
    from engine.upkeep import Checked, check

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    place = place_named(settings.backup) if settings.backup else None
    is_repairing = arguments.repair

    def look() -> tuple[Checked, int] | None:
        """What is wrong, and how many of the files can be saved; None where the database cannot be opened."""
        try:
            with open_store(settings) as store:
                snapshot = None if place is None or not store.verify(None).is_readable else newest(place)
                lost = [] if snapshot is None else list(lost_files(store, settings.home, snapshot))
                if place is not None and snapshot is not None and is_repairing:
                    for sentence in save_files(store, settings.home, place, snapshot):
                        print(sentence, file=out)
                return check(store, open_media(settings), settings.artifacts, is_repairing=is_repairing), len(lost)
        except Broken as error:
            print(f"{error}.", file=out)
            return None

    looked = look()
    if looked is None or looked[0].report.is_damaged:
        for sentence in () if looked is None else looked[0].problems:
            print(sentence, file=out)
        if place is None or not is_repairing:
            print(_what_can_be_done(settings.backup), file=out)
            return 1
        print(save_database(settings.home, place, newest(place)), file=out)
        looked = look()
        if looked is None:
            return 1
    checked, saveable = looked
    for sentence in (*checked.removed, *checked.problems):
        print(sentence, file=out)
    if saveable and not is_repairing:
        print(f"{saveable} of the damaged files can be saved from the last snapshot: `verify --repair`.", file=out)
    report, count = checked.report, len(checked.problems)
    counts = f"{report.traces} traces, {report.revisions} revisions, {report.media} media, {report.views} views"
    print(f"{counts}: {f'{count} problems' if count else 'all sound'}", file=out)
    return 1 if count else 0


def _what_can_be_done(backup: str) -> str:
    if backup:
        return f"`verify --repair` takes the last snapshot at {backup}, and keeps the damaged database beside it."
    return "STUDIO_BACKUP names no place with snapshots that the database could be taken from."
