"""Loading a vision-language model the way a 7B is loaded, whatever its size: processor, quantised weights, device.

The idea: what can be refused is refused from small files first (`engine.backbone.published`); then transformers makes the
network with a bitsandbytes configuration from weights that are read piece by piece (`engine.backbone.weights`). The embedded
reasoner goes the same way as a model of the Hub. What our studio needs to know beyond that (protocol, pixel budgets) stands
in a `studio.json` beside the weights; for models that have none the protocol is read from what they were published with
(`engine.protocols.choice`), and the budgets are those of docs/paper.md.

Invariants: every parameter of the backbone is frozen; the vision tower and the output head are never quantised; on a CPU the
bitsandbytes layers never repack themselves onto the inference-only AVX512 kernel, which would leave later adapter training
with wrong gradients (docs/libraries.md).

4 bit computes in bf16 where the hardware has it, in fp32 on other CPUs, in fp16 on older GPUs. Where a layer's size is no
multiple of the quantisation block, bitsandbytes pads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor, BitsAndBytesConfig, GenerationConfig

from engine.backbone.adapters import Adapters
from engine.backbone.fewer_calls import spare_calls
from engine.backbone.lease import Lease
from engine.backbone.memory import shortage
from engine.backbone.published import Published, fetch_weights, find_model, objection, protocol_of
from engine.backbone.tower_apart import TowerApart
from engine.backbone.weights import Weights
from engine.errors import InvalidSetting, Unavailable
from engine.protocols.budgets import PUBLISHED_BUDGETS, PixelBudget

__all__ = ["Backbone", "PixelBudget", "Quantization", "load_backbone"]

Quantization = Literal["4bit", "8bit", "none"]
_UNQUANTIZED = ["model.visual", "model.vision_tower", "model.vision_model", "model.multi_modal_projector", "lm_head"]
"""Modules that stay as they are in 4 and in 8 bit, by their paths ("visual" alone would skip nothing)."""


@dataclass(frozen=True, slots=True)
class Backbone:
    """Loaded weights and everything that guards them. `budgets` maps a picture's role to its pixel budget;
    `protocol_reason` says why this wire format, as the end of a sentence; `base_hash` names the weights as they lay on the
    disk, every value of them (`engine.backbone.weights`)."""

    name: str
    model: Any
    processor: Any
    device: torch.device
    quantization: Quantization
    protocol_name: str
    protocol_reason: str
    budgets: Mapping[str, PixelBudget]
    adapters: Adapters
    base_hash: str
    lease: Lease = field(default_factory=Lease)
    tower_apart: TowerApart | None = None

    @property
    def tokenizer(self) -> Any:
        return self.processor.tokenizer


def load_backbone(
    model: str = "tiny",
    quantization: str = "auto",
    device: str = "auto",
    protocol: str = "auto",
    dtype: torch.dtype | None = None,
    on_loading: Callable[[str, float | None], None] = lambda text, share: None,
) -> Backbone:
    """Load `model` (see STUDIO_MODEL). `dtype` is the computation type, by default the fastest that is safe; `on_loading` hears
    what is being done and the share of it in [0, 1], None where it cannot be told.

    Raises InvalidSetting for an impossible combination or a model whose wire format nothing tells, and Unavailable where
    weights, memory or a device cannot be had.
    """
    target = _device(device)
    chosen: Quantization = "4bit" if quantization == "auto" else quantization  # type: ignore[assignment]
    compute = dtype or _compute_type(target)
    on_loading("looking it up", None)
    published = find_model(model)
    speaks = protocol_of(published, protocol)
    if problem := objection(published):
        raise Unavailable(problem)
    published = fetch_weights(published, lambda done, total: on_loading("downloading", done / total if total else None))
    if problem := shortage(published.name, published.weight_files, chosen, compute, target):
        raise Unavailable(problem)
    try:
        processor = AutoProcessor.from_pretrained(published.folder)
        weights = Weights(published.weight_files, lambda share: on_loading("reading weights", share))
        network = _network(published, weights, target, chosen, compute)
        base_hash = weights.hash()
    except (OSError, ValueError, SafetensorError) as error:
        raise Unavailable(f"the model {model!r} cannot be loaded: {str(error).splitlines()[0]}") from error
    network.requires_grad_(False)
    network.eval()
    _keep_trainable(network)
    budgets = {
        role: PixelBudget(**budget) for role, budget in published.studio_card.get("pixel_budgets", {}).items()
    } or PUBLISHED_BUDGETS
    return Backbone(
        name=published.name,
        model=network,
        processor=processor,
        device=target,
        quantization=chosen,
        protocol_name=speaks.protocol,
        protocol_reason=speaks.reason,
        budgets=budgets,
        adapters=Adapters(network, published.name),
        base_hash=base_hash,
    )


def _network(
    published: Published, weights: Weights, device: torch.device, quantization: Quantization, compute: torch.dtype
) -> Any:
    # From a table of tensors transformers reads neither the configuration nor the generation settings by itself.
    configuration = AutoConfig.from_pretrained(published.folder)
    kind: Any = AutoModelForImageTextToText._model_mapping[type(configuration)]
    network = kind.from_pretrained(
        None,
        config=configuration,
        state_dict=weights,
        dtype=compute,
        device_map={"": str(device)},
        quantization_config=_quantization_config(quantization, compute),
        attn_implementation="sdpa",
    )
    spare_calls(network)
    network.config._name_or_path = published.name
    if (published.folder / "generation_config.json").is_file():
        network.generation_config = GenerationConfig.from_pretrained(published.folder)
    return network


def _device(device: str) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        target = torch.device(device)
    except RuntimeError:
        raise InvalidSetting(f"STUDIO_DEVICE={device!r} is no device; use auto, cpu, cuda or cuda:N") from None
    if target.type == "cuda" and not torch.cuda.is_available():
        raise Unavailable(f"STUDIO_DEVICE={device!r}: this machine has no CUDA device; use auto or cpu")
    return target


def _compute_type(device: torch.device) -> torch.dtype:
    """bf16 where the hardware multiplies it; a processor that only emulates it is slower than in fp32 (measured on the
    embedded reasoner: 0.52 s against 0.36 s an answer). GPUs before Ampere take fp16."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    has_bf16 = (
        getattr(torch.cpu, "_is_avx512_bf16_supported", bool)() or getattr(torch.cpu, "_is_amx_tile_supported", bool)()
    )
    return torch.bfloat16 if has_bf16 else torch.float32


def _quantization_config(quantization: Quantization, compute: torch.dtype) -> BitsAndBytesConfig | None:
    if quantization == "none":
        return None
    if quantization == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=_UNQUANTIZED)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        llm_int8_skip_modules=_UNQUANTIZED,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


def _keep_trainable(network: torch.nn.Module) -> None:
    """Keep 4-bit layers on the kernel that has gradients; see the module docstring."""
    layer: Any
    for layer in network.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False
