"""`verify`: every hash derived again, every media file hashed and every crop cut again."""

from __future__ import annotations

import argparse
from typing import TextIO

from engine.settings import Settings

ACTION = "verify"
SUMMARY = "derive every hash and cut every crop of the store again"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit status 1 where anything does not match; each problem is one line."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import NotFound
    from engine.opening import open_media, open_store

    if not settings.database.exists():
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    with open_store(settings) as store:
        report = store.verify(open_media(settings))
    for problem in report.problems:
        print(problem, file=out)
    checked = f"{report.traces} traces, {report.revisions} revisions, {report.media} media, {report.views} views"
    print(f"{checked}: {'all sound' if report.is_sound else f'{len(report.problems)} problems'}", file=out)
    return 0 if report.is_sound else 1
