"""Batches made beside the trainer: generator processes, a queue, and a buffer of batches to see again.

Idea: the trainer must never wait. When no fresh batch is there it takes an old one; the number of fresh ones is in
the curves.

Not covered: with several generators, which batch comes first depends on the machine's load, so runs agree in
distribution only.
"""

from __future__ import annotations

import os
import queue
import random
import signal
from collections.abc import Callable

import torch
import torch.multiprocessing as multiprocessing

from engine.lab.recipe.batches import Batch

__all__ = ["Feeder", "Maker"]

Maker = Callable[[random.Random], Batch]


def _generate(
    makers: tuple[tuple[Maker, float], ...], seed: int, core: int | None, batches: multiprocessing.Queue
) -> None:
    torch.set_num_threads(1)
    if core is not None:
        os.sched_setaffinity(0, {core})
        os.setpriority(os.PRIO_PROCESS, 0, -5)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    rng = random.Random(seed)
    trainer = os.getppid()
    while True:
        maker = rng.choices([one for one, _ in makers], [weight for _, weight in makers])[0]
        batch = maker(rng).share_memory()
        while True:
            if os.getppid() != trainer:
                return  # a trainer that was killed must not leave its generators behind
            try:
                batches.put(batch, timeout=5)
                break
            except queue.Full:
                continue


class Feeder:
    """Mixes kinds of batches by weight. With `count` 0 batches are made in the trainer itself, in one fixed order."""

    def __init__(
        self,
        makers: tuple[tuple[Maker, float], ...],
        *,
        seed: int,
        count: int = 1,
        core: int | None = None,
        kept: int = 300,
    ) -> None:
        self.makers, self.kept, self.fresh = makers, kept, 0
        self.rng = random.Random(seed)
        self.buffer: list[Batch] = []
        self.processes = []
        if count:
            context = multiprocessing.get_context("fork")
            self.queue = context.Queue(6)
            for k in range(count):
                process = context.Process(
                    target=_generate, args=(makers, seed * 1000 + k, core, self.queue), daemon=True
                )
                process.start()
                self.processes.append(process)

    def next(self) -> Batch:
        if not self.processes:
            maker = self.rng.choices([one for one, _ in self.makers], [weight for _, weight in self.makers])[0]
            self.fresh += 1
            return maker(self.rng)
        try:
            batch = self.queue.get(block=len(self.buffer) < 8)
        except queue.Empty:
            return self.rng.choice(self.buffer)
        self.fresh += 1
        if len(self.buffer) < self.kept:
            self.buffer.append(batch)
        else:
            self.buffer[self.rng.randrange(self.kept)] = batch
        return batch

    def close(self) -> None:
        for process in self.processes:
            process.terminate()
            process.join()
