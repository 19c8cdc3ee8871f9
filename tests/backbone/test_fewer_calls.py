"""A network in fewer calls says what the stock one says, of pictures of several sizes and of clips."""

from __future__ import annotations

import pytest

from tests.backbone.test_session import KINDS, picture


@pytest.mark.parametrize("kind", KINDS)
def test_the_tower_sees_what_the_stock_tower_sees_and_alike_pieces_in_one_call(random_model, kind, monkeypatch):
    import torch
    from transformers import AutoModelForImageTextToText

    from engine.backbone import fewer_calls
    from engine.backbone.loading import load_backbone
    from engine.backbone.seeing import Clip, encode_seen

    folder = random_model(kind)
    backbone = load_backbone(str(folder), quantization="none", dtype=torch.float32)
    stock = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval()
    frames = [picture(number, 160, 160) for number in range(4)]
    shown = [
        picture(5, 300, 90),
        *frames,
        picture(6, 90, 300),
        Clip(tuple(one.image for one in frames), frames[0].budget),
    ]
    pixels, grids = (torch.cat(parts) for parts in zip(*encode_seen(backbone, shown), strict=True))
    calls, attend = [], fewer_calls.scaled_dot_product_attention

    def counting(query, *others, **options):
        calls.append(len(query))
        return attend(query, *others, **options)

    monkeypatch.setattr(fewer_calls, "scaled_dot_product_attention", counting)
    seen, expected = [], []
    for network, made in ((backbone.model, seen), (stock, expected)):
        tower = network.model.visual
        leaf = pixels.clone().requires_grad_()
        output = tower(leaf, grid_thw=grids)
        made += [output.pooler_output, *(getattr(output, "deepstack_features", None) or ())]
        made.append(torch.autograd.grad(output.pooler_output.square().mean(), leaf)[0])
    for ours, theirs in zip(seen, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    assert len(calls) < sum(calls) / 2


def test_the_convolution_of_patches_side_by_side_is_that_of_each_alone_to_the_bit():
    import torch

    from engine.backbone.fewer_calls import _SideBySide

    torch.manual_seed(0)
    stock = torch.nn.Conv3d(3, 48, (2, 14, 14), (2, 14, 14))
    patches = torch.randn(37, 3, 2, 14, 14)
    for dtype in (torch.float32, torch.bfloat16):
        stock, patches = stock.to(dtype), patches.to(dtype)
        expected = stock(patches)
        stock.__class__ = _SideBySide
        seen = stock(patches)
        stock.__class__ = torch.nn.Conv3d
        assert seen.shape == expected.shape and seen.is_contiguous()
        torch.testing.assert_close(seen, expected, atol=0 if dtype == torch.bfloat16 else 1e-6, rtol=0)
