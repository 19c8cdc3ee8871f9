"""The vision tower once more, in a process of its own: it sees pictures on another core while this process speaks.

The idea: threads of one process share the interpreter, and a small network is as much interpreter as arithmetic, so that a
thread that sees beside one that speaks brings less than half a core. Adapters are on the language model alone, so the tower
needs no word of what answers, and one copy serves whoever asks.

    start     the process begins to import what the tower needs, some seconds
    hold      the tower is sent, when both are ready
    see       patches go there, features come back

Protocol: pickles on the process's standard input and output; it ends where its input does, so that it outlives nobody.

Invariants: the features are those of the tower here, to the bit: the same weights, function and number of threads. Where the
process is not ready, busy or gone, `see` says so, and who asked sees for himself: nothing ever depends on it.

Not covered: GPUs, where the tower has no such cost, and towers of more than `MOST_BYTES`, which would be there twice.
"""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import subprocess
import sys
import threading
import time
from typing import Any

import psutil

__all__ = ["LEAST_FREE_BYTES", "MOST_BYTES", "TowerApart", "see"]

MOST_BYTES = 64 * 2**20
"""The embedded reasoner's takes 6 MB, that of a 3B 1.3 GB."""
LEAST_FREE_BYTES = 2 * 2**30
"""The libraries alone take 0.8 GB."""

_BROKEN = (OSError, EOFError, ValueError, pickle.UnpicklingError)
"""What a process that is gone, or going, makes of an exchange."""

Features = tuple[type[Any], tuple[Any, ...]]
"""The tower's own kind of output; what the language model gets, [tokens, hidden], then what it adds to its first layers, each the
same shape."""


def see(tower: Any, pixels: Any, grids: Any) -> Features:
    """What a tower makes of patches [p, d], those of the pictures of `grids` [k, 3] one after the other."""
    seen = tower(pixels, grid_thw=grids, return_dict=True)
    return type(seen), (seen.pooler_output, *(getattr(seen, "deepstack_features", None) or ()))


class TowerApart:
    """Of one backbone. Any thread may call anything here."""

    def __init__(self, threads: int = 1) -> None:
        """`threads` are those of a product of matrices, here as there. `cpu_s` is what it has spent on seeing."""
        self.cpu_s = 0.0
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._tower: Any = None
        self._is_unwanted = self._is_sent = False
        self._ready = threading.Event()
        self._guard, self._talking = threading.Lock(), threading.Lock()

    def hold(self, tower: Any) -> None:
        """Take the `visual` module of a model, whose weights never change; it is sent once the process runs. One that is too
        large, or not on a CPU, ends it."""
        self._tower = tower
        weights = list(tower.parameters())
        if sum(weight.nbytes for weight in weights) > MOST_BYTES or any(one.device.type != "cpu" for one in weights):
            self.close()
        elif self._process is not None:
            self._send_tower()

    def start(self) -> None:
        """Begin, unless that is done or there is not the memory for it. Returns at once."""
        with self._guard:
            if self._process is not None or self._is_unwanted:
                return
            if psutil.virtual_memory().available < LEAST_FREE_BYTES:
                self._is_unwanted = True
                return
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self._threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # Ctrl-C is for who asks; this ends with its input
            )
        if self._tower is not None:
            self._send_tower()

    def wait(self, most_s: float) -> bool:
        """Whether it is ready, for which it waits at most `most_s`."""
        return self._ready.wait(most_s)

    def see(self, pixels: Any, grids: Any) -> Features | None:
        """As `see`; None where the caller has to see for himself."""
        if not self._ready.is_set() or not self._talking.acquire(blocking=False):
            return None
        try:
            answer: tuple[Features, float] = self._exchange((pixels, grids))
            features, self.cpu_s = answer
            return features
        except _BROKEN:
            self.close()
            return None
        finally:
            self._talking.release()

    def close(self) -> None:
        """End it for good."""
        with self._guard:
            self._is_unwanted, process = True, self._process
            self._ready.clear()
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(OSError):  # what was not read yet cannot be written any more
                    pipe.close()

    def _send_tower(self) -> None:
        """In a thread: it is read when the libraries are there."""
        bare = copy.copy(self._tower)
        vars(bare).pop("forward", None)  # of `engine.backbone.tower`, for a training that is under way

        def send() -> None:
            with self._talking:
                try:
                    self._exchange(bare)
                    with self._guard:
                        if not self._is_unwanted:
                            self._ready.set()
                except _BROKEN:
                    self.close()

        with self._guard:
            if not self._is_sent:
                self._is_sent = True
                threading.Thread(target=send, name="tower apart", daemon=True).start()

    def _exchange(self, message: Any) -> Any:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
        self._process.stdin.flush()
        return pickle.load(self._process.stdout)


def _main(threads: int) -> None:
    """The process: a tower, then patches until the input ends."""
    given, told = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries may print
    import torch

    import engine.backbone.fewer_calls  # noqa: F401  (the tower asks for its attention by name)

    torch.set_num_threads(threads)
    tower, began_s = None, 0.0
    with contextlib.suppress(EOFError, BrokenPipeError), torch.inference_mode():
        while True:
            message = pickle.load(given)
            if isinstance(message, tuple):
                answer = see(tower, *message), time.process_time() - began_s
                pickle.dump(answer, told, pickle.HIGHEST_PROTOCOL)
            else:
                tower, began_s = message, time.process_time()
                pickle.dump(True, told)
            told.flush()


if __name__ == "__main__":
    _main(int(sys.argv[1]))
