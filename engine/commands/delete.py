"""`delete WHAT`: traces, a picture, one person's work or what came before a date, into the bin and out of it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, TextIO

from engine.settings import Settings

if TYPE_CHECKING:
    from engine.store import Store

ACTION = "delete"
SUMMARY = "delete traces, pictures, a person's work or what is old; the bin keeps it until it is emptied"

_WHAT = (
    ("trace", "N", "+", "traces, by number or id"),
    ("picture", "SHA256", "+", "a picture or clip, with every trace that is about it"),
    ("person", "NAME", None, "what a person recorded, changed or said"),
    ("before", "DATE", None, "what came before a day, such as 2026-11-23"),
)


def configure(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="what", dest="what", metavar="WHAT", required=True)
    for name, metavar, count, summary in _WHAT:
        kind = kinds.add_parser(name, help=summary)
        kind.add_argument("names", metavar=metavar, nargs=count or 1)
        kind.add_argument("--plan", action="store_true", help="only say what would go")
        kind.add_argument("--now", action="store_true", help="for good: nothing of it waits in the bin")
    kinds.add_parser("bin", help="list what is in the bin")
    restore = kinds.add_parser("restore", help="bring back what a deletion took")
    restore.add_argument("names", metavar="ID", nargs=1, help="of the deletion, as `delete bin` lists it")
    kinds.add_parser("empty-bin", help="make all that is in the bin unrecoverable")
    parser.epilog = "Exports, backups and trained weights are copies: deleting does not reach them."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import NotFound
    from engine.opening import open_media, open_store
    from engine.rights import HOST
    from engine.store import target_of
    from engine.upkeep import Deleting, told

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    with open_store(settings) as store:
        deleting, role = Deleting(store, open_media(settings), settings.artifacts), HOST
        if arguments.what == "bin":
            _list(store, out)
        elif arguments.what == "restore":
            deletion = deleting.restore(arguments.names[0], role)
            print(f"restored {deletion.traces:,} traces and {deletion.media:,} media", file=out)
        elif arguments.what == "empty-bin":
            gone = deleting.empty(role)
            print(
                f"gone for good: {gone.traces:,} traces, {gone.revisions:,} revisions, {gone.media:,} media", file=out
            )
        else:
            names = [_id_of(store, name) for name in arguments.names] if arguments.what == "trace" else arguments.names
            target = target_of(arguments.what, names)
            plan = deleting.plan(target, role)
            for sentence in told(plan, deleting.media_bytes(plan.media)):
                print(sentence, file=out)
            if arguments.plan:
                return 0
            deletion = deleting.put(target, _PERSON, role)
            if arguments.now:
                deleting.empty(role, [deletion.id])
                print("Gone for good.", file=out)
            else:
                print(
                    f"In the bin: `delete restore {deletion.id}` brings it back, `delete empty-bin` does not.", file=out
                )
    return 0


_PERSON = "command line"


def _list(store: Store, out: TextIO) -> None:
    deletions = store.bin.list()
    for one in deletions:
        named = f"#{one.first[0]} {one.first[1][:60]}" if one.first else " ".join(one.target.names[:3])
        counts = f"{one.traces:,} traces, {one.media:,} media"
        print(f"{one.id}  {one.created_at[:16]}  {one.target.kind}  {counts}  {named}", file=out)
    if not deletions:
        print("The bin is empty.", file=out)


def _id_of(store: Store, name: str) -> str:
    """The id of a trace that was named by number or id."""
    return store.traces.id_of(int(name)) if name.isdecimal() and len(name) < 20 else name
