"""The benches that drive the real app in a real browser run to their end, small; their figures are not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def a_browser(chromium) -> None:
    """Skipped where there is none."""


def run_apart(words: list[str]) -> dict:
    """In a process of its own: one Playwright at a time drives from a thread."""
    done = subprocess.run(
        [sys.executable, "-m", "engine", "bench", *words, "--json"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_drags_of_a_box_are_timed() -> None:
    found = run_apart(["editor", "--drags", "1"])
    assert found["n"] == 3 and found["ratio"] > 0
    assert [crop["pixels"] for crop in found["crops"].values()] == sorted(c["pixels"] for c in found["crops"].values())


def test_pages_of_the_queue_are_timed_on_the_screen() -> None:
    found = run_apart(["queue", "--traces", "300", "--repeats", "3"])["screen"]
    assert found["pictures_seen"] > 3 and found["pictures_fetched"] > 0
    assert found["answered"]["median_ms"] <= found["in_place"]["median_ms"] <= found["on_screen"]["median_ms"]


def test_people_work_over_http() -> None:
    found = run_apart(["people", "--people", "3", "--seconds", "2"])
    assert found["edits"] >= 6 and (found["lost"], found["locked"]) == ([], 0)
