"""Crops that show something else."""

from __future__ import annotations

import pytest
from PIL import ImageChops

from engine.errors import InvalidInput
from engine.evaluation.crops import showing
from engine.operations import cut
from engine.trace import Box, View
from tests.editing.samples import photo, pictures_of


def view(box: Box) -> View:
    return View(2, photo().media.sha256, None, box)


def test_black_crops_are_black_and_of_the_size_of_the_real_and_first_views_are_as_they_are() -> None:
    real, black = pictures_of(photo()), showing(pictures_of(photo()), "black", 0)
    box = Box(0.1, 0.2, 0.5, 0.6)
    assert cut(view(box), black).size == cut(view(box), real).size
    assert cut(view(box), black).getcolors() == [(160 * 120, (0, 0, 0))]
    whole = view(Box.full())
    assert ImageChops.difference(cut(whole, black), cut(whole, real)).getbbox() is None
    assert showing(real, "real", 0) is real


def test_random_crops_are_another_region_of_the_picture_and_the_same_for_the_same_seed() -> None:
    real = pictures_of(photo())
    for box in (Box(0, 0, 0.25, 0.25), Box(0.4, 0.4, 0.6, 0.6)):
        shown = [cut(view(box), showing(real, "random", seed)).tobytes() for seed in (1, 1, 2)]
        assert shown[0] == shown[1] != shown[2]
        found = placed(shown[0], real)
        left, top, right, bottom = box.to_pixels((400, 300))
        assert found is not None
        assert not (
            left < found[0] + right - left and found[0] < right and top < found[1] + bottom - top and found[1] < bottom
        )


def placed(shown: bytes, real) -> tuple[int, int] | None:
    """Where in the noise these pixels stand: the place of their first row, every row of which is its own."""
    photo_bytes, width = real[photo().media.sha256].frames[0].tobytes(), 400
    at = photo_bytes.find(shown[: 3 * 40])
    return None if at < 0 else (at // 3 % width, at // 3 // width)


def test_a_region_that_nearly_fills_the_picture_overlaps_and_nonsense_is_refused() -> None:
    box = Box(0, 0, 1, 0.99)
    assert cut(view(box), showing(pictures_of(photo()), "random", 3)).size == (400, 297)
    with pytest.raises(InvalidInput, match="real, black, random"):
        showing({}, "white", 0)
