"""Teaching number plates: what is drawn, what a person corrects, and the bench at a size that proves its way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.lab.world.plates import PHRASINGS, draw_plate_scene
from engine.lab.world.scenes import SEEDS, seed_for


@settings(max_examples=10)
@given(index=st.integers(0, 10**6), split=st.sampled_from(sorted(SEEDS)))
def test_a_plate_lies_in_the_picture_and_is_the_same_from_the_same_seed(index: int, split: str):
    scene = draw_plate_scene(seed_for(split, index), split)
    if scene is None:
        return
    left, top, right, bottom = scene.box
    assert 0 <= left < right <= scene.picture.width and 0 <= top < bottom <= scene.picture.height
    assert (right - left) > 3 * (bottom - top)
    assert scene.text[-3:].isdigit() and scene.text[:-3].isalpha()
    assert scene.question in PHRASINGS
    again = draw_plate_scene(seed_for(split, index), split)
    assert again is not None and again.picture.tobytes() == scene.picture.tobytes()


@pytest.fixture(scope="module")
def found():
    """Three traces and two steps: the way, not the gain."""
    from engine.backbone.loading import load_backbone
    from engine.embedded import weights_folder
    from engine.lab.bench import teaching
    from engine.training.sft_config import SftConfig

    return teaching.measure(
        load_backbone(str(weights_folder())), 3, 2, SftConfig(steps=2), practised=2, seed=6, progress=lambda line: None
    )


def test_the_bench_teaches_and_measures_both_kinds_on_the_same_examples(found):
    assert list(found)[-3:] == ["before", "after", "lost_points"]
    assert found["mini-plates"]["n"] == found["mini-signs"]["n"] == 2
    assert found["before"] == found["mini-plates"]["before"]
    assert found["lost_points"] == round(found["mini-signs"]["before"] - found["mini-signs"]["after"], 1)
    assert found["sft"]["steps"] == 2 and (found["taught"], found["practised"]) == (3, 2)
