"""The learning trap is told when operations are given up, and not otherwise."""

from __future__ import annotations

from engine.training.trap import WINDOW, is_trapped


def test_giving_up_is_a_trap():
    falling = [0.55] * 5 + [0.4, 0.3, 0.2, 0.1, 0.05, 0.0, 0.0]
    assert is_trapped(falling)
    assert not is_trapped(falling[:9])
    # 0.55 -> mean of 0.4, 0.3, 0.2, 0.1, 0.05 = 0.21: below 0.3 and below half of 0.55
    assert is_trapped(falling[:10])


def test_what_never_operated_or_goes_on_has_not_fallen_into_it():
    assert not is_trapped([0.2] * 40)
    assert not is_trapped([0.0] * 40)
    assert not is_trapped([0.9] * 5 + [0.5] * 10)
    assert not is_trapped([0.5] * 3 + [0.0] * (2 * WINDOW - 4))  # too early to say
    assert not is_trapped([0.2] * 5 + [0.6] * 5)
    assert not is_trapped([0.55] * 5 + [0.0] * 5 + [0.6] * 5)  # it came back
