"""`compare FIRST SECOND`: how far two recorded evaluations are apart, and whether that is more than chance."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TextIO

from engine.settings import Settings

ACTION = "look"
SUMMARY = "how far two recorded evaluations are apart, example by example"


def configure(parser: argparse.ArgumentParser) -> None:
    for name in ("first", "second"):
        parser.add_argument(
            name, metavar=name.upper(), help="the id of an evaluation, as `evaluate --record` prints it"
        )
    parser.add_argument("--json", action="store_true", help="print the comparison as one JSON object")


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.evaluation.comparing import compare, is_looking_between
    from engine.opening import open_store

    with open_store(settings) as store:
        first, second = (store.evaluations.get(one) for one in (arguments.first, arguments.second))
        is_looking = is_looking_between(first.provenance, second.provenance)
        found = compare(store.attempts.of(first.id), store.attempts.of(second.id))
    if arguments.json:
        told = {
            "words": found.words,
            "difference": found.difference,
            "is_told_apart": found.is_told_apart,
            "is_looking": is_looking,
        }
        print(json.dumps(dataclasses.asdict(found) | told), file=out)
        return 0
    for name, evaluation, score in (("first", first, found.before), ("second", second, found.after)):
        ran = evaluation.provenance
        print(f"{name:<7} {ran['benchmark']}, {ran['policy']}: {score:.1%} right of {found.n}", file=out)
    print(f"the second against the first: {found.words}", file=out)
    won, lost = ("looking put right", "and wrong") if is_looking else ("won", "lost")
    print(
        f"{won} {100 * found.gain:.1f} points, {lost} {100 * found.harm:.1f}; {len(found.changed)} examples changed, "
        f"p = {found.p:.3f} (sign test)",
        file=out,
    )
    return 0
