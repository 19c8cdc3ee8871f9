"""What is held out: nothing that is learned from, the same whatever comes later, and what a person named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.errors import InvalidInput, NotFound
from engine.evaluation.held_out import MAX_HELD_OUT, HeldOut, HeldOutSet, hold_out
from engine.store import Store

MEDIA = st.frozensets(st.sampled_from([f"{k:064x}" for k in range(12)]), min_size=1, max_size=2)
SHARES = st.floats(0.01, 0.9)


def parts(items: list[frozenset[str]], held: frozenset[int]) -> tuple[set[str], set[str]]:
    """The media that are held out, and those that are learned from."""
    sides: tuple[set[str], set[str]] = (set(), set())
    for position, media in enumerate(items):
        sides[position not in held].update(media)
    return sides


@given(st.lists(MEDIA, max_size=12), SHARES, st.integers(1, 20))
def test_no_picture_is_on_both_sides_and_both_have_something(
    items: list[frozenset[str]], share: float, count: int
) -> None:
    held = hold_out(items, share, count)
    held_out, learned = parts(items, held)
    assert not held_out & learned
    assert not items or len(held) < len(items)
    assert held == hold_out(items, share, count)
    by_media = {position: media for position, media in enumerate(items)}
    alike = hold_out(items[::-1], share, count)  # what comes first does not matter
    assert {frozenset(by_media[len(items) - 1 - k]) for k in alike} == {by_media[k] for k in held}


@given(st.lists(st.integers(0, 400), unique=True, min_size=3, max_size=60), SHARES, st.integers(0, 57))
def test_what_was_learned_from_is_not_held_out_once_more_is_approved(
    numbers: list[int], share: float, first: int
) -> None:
    items = [frozenset({f"{number:064x}"}) for number in numbers]
    earlier = items[: max(2, first)]
    held = hold_out(earlier, share)
    assume(len(held) < len(earlier) - 1)  # else the one that is left to learn from may be below the share, too
    _, learned = parts(earlier, held)
    held_out, _ = parts(items, hold_out(items, share))
    assert not learned & held_out


def test_about_the_share_is_held_out_and_never_what_is_known_or_more_than_wanted() -> None:
    items = [frozenset({f"{number:064x}"}) for number in range(4000)]
    held = hold_out(items, 0.2)
    assert 700 <= len(held) <= 900  # 800, with a deviation of 25
    assert len(hold_out(items, 0.2, 30)) == 30
    assert hold_out(items, 0.2, 30) < held
    known = frozenset().union(*(items[k] for k in held))
    assert not hold_out(items, 0.2, known=known) & held
    assert hold_out(items[:1], 0.5) == frozenset()
    assert len(hold_out([items[0], items[0], items[1]], 0.01)) in (1, 2)
    assert hold_out([items[0]] * 5, 0.5) == frozenset()  # one picture examines nobody


def test_a_name_means_a_source(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db") as store:
        drawn = HeldOut("mini-signs", count=16).source(store)
        assert drawn is not None
        assert (drawn.kind, drawn.name, drawn.size, drawn.seed) == ("drawn", "mini-signs", 16, 7)
        assert HeldOut().source(store) is None and HeldOut("").source(store) is None
        with pytest.raises(InvalidInput, match="nonsense"):
            HeldOut("nonsense").source(store)
        with pytest.raises(NotFound, match="evaluation"):
            HeldOut("evaluation:nothing").source(store)


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 0.95}, {"count": 0}, {"count": MAX_HELD_OUT + 1}])
def test_what_cannot_be_held_out_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        HeldOut(**wrong)  # type: ignore[arg-type]


def test_what_a_job_remembers_is_read_again_and_that_of_earlier_builds_too(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db") as store:
        source = HeldOut("mini-signs", count=3).source(store)
    assert source is not None
    kept = HeldOutSet(source, ("a", "b"), None, {"name": "tiny", "adapter": None}, "a note")
    assert HeldOutSet.from_json(kept.as_json()) == kept
    assert HeldOutSet.from_json(None) is None and HeldOutSet.from_json({}) is None
    earlier = HeldOutSet.from_json({"benchmark": "mini-signs", "count": 3, "seed": 7})
    assert earlier is not None and earlier.source == source
    assert HeldOutSet.from_json({"benchmark": "mini-signs", "count": 0, "seed": 7}) is None
