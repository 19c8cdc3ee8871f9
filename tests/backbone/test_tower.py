"""A picture is looked at once while something trains, and what is remembered is what the tower says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backbone.test_session import KINDS, picture

if TYPE_CHECKING:
    import torch

    from engine.backbone.loading import Backbone


@pytest.fixture(scope="module", params=KINDS)
def backbone(request, random_model) -> Backbone:
    import torch

    from engine.backbone.loading import load_backbone

    return load_backbone(str(random_model(request.param)), quantization="none", dtype=torch.float32)


@pytest.fixture
def looked(backbone, monkeypatch) -> list[int]:
    """Patches of every time the tower looks."""
    tower, counts = backbone.model.model.visual, []
    look = tower.forward

    def counting(pixels, grid_thw, **options):
        counts.append(len(pixels))
        return look(pixels, grid_thw=grid_thw, **options)

    monkeypatch.setattr(tower, "forward", counting)
    return counts


def batch(backbone: Backbone, *seeds: int) -> dict[str, torch.Tensor]:
    import torch

    from engine.backbone.session import Session

    session = Session(backbone)
    session.append_user([*(picture(seed, 110 * seed, 100) for seed in seeds), "What is written on the red disc?"])
    image_pad = backbone.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    return {
        "input_ids": session.ids,
        "attention_mask": torch.ones_like(session.ids),
        "mm_token_type_ids": (session.ids == image_pad).int(),
        "pixel_values": torch.cat(session.pixels),
        "image_grid_thw": torch.cat(session.grids),
    }


def logits(backbone: Backbone, of: dict[str, torch.Tensor]) -> torch.Tensor:
    import torch

    backbone.model.model.rope_deltas = None
    with torch.no_grad():
        return backbone.model(**of).logits[0].float()


def test_the_network_says_the_same_and_the_tower_looks_once(backbone, looked):
    import torch

    from engine.backbone.tower import remembered

    one, two = batch(backbone, 1, 2, 1), batch(backbone, 2, 3)
    stock = logits(backbone, one), logits(backbone, two)
    looked.clear()
    with remembered(backbone.model.model.visual):
        torch.testing.assert_close(logits(backbone, one), stock[0], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(logits(backbone, two), stock[1], atol=1e-4, rtol=1e-4)
        again = logits(backbone, one)
        torch.testing.assert_close(again, logits(backbone, one), atol=0, rtol=0)
    assert len(looked) == 3
    logits(backbone, one)
    assert len(looked) == 4  # as the stock tower does: all at once, every time


def test_what_was_longest_not_asked_for_is_forgotten_first(backbone, looked):
    from engine.backbone.tower import remembered

    one, two = batch(backbone, 1), batch(backbone, 2)
    with remembered(backbone.model.model.visual, most_bytes=1):
        for of in (one, one, two, one):
            logits(backbone, of)
    assert len(looked) == 3  # 1, then from memory, 2 in its place, 1 anew


def test_pictures_of_one_content_and_another_shape_are_two(backbone, looked):
    from engine.backbone.tower import remembered

    of = batch(backbone, 2)
    turned = of | {"image_grid_thw": of["image_grid_thw"][:, [0, 2, 1]]}
    assert of["image_grid_thw"].tolist() != turned["image_grid_thw"].tolist()
    with remembered(backbone.model.model.visual):
        logits(backbone, of)
        logits(backbone, turned)
    assert len(looked) == 2


def test_a_tower_that_learns_is_refused(backbone):
    from engine.backbone.tower import remembered

    tower = backbone.model.model.visual
    weight = next(tower.parameters())
    weight.requires_grad_(True)
    try:
        with pytest.raises(ValueError, match="cannot be remembered"), remembered(tower):
            pass
    finally:
        weight.requires_grad_(False)
