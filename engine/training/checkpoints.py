"""Checkpoints on disk: which of them are whole, and whether they belong to this run.

    <checkpoint folder>/checkpoint-<step>/
        adapter_model.safetensors   the adapter in fp32       optimizer.pt, scheduler.pt   their states
        trainer_state.json          the step                  complete.json                written last, atomically
        replay.pt                   RL only: the groups that are kept for replay

Invariants: a folder without complete.json was cut off by a kill and is never used; a checkpoint is only continued by a
run with the same configuration, the same traces or examples in the same order and the same backbone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.backbone.loading import Backbone
from engine.errors import Unavailable

__all__ = ["Fingerprint", "checkpoints", "is_base", "latest_checkpoint", "mark_complete"]

_COMPLETE = "complete.json"
_SAMPLED_VALUES = 65_536


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a run must share with a checkpoint to go on from it: SHA-256 of each part, as hexadecimal digits."""

    configuration: str
    examples: str
    backbone: str

    @classmethod
    def of(cls, backbone: Backbone, examples: Sequence[Any], configuration: Mapping[str, Any]) -> Fingerprint:
        """`examples` (what is trained on, in order) and `configuration` are plain JSON."""
        budgets = {role: [b.min_pixels, b.max_pixels] for role, b in backbone.budgets.items()}
        settings = {**configuration, "protocol": backbone.protocol_name, "budgets": budgets}
        weights = f"{backbone.quantization} {backbone.base_hash}"
        return cls(_sha256(settings), _sha256(list(examples)), _sha256(weights))

    def difference(self, other: Fingerprint) -> str | None:
        """What differs, for a sentence, or None."""
        names = {"configuration": "other settings", "examples": "other traces", "backbone": "another backbone"}
        return next((text for name, text in names.items() if getattr(self, name) != getattr(other, name)), None)


def is_base(base_hash: str, backbone: Backbone) -> bool:
    """Whether an adapter's record names these weights. Records made before hashes covered every value have a hash of some."""
    return base_hash == (backbone.base_hash if ":" in base_hash else _sampled_hash(backbone))


def _sampled_hash(backbone: Backbone) -> str:
    """SHA-256, as hexadecimal digits, over the parts that quantisation leaves alone (embeddings and norms, evenly sampled,
    as bf16)."""
    digest = hashlib.sha256()
    for name, value in sorted(backbone.model.named_parameters()):
        if "lora_" in name or not name.endswith("weight") or not ("norm" in name or "embed_tokens" in name):
            continue
        flat = value.detach().flatten()
        sample = flat[:: max(1, flat.numel() // _SAMPLED_VALUES)].to(torch.bfloat16).cpu().contiguous()
        digest.update(f"{name} {tuple(value.shape)} ".encode())
        digest.update(sample.view(torch.int16).numpy().tobytes())
    return digest.hexdigest()


def mark_complete(folder: Path, fingerprint: Fingerprint) -> None:
    """Declare a checkpoint whole; the last thing written to it."""
    parts = {name: getattr(fingerprint, name) for name in ("configuration", "examples", "backbone")}
    unfinished = folder / (_COMPLETE + ".part")
    unfinished.write_text(json.dumps(parts))
    os.replace(unfinished, folder / _COMPLETE)


def checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """(step, folder) of the whole checkpoints in `folder`, oldest first."""
    found = []
    for path in folder.glob("checkpoint-*") if folder.is_dir() else ():
        match = re.fullmatch(r"checkpoint-(\d+)", path.name)
        if match and (path / _COMPLETE).is_file():
            found.append((int(match[1]), path))
    return sorted(found)


def latest_checkpoint(folder: Path, fingerprint: Fingerprint) -> Path | None:
    """The newest whole checkpoint, or None where there is none. Raises Unavailable where it belongs to another run."""
    whole = checkpoints(folder)
    if not whole:
        return None
    step, path = whole[-1]
    difference = Fingerprint(**json.loads((path / _COMPLETE).read_text())).difference(fingerprint)
    if difference:
        raise Unavailable(f"the checkpoint of step {step} was made with {difference}; start a new job instead")
    return path


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
