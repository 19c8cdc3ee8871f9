"""`examples NAME`: the media files and the EXAMPLES.jsonl that a bundled benchmark would evaluate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TextIO

from engine.settings import Settings

ACTION = "look"
SUMMARY = "write examples of a bundled benchmark as files"
BENCHMARK_NAMES = (
    "mini-signs, mini-signs-heldout, mini-clips, mini-clips-heldout, mini-plates, mini-vstar, mini-tally, mini-info, "
    "mini-mv"
)
"""Repeated here because drawing is slow to import and --help must come at once; a test compares."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"one of {BENCHMARK_NAMES}")
    parser.add_argument("--count", metavar="N", type=int, default=10, help="how many (default: 10)")
    parser.add_argument("--seed", metavar="K", type=int, default=0, help="0 (the default) is what evaluate takes")
    parser.add_argument(
        "--split",
        metavar="S",
        choices=("train", "validation", "test", "heldout"),
        help="train, validation or test, which share no seeds, words and fonts (default: test, which evaluate takes)",
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="a folder for the files and their EXAMPLES.jsonl")


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.evaluation.benchmarks import draw
    from engine.evaluation.drawn import required_benchmark
    from engine.evaluation.writing import write_examples

    benchmark = required_benchmark(arguments.name)
    path = write_examples(draw(benchmark, arguments.count, arguments.seed, arguments.split), Path(arguments.out))
    print(f"{arguments.count} examples of {benchmark.name} in {path}", file=out)
    return 0
