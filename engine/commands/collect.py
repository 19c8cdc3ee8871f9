"""`collect SOURCE`: the policy attempts examples, and its traces wait in the queue; the same job that the studio runs."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TextIO

from engine.commands.attempting import configure_asking, run_attempting
from engine.commands.evaluate import PUBLISHED_NAMES
from engine.commands.examples import BENCHMARK_NAMES
from engine.settings import Settings

ACTION = "collect"
ATTEMPTS = 4
"""At each example, where nothing is said."""
SUMMARY = "let the policy attempt examples, several times each; its traces wait in the queue"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help=f"an EXAMPLES.jsonl; accepted (what the accepted traces are attempts at); one of {BENCHMARK_NAMES}; or from the "
        f"Hugging Face Hub {PUBLISHED_NAMES}",
    )
    parser.add_argument("--limit", metavar="N", type=int, help="how many examples (default: all)")
    parser.add_argument(
        "--policy",
        metavar="P",
        help="who answers: tiny, scripted, a model's folder, a Hub id, openai:URL#MODEL (default: STUDIO_MODEL)",
    )
    configure_asking(parser, ATTEMPTS)
    parser.add_argument("--no-operations", action="store_true", help="answer from the first view alone")
    parser.add_argument(
        "--keep",
        choices=("all", "right", "disagreeing"),
        default="all",
        help="which traces: all (the default), right ones, or those of examples whose attempts disagree",
    )
    parser.add_argument(
        "--json", action="store_true", help="print what came of it as one JSON object, and nothing else"
    )
    parser.epilog = "Ctrl-C stops it; the same command goes on where it was stopped or killed, and asks nothing twice."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.opening import open_store

    with open_store(settings) as store:
        job = run_attempting(arguments, settings, store, arguments.source, arguments.keep, ATTEMPTS)
        if arguments.json:
            counts = store.attempts.counts(job.id)
            print(json.dumps({"job": job.id} | dataclasses.asdict(counts) | {"accuracy": counts.accuracy}), file=out)
        else:
            print(job.message, file=out)
    return 0
