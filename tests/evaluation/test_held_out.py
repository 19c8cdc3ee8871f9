"""Before and after training: always the same examples, none that is learned from, and what is told of them."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.evaluation.held_out import MAX_HELD_OUT, HeldOut, measure
from engine.policies.scripted import ScriptedPolicy

SUMMARY_KEYS = ["benchmark", "n", "accuracy", "stderr", "hit_rate", "rapr", "error_rate", "cpu_s_median"]


def test_it_measures_what_evaluate_measures():
    progress = []
    numbers = measure(
        HeldOut(count=2), ScriptedPolicy(), on_progress=lambda done, count: progress.append((done, count))
    )
    assert list(numbers) == [*SUMMARY_KEYS, "seed", "examples"]
    assert (numbers["n"], numbers["accuracy"], numbers["rapr"]) == (2, 0.0, 1.0)
    assert [example["answer"] for example in numbers["examples"]] == ["scripted"] * 2
    assert progress == [(0, 2), (1, 2), (2, 2)]


def test_what_is_learned_from_is_passed_over():
    first, second = HeldOut(count=2).examples()
    (other,) = HeldOut(count=1).examples(excluded={first.example.media[0].sha256})
    assert other.example == second.example


def test_when_cancelled_it_says_what_it_has():
    numbers = measure(HeldOut(count=3), ScriptedPolicy(), is_cancelled=lambda: True)
    assert (numbers["n"], numbers["accuracy"], numbers["examples"]) == (0, None, [])


@pytest.mark.parametrize(
    ("benchmark", "count"), [("maxi-signs", 1), ("mini-signs", -1), ("mini-signs", MAX_HELD_OUT + 1)]
)
def test_what_cannot_be_drawn_is_refused(benchmark, count):
    with pytest.raises(InvalidInput):
        HeldOut(benchmark, count)


def test_a_job_remembers_which_examples_they_were():
    held_out = HeldOut("mini-clips", 5, 3)
    assert HeldOut.from_json(held_out.as_json()) == held_out
    assert list(HeldOut.from_json({}).examples()) == []
