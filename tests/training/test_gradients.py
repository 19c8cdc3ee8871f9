"""Gradients through the 4-bit backbone agree with those through the same weights dequantised.

On AVX512-BF16 machines bitsandbytes repacks a layer in its first evaluation pass onto a kernel without gradients; after
that Qwen3-VL would train silently with wrong ones. So the passes here are: answer first, then train.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .test_sft import answer_logits

if TYPE_CHECKING:
    import torch


def dequantise(network) -> int:
    """Replace every 4-bit layer by a plain one, in the type that it computes in, with the very weights it stands for."""
    import bitsandbytes
    import torch
    from bitsandbytes.functional import dequantize_4bit

    layers = [
        (name, module) for name, module in network.named_modules() if isinstance(module, bitsandbytes.nn.Linear4bit)
    ]
    for name, module in layers:
        dtype = module.compute_dtype  # bf16, or fp32 on a processor that only emulates it
        weight = dequantize_4bit(module.weight.data, module.weight.quant_state).to(dtype)
        plain = torch.nn.Linear(module.in_features, module.out_features, module.bias is not None, dtype=dtype)
        plain.weight.data = weight
        if module.bias is not None:
            plain.bias.data = module.bias.data.to(dtype)
        parent, _, leaf = name.rpartition(".")
        setattr(network.get_submodule(parent), leaf, plain.requires_grad_(False))
    network.is_loaded_in_4bit = False
    return len(layers)


def gradients(backbone, batch) -> dict[str, torch.Tensor]:
    from engine.backbone.adapters import lora_config
    from engine.training.footprints import seeded

    with seeded(1):
        peft = backbone.adapters.start_training(lora_config(rank=4))
        for name, value in peft.named_parameters():
            if "lora_B" in name:  # zero at the start, which would leave lora_A without gradients
                value.data.normal_(std=0.02)
    peft.train()
    backbone.model(**batch).loss.backward()
    return {name: value.grad.clone() for name, value in peft.named_parameters() if value.requires_grad}


@pytest.mark.parametrize("kind", ["qwen3_vl", "qwen2_5_vl"])
def test_4_bit_gradients_agree_with_dequantised_weights(kind, fresh_backbone, examples, pictures, load_pictures):
    from engine.training.dataset import Collator

    quantised, plain = fresh_backbone(kind), fresh_backbone(kind)
    assert dequantise(plain.model) > 10
    batch = Collator(examples, quantised, load_pictures, 4096)([{"example": 0}, {"example": 1}])
    answer_logits(quantised, pictures)
    expected, got = gradients(plain, batch), gradients(quantised, batch)
    assert expected.keys() == got.keys()
    assert all(value.abs().max() > 0 for value in expected.values())
    error = sum(((expected[name] - got[name]) ** 2).sum() for name in expected)
    size = sum((value**2).sum() for value in expected.values())
    assert (error / size).sqrt() < 0.02
