"""A study's results made by hand, where no model is needed: 4 examples of each benchmark, 12 steps of each run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from engine.lab.study.figures import CURVES
from engine.lab.study.folder import Folder
from engine.lab.study.plan import BENCHMARKS, SOURCES, Evaluate, Grpo, Sizes, StudyPart, plan

SIZES = Sizes(test_examples=4, trajectories=8, practice_examples=8, rl_steps=12, seeds=3)
PARTS = plan(SIZES)
MACHINE = {
    "processor": "A processor",
    "cores": 2,
    "device": "cpu",
    "quantization": "4bit",
    "computation": "bfloat16",
}
RIGHT = {
    "no-operations": (1, 0, 0, 0),
    "warm-start": (1, 1, 0, 0),
    "no-curiosity": (1, 1, 0, 0),
    "no-warm-start": (1, 0, 1, 0),
    "no-corrections": (1, 1, 0, 0),
    "full": (1, 1, 1, 1),
}


def evaluation(part: Evaluate) -> dict[str, Any]:
    """Seed 1 of full misses the last example; nobody but `no-operations` and `no-curiosity` leaves operations out."""
    scores = [float(one) for one in RIGHT[part.row]]
    if part.row == "full" and part.seed == 1:
        scores[3] = 0.0
    uses = part.row not in ("no-operations", "no-curiosity")
    found = {
        "scores": scores,
        "used_operation": [uses and k > 0 for k in range(4)],
        "difficulties": ["easy", "easy", "hard", "hard"],
        "categories": ["one", "two", "one", "two"],
    }
    return {"row": part.row, "seed": part.seed, "machine": MACHINE, "benchmarks": dict.fromkeys(BENCHMARKS, found)}


def practice(part: Grpo) -> dict[str, Any]:
    """RaPR rises with curiosity and falls without; each row has its own height; nothing is random."""
    below = {"no-warm-start": 0.25, "no-corrections": 0.1}.get(part.row, 0.0)
    metrics = []
    for step in range(1, SIZES.rl_steps + 1):
        share = step / SIZES.rl_steps
        wave = 0.04 * math.sin(2.1 * step + part.seed)
        rate = 0.6 + 0.3 * share + wave - below if part.is_curious else max(0.0, 0.6 * (1 - 1.5 * share) + wave)
        numbers = dict.fromkeys(CURVES, rate) | {
            "correctness": 0.3 + 0.4 * share + wave - below,
            "reward": 0.28 + 0.4 * share - below,
        }
        metrics.append({"step": step, "seconds": 10.0, "operation_errors": 0.1, "uniform_share": 0.25, **numbers})
    settings = {"is_curious": part.is_curious, "variant": "paper", "threshold": 0.3, "seed": part.seed}
    return {"settings": settings, "learned_from": {"questions": 32}, "metrics": metrics, "machine": MACHINE}


def result(part: StudyPart) -> dict[str, Any]:
    told: dict[str, Any] = {"part": part.name, "kind": type(part).__name__.lower(), "seconds": 60.0}
    if isinstance(part, Evaluate):
        return told | evaluation(part)
    if isinstance(part, Grpo):
        return told | practice(part)
    if part.name.startswith("sft"):
        return told | {
            "settings": {"passes": 2.0},
            "learned_from": {"trajectories": 32},
            "metrics": [],
            "machine": MACHINE,
        }
    return told | {"count": 4}


def finished_study(root: Path) -> Folder:
    """A folder in which every part of PARTS is done."""
    folder = Folder(root)
    identity = {
        "version": 1,
        "sizes": SIZES.as_json(),
        "sources": {
            name: {"split": SOURCES[name].split, "seed": SOURCES[name].seed}
            for name in ("trajectories", "practice", "test")
        },
        "base": {"hash": "0123456789abcdef" * 4, "quantization": "auto", "device": "auto", "protocol": "auto"},
        "versions": {"python": "3.11", "torch": "2"},
    }
    folder.claim(identity)
    for part in PARTS:
        folder.finish(part.name, result(part))
    folder.keep_sessions([{"jobs": 2, "seconds": 5400.0}, {"jobs": 2, "seconds": 600.0}])
    return folder
