"""What `spaces` does on ZeroGPU, as far as the studio leans on it: a forked child for each call, everything pickled, Gradio's
error where there is no quota, GeneratorExit heard by the child at its next value."""

from __future__ import annotations

import inspect
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

__all__ = ["StandInSpaces"]

_FORK = multiprocessing.get_context("fork")
_END = b""


class Error(Exception):
    """As Gradio's, which need not be loaded for it."""

    __module__ = "gradio.exceptions"

    def __init__(self, message: str) -> None:
        self.message = message


class StandInSpaces:
    """`asked_s` are the seconds that calls asked for; they may be `quota_s` together."""

    def __init__(self, quota_s: float = 1e9) -> None:
        self.quota_s = quota_s
        self.asked_s: list[float] = []
        self.is_begun = False
        self.zero = SimpleNamespace(startup=self._startup)

    def GPU(self, task: Callable[..., Any], *, duration: Any) -> Callable[..., Any]:
        def lend(arguments: tuple[Any, ...]) -> None:
            seconds = duration(*arguments) if callable(duration) else duration
            if sum(self.asked_s) + seconds > self.quota_s:
                raise Error(f"You have exceeded your free ZeroGPU quota ({seconds}s requested vs. 0s left).")
            self.asked_s.append(seconds)

        def values(arguments: tuple[Any, ...]) -> Iterator[Any]:
            lend(arguments)
            reading, writing = _FORK.Pipe(duplex=False)
            is_left = _FORK.Event()
            packed = pickle.dumps(arguments)
            child = _FORK.Process(target=_work, args=(task, packed, writing, is_left), daemon=True)
            child.start()
            writing.close()
            try:
                while (sent := reading.recv_bytes()) != _END:
                    yield pickle.loads(sent)
            finally:
                is_left.set()
                child.join()

        if inspect.isgeneratorfunction(task):
            return lambda *arguments: values(arguments)
        return lambda *arguments: next(values(arguments))

    def _startup(self) -> None:
        self.is_begun = True


def _work(task: Callable[..., Any], packed: bytes, writing: Any, is_left: Any) -> None:
    arguments = pickle.loads(packed)
    for value in task(*arguments) if inspect.isgeneratorfunction(task) else [task(*arguments)]:
        if is_left.is_set():
            break
        writing.send_bytes(pickle.dumps(value))
    writing.send_bytes(_END)
