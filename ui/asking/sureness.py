"""How sure an answer is, in a person's words: against what its model was measured to be worth, where that was done.

Pure: the measured figures are `engine.embedded.calibration`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from engine.embedded.calibration import Calibration, calibration_of

__all__ = ["Level", "sureness_value"]

Level = Literal["sure", "unsure", "unmeasured"]

_KNOWS = (
    "The small model that comes with the studio knows one drawn world: short texts on coloured signs, small objects on trays, "
    "counting, posters, and clips of these. It answers everything else too, and then the answer is worth nothing."
)


def sureness_value(
    policy: str, confidence: float | None, answer: str | None, settings: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """{"level", "line", "more", "knows"} for an answer; None where there is no answer or its policy told no confidence.
    `settings` are those the trace was made with: an adapter in them was not measured."""
    if answer is None or confidence is None:
        return None
    calibration = calibration_of(policy)
    if calibration is None:
        line = f"Confidence {confidence:.2f}"
        more = (
            "The geometric mean of the probabilities of its words, from 0 to 1. Nobody has measured here what that is "
            "worth for this model."
        )
        return {"level": "unmeasured", "line": line, "more": more, "knows": ""}
    is_sure = calibration.is_sure(confidence)
    line = (
        f"Sure, as far as this model can be ({confidence:.2f})"
        if is_sure
        else f"Not sure ({confidence:.2f}, below {calibration.sure_from:.2f}): probably wrong, or outside what it knows"
    )
    adapter = (settings or {}).get("adapter")
    measured = _measured(calibration) + (f" Measured without the adapter {adapter}." if adapter else "")
    return {"level": "sure" if is_sure else "unsure", "line": line, "more": measured, "knows": _KNOWS}


def _measured(found: Calibration) -> str:
    return (
        f"Measured: of {found.right_count} answers in its own world that were as sure as that, {found.right_share:.0%} were "
        f"right; of {found.fooled_count} answers to questions outside it, {found.fooled_share:.0%} were as sure. It cannot tell "
        f"that a sign is not there: asked for one that is missing, it read another just as surely in {found.absent_share:.0%} "
        f"of {found.absent_count} cases. Of {found.sure_count} right answers {1 - found.sure_share:.0%} stayed below the line."
    )
