"""The world is pure in its seeds, its splits are disjoint, and its labels say where things are."""

from __future__ import annotations

import random

import pytest

from engine.lab.recipe import patches
from engine.lab.world import backgrounds, clips, fonts, questions, scenes, signs, words

SPLITS = ("train", "validation", "test", "heldout")
LARGEST_CAPITAL_SEEN = 7.5


def scene(split: str, index: int) -> scenes.Scene:
    return scenes.draw_scene(scenes.seed_for(split, index), split)


def clip(split: str, index: int) -> clips.Clip:
    return clips.draw_clip(scenes.seed_for(split, index), split)


@pytest.mark.parametrize("split", SPLITS)
def test_a_seed_draws_the_same_scene_again(split):
    once, again = scene(split, 5), scene(split, 5)
    assert once.picture.tobytes() == again.picture.tobytes()
    assert once.signs == again.signs


def test_a_seed_draws_the_same_clip_again():
    once, again = clip("validation", 2), clip("validation", 2)
    assert [frame.tobytes() for frame in once.frames] == [frame.tobytes() for frame in again.frames]
    assert once.signs == again.signs


def test_seeds_of_different_splits_never_meet():
    train, validation, test = (scenes.SEEDS[split] for split in SPLITS[:3])
    assert train.stop <= validation.start and validation.stop <= test.start
    assert scenes.SEEDS["heldout"] == test


@pytest.mark.parametrize("draw", [scenes.draw_scene, clips.draw_clip])
def test_a_seed_of_another_split_is_refused(draw):
    with pytest.raises(ValueError, match="not in train"):
        draw(scenes.SEEDS["test"].start, "train")
    with pytest.raises(ValueError, match="no split"):
        draw(0, "everything")


def test_families_photographs_patterns_and_words_are_split():
    families = [{face.family for face in fonts.faces(is_heldout)} for is_heldout in (False, True)]
    assert not families[0] & families[1]
    assert len(families[0]) >= 80 and len(families[1]) >= 15
    photographs = [set(backgrounds.photographs(is_heldout)) for is_heldout in (False, True)]
    assert not photographs[0] & photographs[1]
    assert len(photographs[0]) >= 25 and len(photographs[1]) >= 8
    assert set(backgrounds.TRAIN_KINDS) & set(backgrounds.HELDOUT_KINDS) == {"photograph"}
    assert not set(words.TRAIN_WORDS) & set(words.HELDOUT_WORDS)


@pytest.mark.parametrize("split", SPLITS)
def test_signs_are_whole_unique_and_apart(split):
    for index in range(12):
        drawn = scene(split, index)
        width, height = drawn.picture.size
        assert 900 <= width <= 1280 and 1.19 <= width / height <= 1.61
        names = [(sign.color, sign.shape) for sign in drawn.signs]
        assert len(set(names)) == len(names)
        for sign in drawn.signs:
            left, top, right, bottom = sign.box
            assert 0 <= left < right <= width and 0 <= top < bottom <= height
            assert left <= sign.text_box[0] < sign.text_box[2] <= right
            assert top <= sign.text_box[1] < sign.text_box[3] <= bottom
            assert 1 <= len(sign.text) <= 6 and set(sign.text) <= set(words.CHARACTERS)
            assert len(sign.centers) == len(sign.text)
            assert all(left < x < right and top < y < bottom for x, y in sign.centers)
            assert not any(scenes._is_near(sign.box, other.box) for other in drawn.signs if other is not sign)


def test_texts_are_too_small_for_the_first_view():
    """By size: what is shown of a capital letter is seven pixels high at most, mostly four."""
    heights = []
    for index in range(20):
        drawn = scene("test", index)
        shown, _ = patches.smart_resize(drawn.picture.height, drawn.picture.width, patches.BUDGETS["image"])
        for sign in drawn.signs:
            heights.append(21 * shown / drawn.picture.height)
            assert sign.text_box[3] - sign.text_box[1] < 60
    assert max(heights) < LARGEST_CAPITAL_SEEN


def test_clips_show_signs_in_few_consecutive_frames():
    for index in range(4):
        drawn = clip("validation", index)
        width, height = drawn.frames[0].size
        assert len(drawn.frames) == clips.FRAMES
        for sign in drawn.signs:
            assert 1 <= len(sign.frames) <= 4
            assert list(sign.frames) == list(range(sign.frames[0], sign.frames[0] + len(sign.frames)))
            assert sign.frames[0] >= 1 and sign.frames[-1] <= clips.FRAMES
            for left, top, right, bottom in sign.boxes:
                assert 0 <= left < right <= width and 0 <= top < bottom <= height


def test_every_question_names_the_sign():
    for k in range(50):
        text = questions.question_about("red", "disc", random.Random(k))
        assert "red disc" in text and "{" not in text


def test_shades_of_two_names_never_meet():
    """Colours that share saturations and values are apart in hue."""
    vivid = sorted(
        (bounds[0][0], bounds[0][1]) for name, bounds in signs.SHADES.items() if name not in ("white", "black")
    )
    assert all(one[1] < two[0] for one, two in zip(vivid, vivid[1:], strict=False))
    assert vivid[-1][1] - 360 < vivid[0][0]
