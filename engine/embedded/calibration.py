"""How far the embedded reasoner's confidence can be believed: the line below which its answers are worth little.

The model answers whatever it is asked, also about a sign that is not there and about a world that it has never seen; what gives
it away is how sure it was of its own words. `weights/calibration.json`, written by `python -m engine.lab.recipe.calibrate`, holds
the line and what it is worth: chosen on one seed, reported on another.

Not covered: other models, which nobody has measured here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.embedded import NAME, weights_folder

__all__ = ["FILE_NAME", "Calibration", "calibration_from_json", "calibration_of"]

FILE_NAME = "calibration.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """`sure_from` is the confidence (geometric mean of the tokens' probabilities, in (0, 1]) from which an answer counts as
    sure. The other figures are of the seed that it is reported on, each a share in [0, 1] of so many questions: `right_share`
    of the sure answers in its own world were right; `sure_share` of its own world's right answers were sure; `fooled_share`
    of the answers to questions outside its world were sure; `absent_share` of the answers about a sign that is not there."""

    sure_from: float
    right_share: float
    right_count: int
    sure_share: float
    sure_count: int
    fooled_share: float
    fooled_count: int
    absent_share: float
    absent_count: int

    def is_sure(self, confidence: float) -> bool:
        return confidence >= self.sure_from


def calibration_from_json(data: dict[str, Any]) -> Calibration:
    """Raises KeyError where a figure is missing."""
    reported = data["reported"]
    return Calibration(
        sure_from=data["sure_from"],
        right_share=reported["right"]["share"],
        right_count=reported["right"]["n"],
        sure_share=reported["sure"]["share"],
        sure_count=reported["sure"]["n"],
        fooled_share=reported["fooled"]["share"],
        fooled_count=reported["fooled"]["n"],
        absent_share=reported["absent"]["share"],
        absent_count=reported["absent"]["n"],
    )


def calibration_of(policy: str) -> Calibration | None:
    """What is known of the policy of that name (an adapter's name follows a "+"); None where nothing was measured."""
    return _embedded() if policy.partition("+")[0] == NAME else None


@cache
def _embedded() -> Calibration | None:
    path = weights_folder() / FILE_NAME
    return calibration_from_json(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
