"""Weights that were unpacked once give what bitsandbytes gives, bit for bit, and are gone afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backbone.test_session import KINDS
from tests.backbone.test_tower import batch, logits

if TYPE_CHECKING:
    import torch

    from engine.backbone.loading import Backbone


@pytest.fixture(scope="module", params=[(kind, dtype) for kind in KINDS for dtype in ("float32", "bfloat16")])
def backbone(request, random_model) -> Backbone:
    import torch

    from engine.backbone.loading import load_backbone

    kind, dtype = request.param
    return load_backbone(str(random_model(kind)), quantization="4bit", device="cpu", dtype=getattr(torch, dtype))


@pytest.fixture
def multiplied(monkeypatch) -> list[str]:
    """A word for every time that bitsandbytes multiplies by packed weights."""
    from bitsandbytes.nn import Linear4bit

    words: list[str] = []
    multiply = Linear4bit.forward

    def counting(layer, x):
        words.append("packed")
        return multiply(layer, x)

    monkeypatch.setattr(Linear4bit, "forward", counting)
    return words


def test_the_network_says_the_same_and_nothing_is_unpacked_again(backbone, multiplied):
    from bitsandbytes.nn import Linear4bit

    from engine.backbone.unpacked import unpacked

    of = batch(backbone, 1, 2)
    stock = logits(backbone, of)
    assert multiplied
    multiplied.clear()
    with unpacked(backbone.model):
        assert logits(backbone, of).equal(stock)
        assert not multiplied
    assert logits(backbone, of).equal(stock)
    assert multiplied
    assert not any("forward" in vars(layer) for layer in backbone.model.modules() if isinstance(layer, Linear4bit))


def test_an_adapter_learns_the_same(backbone):
    import torch

    from engine.backbone.adapters import lora_config
    from engine.backbone.unpacked import unpacked

    of = batch(backbone, 3)

    def gradients() -> dict[str, torch.Tensor]:
        backbone.model.model.rope_deltas = None
        with backbone.lease.held():
            torch.manual_seed(0)
            network = backbone.adapters.start_training(lora_config(4, 8))
            try:
                for name, value in network.named_parameters():
                    if "lora_B" in name:  # zero at first, which would leave nothing to compare
                        torch.nn.init.normal_(value.data, std=0.02)
                network(**of).logits.float().square().mean().backward()
                return {name: value.grad for name, value in network.named_parameters() if value.grad is not None}
            finally:
                backbone.adapters.drop_training()

    stock = gradients()
    with unpacked(backbone.model):
        ours = gradients()
    assert stock.keys() == ours.keys() and len(stock) > 10
    assert any(value.abs().max() > 0 for value in stock.values())
    assert all(stock[name].equal(ours[name]) for name in stock)


def test_what_would_take_too_much_stays_packed(backbone, multiplied):
    from engine.backbone.unpacked import unpacked

    with unpacked(backbone.model, most_bytes=1000):
        logits(backbone, batch(backbone, 1))
    assert multiplied


def test_whoever_unpacks_a_second_time_leaves_the_first_alone(backbone, multiplied):
    from engine.backbone.unpacked import unpacked

    with unpacked(backbone.model):
        with unpacked(backbone.model):
            pass
        logits(backbone, batch(backbone, 1))
    assert not multiplied


def test_weights_that_are_not_packed_are_left_alone(random_model):
    import torch

    from engine.backbone.loading import load_backbone
    from engine.backbone.unpacked import unpacked

    backbone = load_backbone(str(random_model(KINDS[0])), quantization="none", dtype=torch.float32)

    def replaced():
        return [name for name, layer in backbone.model.named_modules() if "forward" in vars(layer)]

    before = replaced()
    with unpacked(backbone.model):
        assert replaced() == before
