"""The trends that a long run is judged by, against numbers worked by hand."""

from __future__ import annotations

import pytest

from tests.torture.lasting import drift, trend


def test_a_rise_is_told_from_noise() -> None:
    """Ten readings that rise by one each thousand: S = 45, variance 10 * 9 * 25 / 18 = 125, z = 44 / sqrt(125) = 3.935."""
    rising = trend([1000.0 * k for k in range(10)], [float(k) for k in range(10)])
    assert rising.per_1000 == 1 and not rising.is_flat
    noise = trend([1000.0 * k for k in range(8)], [5, 7, 5, 7, 5, 7, 5, 7])
    assert noise.is_flat and noise.most == 7
    still = trend([0.0, 1.0, 2.0], [3, 3, 3])
    assert still.per_1000 == 0 and still.is_flat
    assert trend([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [9, 8, 7, 6, 5, 4]).is_flat  # what is given back is no fault


def test_steps_of_long_ago_are_no_leak_and_an_even_rise_is_one() -> None:
    """Rises 0, 4, 0, 0, 0: mean 0.8, standard error 0.8, so the interval reaches below 0. Rises 1, 2, 1, 2: mean 1.5, standard
    error 0.289, t(3) = 3.18: from 0.58."""
    stepped = drift([0, 500, 1000, 1500, 2000, 2500], [10, 10, 14, 14, 14, 14])
    assert stepped.per_1000 == pytest.approx(1.6) and stepped.most == 14 and stepped.is_flat
    leaking = drift([0, 500, 1000, 1500, 2000], [10, 11, 13, 14, 16])
    assert leaking.per_1000 == pytest.approx(3.0) and not leaking.is_flat
    assert not drift([0, 1, 2, 3], [1, 2, 3, 4]).is_flat
    assert drift([0, 1, 2], [3, 3, 3]).is_flat and drift([0, 1, 2, 3], [9, 8, 7, 6]).is_flat
