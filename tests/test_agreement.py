"""Against numbers worked by hand or published."""

from __future__ import annotations

import pytest

from engine.agreement import box_agreement, cohen_kappa, krippendorff_alpha, pairwise_kappa
from engine.trace import Box


def test_kappa_by_hand() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, expected 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa 0.4.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    assert cohen_kappa([("y", "y"), ("n", "n")]) == 1
    assert cohen_kappa([("y", "n"), ("n", "y")]) == -1
    assert cohen_kappa([]) is None and cohen_kappa([("y", "y")]) is None


def test_alpha_as_published() -> None:
    # Krippendorff (2011), section C: four observers, twelve units, missing data, nominal: 0.743.
    table = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    assert krippendorff_alpha(list(zip(*table, strict=True))) == pytest.approx(0.743, abs=0.0005)


def test_alpha_of_two_raters_by_hand() -> None:
    # Krippendorff (2011), section A: ten units, two observers, binary: 0.095.
    a = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    b = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    assert krippendorff_alpha(list(zip(a, b, strict=True))) == pytest.approx(0.095, abs=0.0005)
    assert krippendorff_alpha([("x", "x"), ("y", "y")]) == 1
    assert krippendorff_alpha([("x", None), (None, "y")]) is None
    assert krippendorff_alpha([("x", "x")]) is None


def test_pairs_of_raters() -> None:
    found = pairwise_kappa([{"ann": "y", "bob": "y"}, {"ann": "n", "bob": "n", "cy": "n"}, {"cy": "y"}])
    assert found == {("ann", "bob"): (1.0, 2), ("ann", "cy"): (None, 1), ("bob", "cy"): (None, 1)}


def test_boxes() -> None:
    left, right, half = Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1), Box(0, 0, 0.25, 1)
    assert box_agreement([left, right], [right, left]) == 1
    assert box_agreement([left], [half]) == pytest.approx(0.5)
    assert box_agreement([left, right], [left]) == pytest.approx(0.5)
    assert box_agreement([left], []) == 0 and box_agreement([], []) is None
