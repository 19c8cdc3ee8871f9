"""`bench`: measurements, each a ratio against a baseline taken in the same run."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TextIO

from engine.settings import Settings

SUMMARY = "measure the studio against a baseline"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", default="queue", choices=("queue",), help="what to measure (default: queue)")
    parser.add_argument("--traces", type=int, default=100_000, help="traces in the generated store (default: 100000)")
    parser.add_argument(
        "--repeats", type=int, default=40, help="how often each kind of page is asked for (default: 40)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.epilog = "The store is made in the temporary folder (TMPDIR) and removed afterwards: about 6 KB a trace."


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.bench.queue import measure
    from engine.errors import InvalidInput

    if arguments.traces < 100 or arguments.repeats < 3:
        raise InvalidInput("a measurement needs at least 100 traces and 3 repeats")
    found = measure(arguments.traces, arguments.repeats, progress=lambda line: print(line, file=sys.stderr, flush=True))
    if arguments.json:
        print(json.dumps(found), file=out)
        return 0
    print(
        f"{found['traces']:,} traces, a page of 50: median {found['median_ms']} ms, p95 {found['p95_ms']} ms", file=out
    )
    for name, page in found["pages"].items():
        print(f"  {name:22} median {page['median_ms']:8.2f} ms   p95 {page['p95_ms']:8.2f} ms", file=out)
    for name, base in found["baseline"].items():
        print(f"  first draft, {name:9} median {base['median_ms']:8.2f} ms   {base['ratio']:8.2f} times ours", file=out)
    return 0
