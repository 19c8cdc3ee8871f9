"""`import FORMAT PATH`: people's own questions into the store, as a data set; the same job that the studio runs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from engine.errors import InvalidInput
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.importing.previews import Preview

ACTION = "import"
SUMMARY = (
    "bring in questions of your own (a folder, a zip, a table, a data set of the Hub), or traces of another program"
)
FORMATS = ("auto", "csv", "tsv", "jsonl", "json", "parquet", "folder", "zip", "dataset", "hub")
"""Repeated here because reading tables is slow to import and --help must come at once; a test compares."""
EXCHANGED = (
    "trace-json",
    "pixel-reasoner-sft",
    "pixel-reasoner-rl",
    "trl",
    "llama-factory",
    "ms-swift",
    "openai-chat",
    "atif",
    "deepeyes",
    "mini-o3",
)
"""The formats of other programs that are read (`engine.exchange.formats`), repeated here likewise."""
ROLES = (
    "media",
    "question",
    "options",
    "answer",
    "other_answers",
    "evidence",
    "frames",
    "category",
    "difficulty",
    "id",
    "rule",
)
"""Likewise."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "format",
        metavar="FORMAT",
        choices=(*FORMATS, *EXCHANGED),
        help=f"one of {', '.join(FORMATS)}; auto looks at what is there, dataset is a folder of save_to_disk; or of another "
        f"program: {', '.join(EXCHANGED)}",
    )
    parser.add_argument("path", metavar="PATH", help="the file or folder; with hub the name of a data set, OWNER/NAME")
    parser.add_argument("--set", metavar="NAME", default="", help="the data set's name here (default: the file's)")
    parser.add_argument(
        "--map",
        metavar="ROLE=COLUMN",
        action="append",
        default=[],
        help=f"what a column says, where the guess is wrong; roles are {', '.join(ROLES)}; several columns are divided by "
        "commas (options=A,B,C,D), none is ROLE=",
    )
    parser.add_argument("--ask", metavar="QUESTION", help="the question of rows that have none of their own")
    parser.add_argument(
        "--rule", metavar="R", help="how all answers are scored: text, letter, number, only-number or anls"
    )
    parser.add_argument(
        "--answer-counts-from",
        metavar="0|1",
        type=int,
        choices=(0, 1),
        help="answers are numbers of options, from 0 or 1",
    )
    parser.add_argument(
        "--box-unit",
        metavar="U",
        choices=("share", "pixels", "thousandths"),
        help="of boxes: share, pixels or thousandths",
    )
    parser.add_argument(
        "--box-form", metavar="F", choices=("corners", "size"), help="corners (x1 y1 x2 y2) or size (x y width height)"
    )
    parser.add_argument("--table", metavar="NAME", default="", help='of several tables this one; "." is none of them')
    parser.add_argument("--split", metavar="S", default="", help="of a data set with several splits")
    parser.add_argument("--config", metavar="C", default="", help="of a Hub data set with several configurations")
    parser.add_argument(
        "--fetch-urls",
        action="store_true",
        help="read pictures that the table names by http(s) addresses too, public ones only",
    )
    parser.add_argument(
        "--preview", action="store_true", help="show the first rows as they would come in, and store nothing"
    )
    parser.add_argument("--json", action="store_true", help="print JSON: each refused row, and last what came in")
    parser.epilog = (
        "Columns are guessed from their names and first rows. Ctrl-C stops it; the same command goes on where it was "
        "stopped. Rows that cannot come in are listed with their number, counted from 1 below the header, and the rest "
        "comes in. The same file a second time adds nothing."
    )


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.importing.addresses import fetch_address
    from engine.importing.previews import preview
    from engine.importing.sources import Source
    from engine.jobs.importing import ImportKind, bad_rows, tally
    from engine.jobs.running import run_in_foreground, unfinished
    from engine.opening import media_limits, open_media, open_store

    is_exchanged = arguments.format in EXCHANGED
    source = Source(arguments.path, arguments.format, arguments.table, arguments.split, arguments.config)
    said = _said(arguments)
    if arguments.preview and not is_exchanged:
        limits = media_limits(settings)
        fetch = partial(fetch_address, max_bytes=limits.max_bytes) if arguments.fetch_urls else None
        _show(preview(source, said, limits, fetch=fetch), out, is_json=arguments.json)
        return 0
    settings.home.mkdir(parents=True, exist_ok=True)
    with open_store(settings) as store:
        kind = ImportKind(store, open_media(settings))
        if is_exchanged:
            plan = kind.plan_format(arguments.format, Path(arguments.path), arguments.set)
        else:
            plan = kind.plan(source, arguments.set, said, is_fetching=arguments.fetch_urls)
        job = run_in_foreground(store, settings.artifacts, kind, unfinished(store, kind, plan) or plan, on_event=_tell)
        counted = tally(store, job.id)
        if arguments.json:
            for row, original_id, reason in bad_rows(store, job.id):
                print(json.dumps({"row": row, "id": original_id or None, "reason": reason}), file=out)
            numbers = {"added": counted.added, "known": counted.known, "refused": counted.refused}
            print(json.dumps({"data_set": plan.config["data_set"], "state": job.state, **numbers}), file=out)
        else:
            for row, _, reason in bad_rows(store, job.id):
                print(f"row {row}: {reason}", file=out)
            print(job.message, file=out if job.state == "done" else sys.stderr)
            for event in store.jobs.events(job.id, kind="noted"):
                print(event.data["text"], file=sys.stderr)
    return 0 if job.state == "done" else 2


def _said(arguments: argparse.Namespace) -> Mapping[str, Any]:
    """What the options say of the columns. Raises InvalidInput."""
    said: dict[str, Any] = {}
    for text in arguments.map:
        role, equals, column = text.partition("=")
        if not equals or role not in ROLES:
            raise InvalidInput(f"--map {text}: ROLE=COLUMN is expected, with a role of {', '.join(ROLES)}")
        said[role] = [part for part in column.split(",") if part] if role in ("media", "options") else column or None
    options = {
        "question_for_all": arguments.ask,
        "rule_for_all": arguments.rule,
        "answer_counts_from": arguments.answer_counts_from,
        "box_unit": arguments.box_unit,
        "box_form": arguments.box_form,
    }
    return said | {name: value for name, value in options.items() if value is not None}


def _tell(step: int | None, kind: str, data: Mapping[str, Any]) -> None:
    if kind == "imported" and sys.stderr.isatty():
        print(f"\r\x1b[K{data['rows']:,} rows", end="", file=sys.stderr, flush=True)


def _show(shown: Preview, out: TextIO, *, is_json: bool) -> None:
    from engine.trace_json import example_to_json

    columns = {name: value for name, value in shown.guess.columns.as_json().items() if value not in (None, "", [])}
    if is_json:
        rows = [
            {"row": row.number, "example": row.example and example_to_json(row.example), "problem": row.problem or None}
            for row in shown.rows
        ]
        told = {
            "columns": shown.names,
            "read_as": columns,
            "notes": shown.notes,
            "asks": shown.guess.asks,
            "rows": rows,
        }
        print(json.dumps(told), file=out)
        return
    print(f"columns   {', '.join(shown.names)}", file=out)
    for name, value in columns.items():
        print(f"{name:<18}  {', '.join(value) if isinstance(value, list) else value}", file=out)
    for sentence in (*shown.notes, *shown.guess.asks):
        print(sentence, file=out)
    for row in shown.rows:
        example = row.example
        if example is None:
            print(f"row {row.number}: NOT TAKEN: {row.problem}", file=out)
            continue
        answer = "unscored" if example.answer is None else repr(example.answer)
        options = f" of {', '.join(example.options)}" if example.options else ""
        print(f"row {row.number}: {example.question!r} -> {answer}{options}; {row.pictures[0].name}", file=out)
