"""`push OWNER/NAME --licence L`: the traces as a data set on the Hugging Face Hub; the same job that the studio runs."""

from __future__ import annotations

import argparse
import sys
from typing import TextIO

from engine.settings import PROTOCOLS, Settings

ACTION = "push"
SUMMARY = "publish the store's traces as a data set on the Hugging Face Hub, private unless you say otherwise"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("repo", metavar="OWNER/NAME", help="the data set; it is made where it is not there yet")
    parser.add_argument(
        "--licence",
        metavar="L",
        required=True,
        help="under which licence others may use it, as the Hub writes it: cc-by-4.0, apache-2.0, other, ...",
    )
    parser.add_argument(
        "--status",
        metavar="S",
        default="accepted",
        choices=("new", "edited", "flagged", "accepted", "rejected", "all"),
        help="only the traces of this status: new, edited, flagged, accepted (the default), rejected, or all",
    )
    parser.add_argument("--title", metavar="T", default="", help="what heads the card (default: NAME)")
    parser.add_argument("--public", action="store_true", help="everybody may read it")
    parser.add_argument(
        "--protocol", metavar="N", choices=PROTOCOLS, help=f"the wire format of conversations: {', '.join(PROTOCOLS)}"
    )
    parser.epilog = (
        "The token that may write is read from HF_TOKEN, another Hub than huggingface.co from HF_ENDPOINT. Ctrl-C stops it; "
        "the same command goes on."
    )


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import NotFound, Unavailable
    from engine.jobs.push import PushKind
    from engine.jobs.running import run_in_foreground, unfinished
    from engine.opening import open_media, open_store

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    with open_store(settings) as store:
        kind = PushKind(store, open_media(settings))
        plan = kind.plan(
            arguments.repo,
            arguments.licence,
            None if arguments.status == "all" else arguments.status,
            title=arguments.title,
            is_public=arguments.public,
            protocol=arguments.protocol,
        )
        job = run_in_foreground(store, settings.artifacts, kind, unfinished(store, kind, plan) or plan)
        lost = store.jobs.events(job.id, kind="lost")
    if job.state != "done":
        raise Unavailable(f"the push did not come to its end: {job.message}")
    for event in lost:
        print(event.data["text"], file=sys.stderr)
    print(job.message, file=out)
    return 0
