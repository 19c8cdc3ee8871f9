"""The embedded reasoner's figures, as anyone gets them: `python -m engine.lab.recipe.measure --out FILE`.

The idea: the runs that README and the model card quote, each exactly what `python -m engine evaluate` does (the
quantised default, the engine's own loop, test seeds), written as one JSON list. README's table is
generated from that file, so no figure is written by hand.

Not covered: validation while training (`engine.lab.recipe.validation`).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import pose
from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import summarise
from engine.opening import loop_limits, open_backbone
from engine.policies.local import LocalPolicy
from engine.settings import Settings

__all__ = ["main"]

RUNS = (
    ("mini-signs", True),
    ("mini-signs-heldout", True),
    ("mini-signs", False),
    ("mini-clips", True),
    ("mini-clips-heldout", True),
    ("mini-clips", False),
)
"""(benchmark, with operations)."""


def _measure(name: str, is_operating: bool, limit: int | None) -> dict:
    """One run's summary, printed to standard error when it is there."""
    settings = Settings.from_environment(os.environ | {"STUDIO_MODEL": "tiny"})
    backbone = open_backbone(settings)
    posed = (pose(drawn) for drawn in draw(required_benchmark(name), limit))
    results = evaluate(LocalPolicy(backbone), posed, loop_limits(settings), is_operating=is_operating)
    row = asdict(summarise(name, results)) | {"is_operating": is_operating, "quantization": backbone.quantization}
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engine.lab.recipe.measure", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="examples of each benchmark (default: 500 pictures, 200 clips)")
    parser.add_argument("--jobs", type=int, default=1, help="runs measured at once, each in a process of its own")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs, multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(_measure, name, is_operating, options.limit) for name, is_operating in RUNS]
        rows = [one.result() for one in waiting]
    options.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
