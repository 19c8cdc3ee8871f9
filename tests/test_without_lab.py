"""The product without the lab: in a copy of the project that lacks `engine/lab` a studio starts, answers, curates, trains and
evaluates; what only the lab can do is refused in one sentence."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import ABSENT, required_benchmark
from engine.evaluation.writing import write_examples

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("product")
    for name in ("engine", "ui"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("lab"))
    for path in (ROOT / "app.py", ROOT / "tests" / "without_lab.py"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def told(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `without_lab.py` saw in the copy. The picture and the examples are files, as a person brings them."""
    folder = tmp_path_factory.mktemp("own")
    examples = write_examples(draw(required_benchmark("mini-signs"), 1), folder / "examples")
    line = json.loads(examples.read_text(encoding="utf-8"))
    words = [str(folder / "home"), str(examples.parent / line["media"]), line["question"], str(examples)]
    done = subprocess.run(
        [sys.executable, "without_lab.py", *words],
        cwd=copy,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_studio_starts_answers_curates_and_trains(told: dict[str, Any]) -> None:
    assert told["lab"] == []
    assert told["pages"] == [200] * 5
    assert told["samples"] == 0
    assert told["answer"] == {"stop_reason": "answered", "steps": 2, "problem": None}
    assert told["accepted"] == [True]
    assert (told["job"]["state"], told["job"]["adapters"]) == ("done", 1), told["job"]


def test_a_run_says_that_it_was_measured_on_nothing(told: dict[str, Any]) -> None:
    (note,) = told["notes"]
    assert note.startswith("nothing is held out: everything is about the same picture")


def test_examples_of_ones_own_are_evaluated(told: dict[str, Any]) -> None:
    status, printed, _ = told["evaluate"]
    summary = json.loads(printed.splitlines()[-1])
    assert (status, summary["n"]) == (0, 1)
    assert summary["accuracy"] is not None and summary["rapr"] == 1.0


def test_what_only_the_lab_can_draw_is_refused_in_a_sentence(told: dict[str, Any]) -> None:
    for status, printed, said in told["drawn"]:
        assert (status, printed) == (2, "")
        assert ABSENT in said and len(said.splitlines()) == 1


def test_the_commands_of_the_lab_are_not_listed(copy: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine", "--help"], cwd=copy, capture_output=True, text=True, check=True
    )
    assert "evaluate" in done.stdout
    assert "bench " not in done.stdout and "experiment" not in done.stdout
