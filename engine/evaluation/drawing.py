"""Examples of a benchmark drawn in a process of their own, while this one asks about those before.

The idea: drawing and encoding a picture hold the interpreter for most of their time, which who speaks needs. A drawn example is
the bytes of a file and a record (`engine.evaluation.benchmarks`), so that it costs little to hand over; the pipe's own room is
how far the process is ahead.

    python -m engine.evaluation.drawing NAME COUNT SEED     pickles of the examples, and last None

Invariant: the examples are those of `draw`, in its order; where the process ends early they are drawn here, which raises whatever
drawing raises.

Not covered: a few examples, of which it would draw none before they are needed.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, islice

from engine.evaluation.benchmarks import Benchmark, draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Unposed

__all__ = ["FEW", "draw_beside"]

FEW = 32
"""As many examples are done before a process is ready."""


def draw_beside(benchmark: Benchmark, count: int | None = None, seed: int = 0) -> Iterator[Unposed]:
    """As `draw`; `FEW` or less are drawn here. Raises InvalidInput at once."""
    here, count = draw(benchmark, count, seed), benchmark.count if count is None else count
    return here if count <= FEW else _drawn_beside(benchmark.name, count, seed, here)


def _drawn_beside(name: str, count: int, seed: int, here: Iterator[Unposed]) -> Iterator[Unposed]:
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, name, str(count), str(seed)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C is for who asks
    )
    assert process.stdout is not None
    done = 0
    try:
        while (drawn := pickle.load(process.stdout)) is not None:
            yield drawn
            done += 1
    except (EOFError, pickle.UnpicklingError):
        yield from islice(here, done, None)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _main(name: str, count: int, seed: int) -> None:
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries may print
    for drawn in chain(draw(required_benchmark(name), count, seed), [None]):
        pickle.dump(drawn, told, pickle.HIGHEST_PROTOCOL)
        told.flush()


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
