"""What must be the same for a study to be gone on with: sizes, base, device, sources, and the libraries' versions.

Invariant: the same weights in another folder are the same base; nothing here names a place of one machine. Not covered: the
studio's own code, which may be mended between two sessions; a report names the versions of the libraries only.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.backbone.published import find_model
from engine.lab.study.plan import SOURCES, Sizes
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.backbone.loading import Backbone

__all__ = ["identity_of", "machine", "model_hash"]

_LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets", "pillow", "av")
_WEIGHTS = (".safetensors", ".bin", ".json", ".jinja", ".txt")
_RECORDS = {"evaluation.json"}
"""Files beside the weights that say something of them and change nothing."""


def identity_of(
    sizes: Sizes, settings: Settings, purposes: Sequence[str] = ("trajectories", "practice", "test")
) -> dict[str, Any]:
    """Plain JSON; `purposes` are what it draws examples for (keys of SOURCES). Raises InvalidSetting where the model's path
    leads nowhere."""
    return {
        "version": 1,
        "sizes": sizes.as_json(),
        "sources": {purpose: dataclasses.asdict(SOURCES[purpose]) for purpose in purposes},
        "base": {
            "hash": model_hash(settings.model),
            "quantization": settings.quantization,
            "device": settings.device,
            "protocol": settings.protocol,
        },
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in _LIBRARIES},
    }


def model_hash(model: str) -> str:
    """SHA-256, as hexadecimal digits, over the names and contents of a model folder's files; of a model of the Hub, its
    id, since its files are not here yet."""
    published, digest = find_model(model), hashlib.sha256()
    if published.hub_id is not None:
        digest.update(published.name.encode())
    for path in sorted(published.folder.iterdir()) if published.hub_id is None else ():
        if path.is_file() and path.suffix in _WEIGHTS and path.name not in _RECORDS:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.name} {content}\n".encode())
    return digest.hexdigest()


def machine(backbone: Backbone, cores: int) -> dict[str, Any]:
    """What a part ran on, in words that name no particular machine."""
    import torch

    is_cuda = backbone.device.type == "cuda"
    return {
        "processor": _processor(),
        "cores": cores,
        "device": torch.cuda.get_device_name(backbone.device) if is_cuda else backbone.device.type,
        "quantization": backbone.quantization,
        "computation": str(backbone.model.dtype).removeprefix("torch."),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(found, platform.machine())


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
