"""How long people wait who ask while an adapter is trained: on the same backbone, SFT and RL.

    wait          until the asker's turn had the backbone's lease; at most one micro-batch, or one token of all rollouts
    first words   from the question until a word was seen
    answer        from the question to the end

Each run is made twice, first undisturbed and then with questions of mini-signs asked one after another from its beginning to
its end; `is_same_loss` says whether both have the same losses to the last bit. The baseline are the same questions with nothing
else running. What is trained on are the model's own answers. An answer counts where its run was still going on when it was
asked.

Not covered: several askers (`engine.lab.bench.serving`).
"""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.backbone.lease import Lease
from engine.backbone.loading import Backbone
from engine.drivers.streaming import stream
from engine.errors import Unavailable
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed, pose
from engine.evaluation.runner import attempt
from engine.lab.bench.figures import Spread, spread
from engine.policies.base import never
from engine.policies.local import LocalPolicy
from engine.policies.serving import Serving
from engine.reasoning import Stepped, Thinking
from engine.training.dataset import TrainingExample
from engine.training.grpo import run_grpo
from engine.training.grpo_config import GrpoConfig
from engine.training.sft import run_sft
from engine.training.sft_config import SftConfig

__all__ = ["TARGET_MS", "measure", "report"]

TARGET_MS = 1500.0
"""Issue 15: the 95th percentile of a whole answer."""

Train = Callable[[Path, Callable[[float], None]], None]
"""train(folder, on_loss)"""


_Asked = tuple[float, float]
"""Milliseconds to the first word, and to the end."""


class _WatchedLease(Lease):
    """Notes how long each turn that is asked waited for it."""

    def __init__(self) -> None:
        Lease.__init__(self)
        self.trainer = 0
        self.waits_ms: list[float] = []

    def acquire(self) -> None:
        began_s = time.perf_counter()
        Lease.acquire(self)
        if threading.get_ident() != self.trainer:
            self.waits_ms.append((time.perf_counter() - began_s) * 1000)


def measure(
    backbone: Backbone,
    sft_steps: int = 60,
    grpo_steps: int = 2,
    questions: int = 20,
    queries: int = 4,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Runs of so many optimiser steps, those of RL at `queries` questions each; `questions` are asked with nothing else running.
    Raises Unavailable where a run was over before anything was asked."""
    lease = _WatchedLease()
    backbone = dataclasses.replace(backbone, lease=lease)
    posed = [pose(drawn) for drawn in draw(required_benchmark("mini-signs"), max(questions, queries))]
    serving = Serving(backbone)
    _ask(backbone, serving, posed[0])
    alone = [_ask(backbone, serving, one) for one in posed[:questions]]
    found: dict[str, Any] = {
        "bench": "while-training",
        "model": backbone.name,
        "quantization": backbone.quantization,
        "steps": {"sft": sft_steps, "grpo": grpo_steps},
        "target_ms": TARGET_MS,
        "alone": _spreads(alone),
    }
    sft = SftConfig(steps=sft_steps, checkpoint_every=1000)
    grpo = GrpoConfig(steps=grpo_steps, queries_a_step=queries, checkpoint_every=1000)
    runs = {
        "sft": (_training(backbone, posed, run_sft, _lessons(backbone, posed), sft), sft_steps),
        "grpo": (_training(backbone, posed, run_grpo, [one.example for one in posed], grpo), grpo_steps),
    }
    for name, (train, steps) in runs.items():
        undisturbed, seconds, _ = _run(train, lease)
        lease.waits_ms.clear()
        losses, _, asked = _run(train, lease, lambda k: _ask(backbone, serving, posed[k % len(posed)]))
        if not asked:
            raise Unavailable(f"{name} was over before anything was asked: give it more steps")
        found[name] = {
            "step_ms": round(1000 * seconds / steps),
            "asked": len(asked),
            "wait": spread(lease.waits_ms).to_json(),
            **_spreads(asked),
            "is_same_loss": losses == undisturbed,
        }
        progress(f"  {_line(name, found[name])}")
    found["p95_ms"] = max(found[name]["answer"]["p95_ms"] for name in ("sft", "grpo"))
    found["is_same_loss"] = all(found[name]["is_same_loss"] for name in ("sft", "grpo"))
    return found


def report(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    return [
        f"serving while training: {found['model']} ({found['quantization']}), target {found['target_ms']:.0f} ms",
        f"  nothing else: answer {Spread(**found['alone']['answer'])}",
        *(f"  {_line(name, found[name])}" for name in ("sft", "grpo")),
    ]


def _line(name: str, part: dict[str, Any]) -> str:
    same = "the same losses" if part["is_same_loss"] else "OTHER LOSSES"
    return (
        f"{name}, {part['asked']} asked: waited {Spread(**part['wait'])}; answer {Spread(**part['answer'])}; "
        f"a step alone {part['step_ms']} ms; {same}"
    )


def _spreads(asked: Sequence[_Asked]) -> dict[str, Any]:
    first_words, answers = zip(*asked, strict=True)
    return {"first_words": spread(first_words).to_json(), "answer": spread(answers).to_json()}


def _ask(backbone: Backbone, serving: Serving, posed: Posed) -> _Asked:
    began_s, first_s = time.perf_counter(), None
    for notice in stream(LocalPolicy(backbone, serving=serving), posed.example, posed.pictures):
        if first_s is None and ((isinstance(notice, Thinking) and notice.thought) or isinstance(notice, Stepped)):
            first_s = time.perf_counter()
    ended_s = time.perf_counter()
    return ((first_s or ended_s) - began_s) * 1000, (ended_s - began_s) * 1000


def _run(
    train: Train, lease: _WatchedLease, ask: Callable[[int], _Asked] | None = None
) -> tuple[list[float], float, list[_Asked]]:
    """(the losses, seconds, what `ask` gave) of a run, which it is called beside until that is over."""
    is_over = threading.Event()
    asked: list[_Asked] = []

    def asking() -> None:
        for number in itertools.count():
            if ask is None or is_over.is_set():
                return
            asked.append(ask(number))

    lease.trainer = threading.get_ident()
    losses: list[float] = []
    asker = threading.Thread(target=asking)
    asker.start()
    began_s = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            train(Path(folder), losses.append)
    finally:
        is_over.set()
        asker.join()
    return losses, time.perf_counter() - began_s, asked


def _lessons(backbone: Backbone, posed: Sequence[Posed]) -> list[TrainingExample]:
    """What the policy itself says, to be learned from."""
    traces = [attempt(LocalPolicy(backbone), one) for one in posed]
    return [TrainingExample(trace, trace.example) for trace in traces]


def _training(
    backbone: Backbone,
    posed: Sequence[Posed],
    run: Callable[..., Any],
    given: Sequence[Any],
    config: SftConfig | GrpoConfig,
) -> Train:
    """A run of `run_sft` or `run_grpo` on what is `given`, whose adapter is dropped."""
    pictures = {key: value for one in posed for key, value in one.pictures.items()}

    def train(folder: Path, on_loss: Callable[[float], None]) -> None:
        run(
            backbone,
            given,
            config,
            load_pictures=lambda media: {one.sha256: pictures[one.sha256] for one in media},
            on_metric=lambda step, total, numbers: on_loss(numbers["loss"]),
            should_stop=never,
            checkpoint_dir=folder,
        )
        with backbone.lease.held():
            backbone.adapters.drop_training()

    return train
