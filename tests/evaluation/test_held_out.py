"""Held-out examples: always the same ones, never those that are trained on, nothing where nothing is asked for."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.evaluation.held_out import HeldOut, measure
from engine.policies.scripted import ScriptedPolicy


def shown(held_out: HeldOut, excluded: tuple[str, ...] = ()) -> list[str]:
    return [posed.example.media[0].sha256 for posed in held_out.examples(excluded)]


def test_the_same_three_words_mean_the_same_examples_but_never_what_is_trained_on() -> None:
    held_out = HeldOut("mini-signs", 2)
    first, second = shown(held_out)
    assert shown(HeldOut.from_json(held_out.as_json())) == [first, second]
    without = shown(held_out, (first,))
    assert without[0] == second and len(without) == 2 and first not in without


def test_measuring_tells_how_far_it_is_and_which_examples_they_were() -> None:
    told: list[tuple[int, int]] = []
    numbers = measure(HeldOut("mini-signs", 2), ScriptedPolicy(), on_progress=lambda *k: told.append(k))
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert (numbers["n"], numbers["accuracy"], numbers["seed"]) == (2, 0.0, 7)
    assert [example["answer"] for example in numbers["examples"]] == ["scripted", "scripted"]
    assert all(example["gold"] and example["score"] == 0.0 for example in numbers["examples"])


def test_a_cancelled_measurement_has_no_half_examples() -> None:
    numbers = measure(HeldOut("mini-signs", 2), ScriptedPolicy(), is_cancelled=lambda: True)
    assert (numbers["n"], numbers["examples"], numbers["accuracy"]) == (0, [], None)


def test_nothing_asked_for_is_nothing_measured() -> None:
    assert shown(HeldOut.from_json({})) == []


@pytest.mark.parametrize("wrong", [{"benchmark": "nonsense"}, {"count": -1}, {"count": 501}])
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        HeldOut(**wrong)  # type: ignore[arg-type]
