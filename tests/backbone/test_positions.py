"""Rotary positions: of pictures as the stock model derives them, of clips as the model was trained."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

# A sequence: three words, a clip of 2 temporal patches of 2 x 3 tokens, two words, a picture of 1 x 2 tokens, one word.
# Made with transformers 4.57.1 (python -m tests.peers.positions), seconds of a temporal patch 1.0, tokens_per_second 2.
PUBLISHED = [
    [0, 1, 2, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5, 5, 6, 7, 8, 8, 10],
    [0, 1, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4, 6, 7, 8, 8, 10],
    [0, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5, 3, 4, 5, 6, 7, 8, 9, 10],
]
SEEN = [0, 0, 0, *[1] * 12, 0, 0, 1, 1, 0]


def test_a_clip_stands_as_in_training():
    import torch

    from engine.backbone.positions import rope_positions, row_positions

    grids = [torch.tensor([[2, 4, 6]]), torch.tensor([[1, 2, 4]])]
    positions, delta = rope_positions(torch.tensor(SEEN), grids, merge=2, interval=2)
    assert positions.tolist() == PUBLISHED
    assert delta == 11 - len(SEEN)
    padded = torch.tensor([[0, *SEEN], [*SEEN, 0]])
    mask = torch.tensor([[0] + [1] * len(SEEN), [1] * len(SEEN) + [0]])
    rows = row_positions(padded, mask, torch.cat(grids * 2), [2, 2], merge=2, interval=2)
    assert rows[:, 0, 1:].tolist() == rows[:, 1, :-1].tolist() == PUBLISHED


def test_a_grid_fits_its_placeholders():
    import torch

    from engine.backbone.positions import rope_positions

    with pytest.raises(ValueError, match="a grid of 2 tokens does not fit 1 placeholders"):
        rope_positions(torch.tensor([0, 1, 0]), [torch.tensor([[1, 2, 4]])], merge=2)


@pytest.fixture(scope="module")
def rope_index(random_model):
    from engine.backbone.loading import load_backbone

    return load_backbone(str(random_model("qwen2_5_vl")), "none", "cpu", "studio").model.model.get_rope_index


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=4))
def test_pictures_stand_where_the_stock_model_puts_them(rope_index, pictures):
    import torch

    from engine.backbone.positions import rope_positions

    seen: list[int] = []
    for words, rows, columns in pictures:
        seen += [*[0] * (words + 1), *[1] * (rows * columns)]
    grids = torch.tensor([[1, 2 * rows, 2 * columns] for _, rows, columns in pictures])
    stock, delta = rope_index(torch.zeros((1, len(seen))).long(), torch.tensor([seen]), image_grid_thw=grids)
    assert rope_positions(torch.tensor(seen), grids, merge=2) == (pytest.approx(stock[:, 0]), int(delta))
