"""The lean layer against PEFT's own: what comes out and the gradients, and that all else is left to PEFT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import torch
    from peft.tuners.lora import Linear


def layers(is_lean: bool, **settings: float | bool) -> tuple[torch.nn.Module, Linear]:
    import torch
    from peft import LoraConfig, get_peft_model
    from peft.tuners.lora import Linear

    from engine.backbone.lean_lora import LeanLora, made_lean

    torch.manual_seed(3)
    network = torch.nn.Sequential(torch.nn.Linear(5, 7, bias=False))
    config = LoraConfig(r=2, lora_alpha=6, target_modules=["0"], init_lora_weights=False, **settings)
    peft = get_peft_model(network, made_lean(config, network) if is_lean else config)  # type: ignore[arg-type]
    layer = peft.base_model.model[0]
    assert isinstance(layer, Linear) and isinstance(layer, LeanLora) == is_lean
    return peft, layer


@pytest.mark.parametrize("is_first", [True, False])
def test_results_and_gradients_are_pefts(is_first: bool) -> None:
    import torch

    found = []
    for is_lean in (True, False):
        peft, layer = layers(is_lean)
        torch.manual_seed(4)
        x = torch.randn(2, 3, 5, requires_grad=not is_first)
        y = layer(x)
        (y * torch.arange(7)).sum().backward()
        learned = [value.grad for value in peft.parameters() if value.requires_grad]
        assert y.shape == (2, 3, 7) and len(learned) == 2 and all(one is not None and one.any() for one in learned)
        found.append([y.detach(), *learned, *([] if is_first else [x.grad])])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_one_worked_by_hand() -> None:
    """x = (1, 2), W = 0, A = (3, 1), B = (2), s = 4 / 1: 4 * 5 * 2 = 40."""
    import torch
    from peft import LoraConfig, get_peft_model

    from engine.backbone.lean_lora import made_lean

    network = torch.nn.Sequential(torch.nn.Linear(2, 1, bias=False))
    config = made_lean(LoraConfig(r=1, lora_alpha=4, target_modules=["0"]), network)
    layer = get_peft_model(network, config).base_model.model[0]  # type: ignore[arg-type]
    with torch.no_grad():
        layer.get_base_layer().weight.zero_()
        layer.lora_A["default"].weight.copy_(torch.tensor([[3.0, 1.0]]))
        layer.lora_B["default"].weight.copy_(torch.tensor([[2.0]]))
    assert layer(torch.tensor([1.0, 2.0])).tolist() == [40.0]


@pytest.mark.parametrize("settings", [{"lora_dropout": 0.5}, {"use_dora": True}, {"lora_bias": True}])
def test_what_it_does_not_know_is_left_to_peft(settings: dict[str, float | bool]) -> None:
    import torch

    found = []
    for is_lean in (True, False):
        _, layer = layers(is_lean, **settings)
        torch.manual_seed(4)
        found.append(layer(torch.ones(1, 5)))
    assert torch.equal(*found)


def test_disabled_merged_and_two_adapters_are_left_to_peft() -> None:
    import torch
    from peft import LoraConfig

    peft, layer = layers(True)
    x = torch.ones(1, 5)
    with_one = layer(x)
    with peft.disable_adapter():  # type: ignore[operator]
        assert torch.equal(layer(x), layer.get_base_layer()(x))
    layer.merge()
    torch.testing.assert_close(layer(x), with_one, rtol=1e-5, atol=1e-5)
    layer.unmerge()
    peft.add_adapter("other", LoraConfig(r=2, lora_alpha=6, target_modules=["0"], init_lora_weights=False))  # type: ignore[operator]
    layer.set_adapter(["default", "other"])
    both = layer(x)
    layer.set_adapter("other")
    torch.testing.assert_close(both, with_one + layer(x) - layer.get_base_layer()(x), rtol=1e-5, atol=1e-5)


def test_half_precision_is_rounded_once() -> None:
    """Within a last place of bfloat16 of the sum in fp32, and no further from it than PEFT's."""
    import torch

    found = []
    for is_lean in (True, False):
        _, layer = layers(is_lean)
        layer.get_base_layer().bfloat16()
        x = torch.linspace(-1, 1, 40).view(8, 5).bfloat16()
        found.append(layer(x))
    product = layer.lora_B["default"](layer.lora_A["default"](x.float())) * 3
    exact = layer.get_base_layer()(x).float() + product
    off = [(one.float() - exact).abs().max().item() for one in found]
    assert found[0].dtype == torch.bfloat16 and off[0] <= exact.abs().max().item() / 256 and off[0] <= off[1]


def test_other_kinds_of_layers_keep_pefts() -> None:
    import torch
    from peft import LoraConfig

    from engine.backbone.lean_lora import made_lean

    class Quantised(torch.nn.Linear):
        pass

    network = torch.nn.Sequential(torch.nn.Linear(5, 7), Quantised(7, 7))
    assert made_lean(LoraConfig(), network)._custom_modules is None
