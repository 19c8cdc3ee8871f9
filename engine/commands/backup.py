"""`backup`: snapshots of the home elsewhere, and a home made of one."""

from __future__ import annotations

import argparse
import json
from typing import TextIO

from engine.settings import Settings

ACTION = "backup"
SUMMARY = "put a snapshot of the home elsewhere, list what is there, or make an empty home of one"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=("push", "restore", "list"))
    parser.add_argument(
        "where", nargs="?", metavar="WHERE", help="a folder, or hub:OWNER/NAME; without it STUDIO_BACKUP"
    )
    parser.add_argument("--snapshot", type=int, metavar="N", help="restore the snapshot of this number, not the newest")
    parser.add_argument("--force", action="store_true", help="push also where the place has gone on without this home")
    parser.add_argument("--json", action="store_true", help="list: one JSON object a line")
    parser.epilog = (
        "A push goes on beside a running studio. A home that has a database is never overwritten by a restore."
    )


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import NotFound
    from engine.hosting.backup.places import place_named
    from engine.hosting.backup.snapshots import push, restore, snapshots
    from engine.opening import open_store

    place = place_named(arguments.where or settings.backup)
    if arguments.what == "push":
        if not settings.database.exists():
            raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which home is copied")
        with open_store(settings) as store:
            made, sent = push(store, settings.home, place, is_forced=arguments.force)
        print(f"{made.title} at {place.name}: {f'{sent} new files' if sent else 'nothing has changed'}", file=out)
    elif arguments.what == "restore":
        made = restore(settings.home, place, arguments.snapshot)
        print(f"{settings.home.resolve()} is {made.title} at {place.name}", file=out)
    else:
        for one in snapshots(place):
            size = sum(file.size for file in one.files.values())
            said = {"number": one.number, "made_at": one.made_at, "files": len(one.files), "bytes": size}
            print(
                json.dumps(said) if arguments.json else f"{one.title}: {len(one.files)} files, {size:,} bytes", file=out
            )
    return 0
