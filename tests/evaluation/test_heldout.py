"""Before and after training: the same examples, none of which `evaluate` reports or training saw."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.evaluation.heldout import HeldOut
from engine.policies.scripted import ScriptedPolicy


def test_it_measures_what_evaluate_measures():
    numbers = HeldOut("mini-signs-heldout", 2).measure(ScriptedPolicy())
    assert (numbers["benchmark"], numbers["n"], numbers["accuracy"], numbers["rapr"]) == (
        "mini-signs-heldout",
        2,
        0.0,
        1.0,
    )


def test_when_cancelled_it_says_what_it_has():
    numbers = HeldOut(count=3).measure(ScriptedPolicy(), lambda: True)
    assert (numbers["n"], numbers["accuracy"]) == (0, None)


@pytest.mark.parametrize(("benchmark", "count"), [("maxi-signs", 1), ("mini-signs", 0), ("mini-signs", "3"), (3, 3)])
def test_what_does_not_exist_is_refused(benchmark, count):
    with pytest.raises(InvalidInput, match="mini-signs-heldout"):
        HeldOut(benchmark, count)


def test_it_can_be_recorded_with_a_job():
    assert HeldOut(**HeldOut("mini-clips", 5).as_json()) == HeldOut("mini-clips", 5)
