"""Pictures as patches: alone and beside others, in any order of sizes and budgets."""

from __future__ import annotations

import pytest

from tests.backbone.test_session import KINDS, picture


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_the_same_alone_and_beside_others(kind, random_model):
    import torch

    from engine.backbone.loading import PixelBudget, load_backbone
    from engine.backbone.seeing import Clip, Picture, encode_seen

    backbone = load_backbone(str(random_model(kind)), quantization="none", dtype=torch.float32)
    wide, tall, sliver = picture(1), picture(2, 120, 260), picture(3, 6000, 20)
    smaller = Picture(wide.image, PixelBudget(4 * 784, 8 * 784))
    clip = Clip(tuple(picture(seed).image for seed in (4, 5, 6)), wide.budget)
    shown = [wide, tall, picture(7), clip, sliver, smaller, picture(8)]
    together = encode_seen(backbone, shown)
    alone = [encoded for one in shown for encoded in encode_seen(backbone, [one])]
    assert len(together) == len(shown)
    for (pixels, grid), (its_pixels, its_grid) in zip(together, alone, strict=True):
        assert torch.equal(pixels, its_pixels)
        assert torch.equal(grid, its_grid)
