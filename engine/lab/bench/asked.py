"""A round of questions from several threads, and the same in a process of its own on another checkout: the build that is compared
with.

    python -P asked.py ASKERS QUESTIONS     with PYTHONPATH at the checkout: a round for each line of input, as JSON

Invariant: what is imported here, both checkouts have; the other's policy is the one of its command line, one turn at a time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.drivers.streaming import stream
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed, pose
from engine.policies.base import Policy
from engine.reasoning import Finished, Stepped, Thinking
from engine.trace_json import trace_to_json

__all__ = ["Elsewhere", "Round", "ask_round", "shares_of"]


@dataclass(frozen=True, slots=True)
class Round:
    """`traces` as JSON, asker by asker, each in the order of its questions."""

    seconds: float
    last_first_words_s: float
    traces: list[dict[str, Any]]


def shares_of(askers: int, questions: int) -> list[list[Posed]]:
    """The questions of mini-signs that each asker asks."""
    posed = [pose(drawn) for drawn in draw(required_benchmark("mini-signs"), askers * questions)]
    return [posed[asker::askers] for asker in range(askers)]


def ask_round(policy: Policy, shares: Sequence[Sequence[Posed]]) -> Round:
    """Each of the askers, a thread of its own, asks its share; all begin together."""
    traces: list[list[dict[str, Any]]] = [[] for _ in shares]
    first_words_s = [float("inf")] * len(shares)
    start = threading.Barrier(len(shares) + 1)

    def ask(number: int) -> None:
        start.wait()
        began_s = time.perf_counter()
        for posed in shares[number]:
            for notice in stream(policy, posed.example, posed.pictures):
                if (isinstance(notice, Thinking) and notice.thought) or isinstance(notice, Stepped):
                    first_words_s[number] = min(first_words_s[number], time.perf_counter() - began_s)
                if isinstance(notice, Finished):
                    traces[number].append(trace_to_json(notice.trace))

    with ThreadPoolExecutor(len(shares)) as threads:
        asking = [threads.submit(ask, number) for number in range(len(shares))]
        start.wait()
        began_s = time.perf_counter()
        for one in asking:
            one.result()
    return Round(time.perf_counter() - began_s, max(first_words_s), [one for asked in traces for one in asked])


class Elsewhere:
    """Rounds of the checkout in a folder, with the settings of this environment but for the quantisation; a context manager that
    ends the process."""

    def __init__(self, checkout: Path, quantization: str, askers: int, questions: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(askers), str(questions)],
            cwd=checkout,
            env={**os.environ, "STUDIO_QUANTIZATION": quantization, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def round(self) -> Round:
        """Raises OSError or ValueError where the process has ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Round(**json.loads(self._process.stdout.readline()))

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def _answer_rounds(askers: int, questions: int) -> None:
    from engine.opening import open_backbone
    from engine.policies.local import LocalPolicy
    from engine.settings import Settings

    policy = LocalPolicy(open_backbone(Settings.from_environment(os.environ)))
    shares = shares_of(askers, questions)
    ask_round(policy, [shares[0][:1]])  # the first answer also pays for what is made once
    for _ in sys.stdin:
        made = ask_round(policy, shares)
        print(json.dumps({name: getattr(made, name) for name in Round.__slots__}), flush=True)  # type: ignore[attr-defined]


if __name__ == "__main__":
    _answer_rounds(int(sys.argv[1]), int(sys.argv[2]))
