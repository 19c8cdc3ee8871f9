"""The splits of the miniature benchmarks share nothing that is asked about, and the test split nothing that is behind it."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from engine.lab.world import backgrounds, fonts, words
from engine.lab.world.miniature.surroundings import SPLITS, draw_code, faces, random_for, words_of
from engine.lab.world.scenes import SEEDS


@pytest.mark.parametrize(("one", "two"), combinations(SPLITS, 2))
def test_splits_are_disjoint(one, two):
    assert not set(words_of(one)) & set(words_of(two))
    assert not {face.family for face in faces(one)} & {face.family for face in faces(two)}
    assert SEEDS[one].stop <= SEEDS[two].start or SEEDS[two].stop <= SEEDS[one].start


def test_every_split_has_enough_and_nothing_is_lost():
    for split in SPLITS:
        assert len(faces(split)) >= 5
        assert len([word for word in words_of(split) if 3 <= len(word) <= 6]) >= 20  # a poster's
        for length in (5, 6):
            assert len([word for word in words_of(split) if len(word) == length]) >= 10  # a clip's options
    assert {*words_of("train"), *words_of("validation")} == set(words.TRAIN_WORDS)
    assert {*faces("train"), *faces("validation")} == set(fonts.faces(False))
    assert words_of("test") == words.HELDOUT_WORDS


def test_test_has_photographs_of_its_own():
    assert not set(backgrounds.photographs(True)) & set(backgrounds.photographs(False))


def test_a_seed_belongs_to_its_split():
    random_for("mini-vstar", "train", 5)
    for split in ("validation", "test"):
        with pytest.raises(ValueError, match="not in"):
            random_for("mini-vstar", split, 5)


def test_a_code_is_letters_and_then_digits():
    for seed in range(20):
        code = draw_code(random.Random(seed), 5)
        assert len(code) == 5
        assert code[:2].isalpha()
        assert code[2:].isdigit()
