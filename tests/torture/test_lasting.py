"""The trend that a long run is judged by, against numbers worked by hand."""

from __future__ import annotations

import pytest

from tests.torture.lasting import trend


def test_a_rise_is_told_from_noise() -> None:
    """Ten readings that rise by one each thousand: S = 45, variance 10 * 9 * 25 / 18 = 125, z = 44 / sqrt(125) = 3.935."""
    rising = trend([1000.0 * k for k in range(10)], [float(k) for k in range(10)])
    assert rising.per_1000 == 1 and rising.p == pytest.approx(0.0001, abs=5e-5) and not rising.is_flat
    noise = trend([1000.0 * k for k in range(8)], [5, 7, 5, 7, 5, 7, 5, 7])
    assert noise.is_flat and noise.most == 7
    still = trend([0.0, 1.0, 2.0], [3, 3, 3])
    assert still.per_1000 == 0 and still.p == 1 and still.is_flat
    assert trend([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [9, 8, 7, 6, 5, 4]).is_flat  # what is given back is no fault
