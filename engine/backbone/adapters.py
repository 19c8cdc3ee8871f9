"""Adapters on one frozen backbone: `live` answers, `default` trains (PEFT LoRA; names fixed by TRL, docs/libraries.md).

The idea: both live side by side in the same modules; who holds the lease chooses which one acts. Publishing copies the
trained weights to `live`, in memory or from disk.

Invariants: nothing here takes the lease, every method must be called by its holder; `version` grows with every change of
what `live` computes, so that a conversation can tell that its key-value cache is stale; without a live adapter the bare
backbone answers. `training_version` grows whenever the training adapter is about to change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from peft.utils.save_and_load import load_peft_weights

__all__ = ["LIVE", "TRAINING", "Adapters", "lora_config"]

LIVE = "live"
TRAINING = "default"

_TARGETS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


def lora_config(rank: int = 16, alpha: int = 32, dropout: float = 0.0) -> LoraConfig:
    """LoRA on every linear layer of the language model; the vision tower stays as it is."""
    return LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=_TARGETS, task_type="CAUSAL_LM", bias="none"
    )


@dataclass(slots=True)
class Adapters:
    """The adapters of one network. `live_name` is a person's name for what answers now, None for the bare backbone."""

    network: torch.nn.Module
    peft: PeftModel | None = None
    live_name: str | None = None
    version: int = 0
    training_version: int = 0

    @contextmanager
    def answering(self) -> Iterator[Any]:
        """The network as it answers now: with `live`, or bare. Inference mode; the training adapter is untouched."""
        self.network.eval()
        if self.peft is None:
            yield self.network
            return
        if self.live_name is not None:
            self.peft.set_adapter(LIVE, inference_mode=True)
            yield self.network
            return
        with self.peft.disable_adapter():
            yield self.network

    @contextmanager
    def answering_with_training(self) -> Iterator[Any]:
        """The network with the adapter that is being trained, in inference mode: rollouts and before/after scores."""
        if self.peft is None or TRAINING not in self.peft.peft_config:
            raise RuntimeError("there is no adapter in training")
        self.network.eval()
        self.peft.set_adapter(TRAINING, inference_mode=True)
        yield self.network

    def start_training(self, config: LoraConfig) -> PeftModel:
        """A fresh training adapter; one that was there is dropped. Returns the PEFT model for a trainer."""
        self.drop_training()
        if self.peft is None:
            self.peft = get_peft_model(self.network, config, adapter_name=TRAINING)  # type: ignore[arg-type, assignment]
        else:
            self.peft.add_adapter(TRAINING, config)
        self.resume_training()
        return self.peft  # type: ignore[return-value]

    def resume_training(self) -> None:
        """Make the training adapter act, with gradients."""
        if self.peft is None:
            raise RuntimeError("there is no adapter in training")
        self.peft.set_adapter(TRAINING)
        self.training_version += 1

    def drop_training(self) -> None:
        if self.peft is not None and TRAINING in self.peft.peft_config:
            self._delete(TRAINING)

    def save_training(self, folder: Path) -> None:
        """Write the training adapter as PEFT files (adapter_config.json, adapter_model.safetensors) into `folder`."""
        if self.peft is None:
            raise RuntimeError("there is no adapter in training")
        folder.mkdir(parents=True, exist_ok=True)
        self.peft.save_pretrained(str(folder), selected_adapters=[TRAINING])

    def promote(self, folder: Path, name: str) -> None:
        """Let the adapter saved in `folder` answer from the next turn on."""
        config = LoraConfig.from_pretrained(str(folder))
        config.inference_mode = True
        if self.peft is None:
            self.peft = get_peft_model(self.network, config, adapter_name=LIVE)  # type: ignore[arg-type, assignment]
        else:
            if LIVE in self.peft.peft_config:
                self._delete(LIVE)
            self.peft.add_adapter(LIVE, config)
        set_peft_model_state_dict(self.peft, load_peft_weights(str(folder), device="cpu"), adapter_name=LIVE)
        self.live_name = name
        self.version += 1

    def demote(self) -> None:
        """Let the bare backbone answer again."""
        if self.peft is not None and LIVE in self.peft.peft_config:
            self._delete(LIVE)
        self.live_name = None
        self.version += 1

    def training_state(self) -> dict[str, torch.Tensor]:
        """The training adapter's weights by name, for tests and checkpoints."""
        if self.peft is None:
            raise RuntimeError("there is no adapter in training")
        return get_peft_model_state_dict(self.peft, adapter_name=TRAINING)

    def _delete(self, name: str) -> None:
        """PEFT wants another adapter to be active when one goes; the last one goes with the whole wrapper."""
        assert self.peft is not None
        if len(self.peft.peft_config) == 1:
            self.network = self.peft.unload()
            self.peft = None
            return
        other = next(n for n in self.peft.peft_config if n != name)
        self.peft.set_adapter(other)
        self.peft.delete_adapter(name)
