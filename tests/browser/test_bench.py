"""The benches that drive the real app in a real browser run to their end, small; their figures are not looked at."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext

import pytest

from engine.__main__ import main


@pytest.fixture(autouse=True)
def one_browser(chromium, monkeypatch) -> None:
    """The tests' own drives the benches, too: one Playwright at a time drives from a thread. Skipped where there is none."""
    for bench in ("editor", "queue_screen"):
        monkeypatch.setattr(f"engine.lab.bench.{bench}.chromium", lambda: nullcontext(chromium))


def run(words: list[str]) -> dict:
    out = io.StringIO()
    assert main(["bench", *words, "--json"], {}, out) == 0
    return json.loads(out.getvalue())


def test_drags_of_a_box_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.lab.bench.editor._SIZE_PX", (1200, 900))
    found = run(["editor", "--drags", "1"])
    assert found["n"] == 3 and found["ratio"] > 0
    assert [crop["pixels"] for crop in found["crops"].values()] == sorted(c["pixels"] for c in found["crops"].values())


def test_pages_of_the_queue_are_timed_on_the_screen() -> None:
    found = run(["queue", "--traces", "300", "--repeats", "3"])["screen"]
    assert found["pictures_seen"] > 3 and found["pictures_fetched"] > 0
    assert found["answered"]["median_ms"] <= found["in_place"]["median_ms"] <= found["on_screen"]["median_ms"]


def test_people_work_over_http() -> None:
    found = run(["people", "--people", "3", "--seconds", "1"])
    assert found["edits"] >= 3 and (found["lost"], found["locked"]) == ([], 0)
