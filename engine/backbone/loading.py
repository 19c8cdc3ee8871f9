"""Loading a vision-language model the way a 7B is loaded, whatever its size: processor, quantised weights, device.

The idea: `AutoProcessor` and `AutoModelForImageTextToText` with a bitsandbytes configuration; the embedded reasoner goes
the same way as a model of the Hub. What our studio needs to know beyond that (protocol, pixel budgets) stands in a
`studio.json` beside the weights; for models that have none the protocol is read from what they were published with
(`engine.protocols.choice`), and the budgets are those of docs/paper.md.

Invariants: every parameter of the backbone is frozen; on a CPU the bitsandbytes layers never repack themselves onto the
inference-only AVX512 kernel, which would leave later adapter training with wrong gradients (docs/libraries.md).

4 bit computes in bf16 where the hardware has it, in fp32 on other CPUs, in fp16 on older GPUs. Where a layer's size is no
multiple of the quantisation block, bitsandbytes pads it; the output head and the vision tower stay as they are in 8 bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, BitsAndBytesConfig
from transformers.utils import cached_file

from engine import embedded
from engine.backbone.adapters import Adapters
from engine.backbone.lease import Lease
from engine.errors import InvalidSetting, Unavailable
from engine.protocols import Choice, choose_protocol, protocol_named

__all__ = ["Backbone", "PixelBudget", "Quantization", "load_backbone", "resolve_model"]

Quantization = Literal["4bit", "8bit", "none"]


@dataclass(frozen=True, slots=True)
class PixelBudget:
    """Least and most pixels at which a picture is shown to the model (smart_resize keeps within them)."""

    min_pixels: int
    max_pixels: int


# docs/paper.md: originals at evaluation 401,408 to 4,014,080 pixels; the released code shows crops and selected frames at
# 256 to 5,120 visual tokens of 28 x 28 pixels; 16 frames share the context, so a frame gets 400 tokens at most.
PUBLISHED_BUDGETS: Mapping[str, PixelBudget] = {
    "image": PixelBudget(401_408, 4_014_080),
    "crop": PixelBudget(256 * 784, 5_120 * 784),
    "frame": PixelBudget(16 * 784, 400 * 784),
    "selected_frame": PixelBudget(256 * 784, 5_120 * 784),
}


@dataclass(frozen=True, slots=True)
class Backbone:
    """Loaded weights and everything that guards them. `budgets` maps a picture's role to its pixel budget;
    `protocol_reason` says why this wire format, as the end of a sentence."""

    name: str
    model: Any
    processor: Any
    device: torch.device
    quantization: Quantization
    protocol_name: str
    protocol_reason: str
    budgets: Mapping[str, PixelBudget]
    adapters: Adapters
    lease: Lease = field(default_factory=Lease)

    @property
    def tokenizer(self) -> Any:
        return self.processor.tokenizer

    def footprint_bytes(self) -> int:
        return self.model.get_memory_footprint()


def resolve_model(model: str) -> tuple[str, str]:
    """(name, path or Hub id) of STUDIO_MODEL. Raises InvalidSetting where a path leads nowhere."""
    if model == embedded.NAME:
        return embedded.NAME, str(embedded.weights_folder())
    path = Path(model).expanduser()
    if path.exists():
        if not (path / "config.json").is_file():
            raise InvalidSetting(f"STUDIO_MODEL={model!r} is no model folder: it holds no config.json")
        return path.resolve().name, str(path)
    if model.startswith((".", "/", "~")):
        raise InvalidSetting(f"STUDIO_MODEL={model!r}: there is no such folder")
    return model, model


def load_backbone(
    model: str = "tiny",
    quantization: str = "auto",
    device: str = "auto",
    protocol: str = "auto",
    dtype: torch.dtype | None = None,
) -> Backbone:
    """Load `model` (see STUDIO_MODEL). `dtype` is the computation type, by default the fastest that is safe.

    Raises InvalidSetting for an impossible combination or a model whose wire format nothing tells, and Unavailable where
    weights or a device cannot be had.
    """
    name, source = resolve_model(model)
    target = _device(device)
    chosen: Quantization = "4bit" if quantization == "auto" else quantization  # type: ignore[assignment]
    compute = dtype or _compute_type(target)
    card = _studio_card(source)
    try:
        processor = AutoProcessor.from_pretrained(source)
        speaks = _choice(name, source, protocol, card, processor)
        network = AutoModelForImageTextToText.from_pretrained(
            source,
            dtype=compute,
            device_map={"": str(target)},
            quantization_config=_quantization_config(chosen, compute),
            attn_implementation="sdpa",
        )
    except OSError as error:
        raise Unavailable(
            f"the model {model!r} cannot be loaded: {str(error).splitlines()[0]} "
            "Give a folder with weights, a model id that this machine can download, or `tiny`."
        ) from error
    network.requires_grad_(False)
    network.eval()
    _keep_trainable(network)
    budgets = {
        role: PixelBudget(**budget) for role, budget in card.get("pixel_budgets", {}).items()
    } or PUBLISHED_BUDGETS
    return Backbone(
        name=name,
        model=network,
        processor=processor,
        device=target,
        quantization=chosen,
        protocol_name=speaks.protocol,
        protocol_reason=speaks.reason,
        budgets=budgets,
        adapters=Adapters(network, name),
    )


def _choice(name: str, source: str, protocol: str, card: Mapping[str, Any], processor: Any) -> Choice:
    """The wire format that was asked for, or the one that the model's own files name. Raises InvalidSetting."""
    if protocol != "auto":
        return Choice(protocol_named(protocol).NAME, "it was asked for")
    if "protocol" in card:
        return Choice(protocol_named(card["protocol"]).NAME, "its studio.json says so")
    # As it was published: transformers puts the path on this disk into `_name_or_path`.
    configuration = json.loads(_published(source, "config.json") or "{}")
    template = getattr(processor, "chat_template", None)
    template = template if isinstance(template, str) else ""
    return choose_protocol(name, configuration, template, _published(source, "README.md"))


def _published(source: str, file: str) -> str:
    """The text of a file that was published with the weights, "" where there is none."""
    path = cached_file(
        source,
        file,
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return Path(path).read_text(encoding="utf-8", errors="replace") if path else ""


def _studio_card(source: str) -> dict[str, Any]:
    path = Path(source) / "studio.json"
    return json.loads(path.read_text()) if path.is_file() else {}


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
        # "visual" would skip nothing: the module's path is model.visual (docs/libraries.md).
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=["model.visual", "lm_head"])
    return BitsAndBytesConfig(
        load_in_4bit=True,
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
