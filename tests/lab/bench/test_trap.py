"""The learning trap's figures, worked by hand, and what may learn from what."""

from __future__ import annotations

import math

import pytest

from engine.lab.bench import trap
from engine.lab.study.folder import Folder
from engine.lab.study.plan import BENCHMARKS, Draw, Evaluate, Grpo, Sizes

SIZES = Sizes(seeds=2, rl_steps=10)


def evaluation(row: str, hard: list[float], operates: bool) -> dict:
    """On each benchmark one easy question, which is right, and some hard ones."""
    scores = [1.0, *hard]
    found = {
        "scores": scores,
        "used_operation": [False, *[operates] * len(hard)],
        "difficulties": ["easy", *["hard"] * len(hard)],
    }
    return {"row": row, "seed": 0, "machine": {"cores": 2}, "benchmarks": dict.fromkeys(BENCHMARKS, found)}


def test_what_asks_is_told_to_nobody_who_learns() -> None:
    parts = trap.parts_of(SIZES)
    asked = {part.name for part in parts if isinstance(part, Draw) and part.purpose == "held-out"}
    assert len(asked) == len(BENCHMARKS)
    for part in parts:
        assert asked <= set(part.needs) if isinstance(part, Evaluate) else not asked & set(part.needs)


@pytest.fixture
def done(tmp_path) -> Folder:
    """Two runs of each kind: with curiosity 3 of 4 and 4 of 4 hard ones right, without 1 of 4 and 2 of 4."""
    folder = Folder(tmp_path)
    scores = {
        "warm-start": [[0, 1, 0, 1]],
        "no-operations": [[1, 1, 0, 1]],
        "full": [[1, 1, 0, 1], [1, 1, 1, 1]],
        "no-curiosity": [[0, 1, 0, 0], [0, 1, 1, 0]],
    }
    for part in trap.parts_of(SIZES):
        result: dict = {"seconds": 1.0, "part": part.name}
        if isinstance(part, Evaluate):
            hard = [float(score) for score in scores[part.row][part.seed]]
            result |= evaluation(part.row, hard, part.row == "full")
        if isinstance(part, Grpo):
            rates = [0.6] * 10 if part.is_curious else [0.6] * 5 + [0.2] * 5
            step = {"reward": 0, "correctness": 0, "operation_errors": 0.4, "uniform_share": 0, "cpu_seconds": 3.0}
            result["metrics"] = [{"step": k, "rapr": rate, **step} for k, rate in enumerate(rates)]
            result["settings"] = {"variant": "paper", "is_curious": part.is_curious, "threshold": 0.3}
        folder.finish(part.name, result)
    return folder


def test_the_hypotheses_by_hand(done: Folder) -> None:
    """Hard examples gain 1, 0, 0 and 1 of the mean of two runs; the runs' means are 3/4, 1 and 1/4, 1/2."""
    found = trap.figures(done, trap.parts_of(SIZES), "held-out")
    of_examples = math.sqrt((4 * 0.25) / 3) / math.sqrt(4) / math.sqrt(4)
    of_runs = 2 * (2 * 0.125**2) / 2
    assert found["gain_points"] == 50.0
    assert found["gain_stderr"] == round(100 * math.sqrt(of_examples**2 + of_runs), 2)
    assert [one["held"] for one in found["hypotheses"]] == [True, True, True]
    assert found["first_calls_failed"] == 0.4 and found["rapr"]["no-curiosity 1"] == [0.6, 0.2]
    assert found["rows"]["no-operations"]["all"]["percent"] == 80.0 and found["rows"]["full"]["hard"]["rapr"] == 1.0
    assert any("did not hold" in line or "held:" in line for line in trap.report(found))
