"""What the card says of an answer's worth."""

from __future__ import annotations

import pytest


@pytest.fixture
def calibration():
    from engine.embedded.calibration import Calibration

    return Calibration(0.85, 0.92, 150, 0.88, 170, 0.06, 90, 0.8, 30)


def test_what_nobody_measured_is_called_neither(monkeypatch) -> None:
    from ui.asking.sureness import sureness_value

    value = sureness_value("Qwen3-VL-4B-Instruct", 0.97, "a pagoda")
    assert value is not None
    assert (value["level"], value["knows"]) == ("unmeasured", "")
    assert sureness_value("tiny", None, "LM") is None
    assert sureness_value("tiny", 0.9, None) is None


@pytest.mark.parametrize(
    ("confidence", "level"), [(0.61, "unsure"), (0.8499, "unsure"), (0.85, "sure"), (0.91, "sure")]
)
def test_the_line_is_the_measured_one(monkeypatch, calibration, confidence: float, level: str) -> None:
    from ui.asking import sureness

    monkeypatch.setattr(sureness, "calibration_of", lambda policy: calibration)
    value = sureness.sureness_value("tiny+mine", confidence, "LM", {"adapter": "mine"})
    assert value is not None
    assert value["level"] == level
    assert "92% were right" in value["more"] and "6% were as sure" in value["more"]
    assert "without the adapter mine" in value["more"]


def test_the_line_tells_right_answers_from_answers_outside_the_world() -> None:
    from engine.lab.recipe.calibrate import ABSENT, CHOSEN_ON, REPORTED_ON, Row, calibrated, sure_from

    def rows(seed: int) -> list[Row]:
        right = [Row("mini-signs", True, seed, 0.9, True)] * 8
        wrong = [Row("mini-tally", True, seed, 0.7, False), Row("mini-tally", True, seed, 0.95, False)]
        outside = [Row("photograph", False, seed, 0.6, False)] * 3 + [Row("photograph", False, seed, 0.92, False)]
        return right + wrong + outside + [Row(ABSENT, False, seed, 0.9, False)] * 2

    assert sure_from(rows(CHOSEN_ON)) == 0.61, "the lowest line of the best"
    found = calibrated(rows(CHOSEN_ON) + rows(REPORTED_ON))
    assert found["reported"] == {
        "right": {"share": 0.8, "n": 10},
        "sure": {"share": 1.0, "n": 8},
        "fooled": {"share": 0.25, "n": 4},
        "absent": {"share": 1.0, "n": 2},
    }
    assert sum(one["world"] + one["outside"] for one in found["curve"]) == 16
