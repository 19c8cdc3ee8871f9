"""Adapters on one frozen backbone: one answers, one trains (PEFT LoRA; the latter is named by TRL, docs/libraries.md).

The idea: they live side by side in the same modules, and who holds the lease chooses which one acts. What is to answer is
read, checked and tried beside what answers; then they change places, which is two names in memory.

Invariants: nothing here takes the lease, every method must be called by its holder; `version` grows with every change of
what answers, so that a conversation can tell that its key-value cache is stale; without a live adapter the bare
backbone answers. `training_version` grows whenever the training adapter is about to change. Weights come from a file all
or not at all: a tensor that is lacking, foreign, of another shape or not finite is refused.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.backbone.lean_lora import made_lean
from engine.errors import Unavailable

__all__ = [
    "TRAINING",
    "WEIGHTS",
    "AdapterFiles",
    "Adapters",
    "Beside",
    "load_adapter",
    "lora_config",
    "take_weights",
]

TRAINING = "default"
WEIGHTS = "adapter_model.safetensors"
_CONFIGURATION = "adapter_config.json"
_SLOTS = ("live", "live-beside")
"""PEFT's names for what answers and what is tried beside it, by turns."""
_REFERENCE = "ref"
_BESIDE = "beside-"
"""How PEFT's names begin for adapters that answer to one who measures them."""

_TARGETS = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"


def lora_config(rank: int = 16, alpha: int = 32, dropout: float = 0.0) -> LoraConfig:
    """LoRA on every linear layer of the language model; the vision tower stays as it is."""
    return LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=_TARGETS, task_type="CAUSAL_LM", bias="none"
    )


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """A saved adapter in memory: its configuration, and its tensors by PEFT's names, in fp32 on the CPU."""

    name: str
    config: LoraConfig
    weights: Mapping[str, torch.Tensor]


def load_adapter(folder: Path, name: str) -> AdapterFiles:
    """The adapter saved in `folder`; `name` is a person's name for it, for messages. Raises Unavailable where a file is
    missing, cut off, or holds what is not a number."""
    for file in (_CONFIGURATION, WEIGHTS):
        if not (folder / file).is_file():  # PEFT would ask the Hub for it
            raise Unavailable(f"the files of the adapter {name!r} are gone ({folder.name}/{file})")
    try:
        config = LoraConfig.from_pretrained(str(folder))
        weights = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise Unavailable(f"the adapter {name!r} cannot be read: {_first_line(error)}") from error
    if not isinstance(config, LoraConfig):
        raise Unavailable(f"the adapter {name!r} is of the kind {config.peft_type}; only LoRA can be used here")
    config.base_model_name_or_path = None  # PEFT would compare it with the path that the network came from
    for key, value in weights.items():
        if not torch.isfinite(value).all():
            raise Unavailable(f"the adapter {name!r} holds values that are not numbers, first in {key}")
    return AdapterFiles(name, config, weights)


def take_weights(peft: PeftModel, slot: str, weights: Mapping[str, torch.Tensor], name: str) -> None:
    """Put `weights` into the adapter `slot` of `peft`, every tensor in its place. Raises Unavailable, naming what is
    lacking, foreign or of another shape; then nothing was changed."""
    wanted = get_peft_model_state_dict(peft, adapter_name=slot, save_embedding_layers=False)
    if lacking := sorted(wanted.keys() - weights.keys()):
        raise Unavailable(f"the adapter {name!r} lacks {len(lacking)} of {len(wanted)} tensors, first {lacking[0]}")
    if foreign := sorted(weights.keys() - wanted.keys()):
        raise Unavailable(
            f"the adapter {name!r} has {len(foreign)} that do not belong to these weights, first {foreign[0]}"
        )
    for key, value in wanted.items():
        if value.shape != weights[key].shape:
            found = " x ".join(map(str, weights[key].shape))
            raise Unavailable(
                f"the adapter {name!r} is of another shape in {key}: {found} instead of "
                f"{' x '.join(map(str, value.shape))}"
            )
    set_peft_model_state_dict(peft, dict(weights), adapter_name=slot)


@dataclass(slots=True)
class Adapters:
    """The adapters of one network. `base_name` is what a saved adapter calls the weights it belongs to, `live_name` a
    person's name for what answers now, None for the bare backbone."""

    network: torch.nn.Module
    base_name: str = ""
    peft: PeftModel | None = None
    live_name: str | None = None
    version: int = 0
    training_version: int = 0
    is_lean: bool = True
    """Whether layers multiply as `engine.backbone.lean_lora` says, where they can; otherwise in PEFT's way, to compare."""
    _slot: str | None = None
    """PEFT's name for what answers."""

    @property
    def is_fixed(self) -> bool:
        """Whether what answers stays the same while somebody else has the lease: here it may be promoted or demoted."""
        return False

    @contextmanager
    def answering(self) -> Iterator[Any]:
        """The network as it answers now: with the live adapter, or bare. Inference mode; the training adapter is untouched."""
        with self.answering_as(self._slot) as network:
            yield network

    @contextmanager
    def answering_as(self, slot: str | None) -> Iterator[Any]:
        """The network with the adapter that PEFT calls `slot`, None for the bare backbone."""
        self.network.eval()
        if self.peft is None:
            yield self.network
            return
        if slot is not None:
            self.peft.set_adapter(slot, inference_mode=True)
            yield self.network
            return
        with self.peft.disable_adapter():
            yield self.network

    @contextmanager
    def answering_with_training(self) -> Iterator[Any]:
        """The network with the adapter that is being trained, in inference mode: rollouts and before/after scores."""
        peft = self.training()
        self.network.eval()
        peft.set_adapter(TRAINING, inference_mode=True)
        yield self.network

    def training(self) -> PeftModel:
        """The PEFT model that holds the adapter in training. Raises RuntimeError where there is none."""
        if self.peft is None or TRAINING not in self.peft.peft_config:
            raise RuntimeError("there is no adapter in training")
        return self.peft

    def start_training(self, config: LoraConfig) -> PeftModel:
        """A fresh training adapter; one that was there is dropped. Returns the PEFT model for a trainer."""
        self.drop_training()
        if self.peft is None:
            self.peft = get_peft_model(self.network, self._laid(config), adapter_name=TRAINING)  # type: ignore[arg-type, assignment]
        else:
            self.peft.add_adapter(TRAINING, config)
        self.resume_training()
        return self.peft  # type: ignore[return-value]

    def resume_training(self) -> None:
        """Make the training adapter act, with gradients."""
        self.training().set_adapter(TRAINING)
        self.training_version += 1

    def drop_training(self) -> None:
        self._delete(TRAINING)

    def drop_reference(self) -> None:
        """The frozen copy that TRL makes of the training adapter to compare it with, where there is one."""
        if self.peft is None or _REFERENCE not in self.peft.peft_config:
            return
        self._delete(_REFERENCE)

    def save_training(self, folder: Path) -> None:
        """Write the training adapter as PEFT files (adapter_config.json, adapter_model.safetensors) and a short card into
        `folder`. They name the weights by `base_name`, never by a path: PEFT's own files would tell where they lay."""
        peft = self.training()
        folder.mkdir(parents=True, exist_ok=True)
        weights = get_peft_model_state_dict(peft, adapter_name=TRAINING, save_embedding_layers=False)
        save_file({key: value.contiguous().cpu() for key, value in weights.items()}, folder / WEIGHTS)
        config = dataclasses.replace(peft.peft_config[TRAINING])
        config.base_model_name_or_path = self.base_name or None
        config.inference_mode = True
        config.save_pretrained(str(folder))
        card = f"---\nlibrary_name: peft\ntags:\n- lora\n---\n\nA LoRA adapter for {self.base_name or 'a backbone'}.\n"
        (folder / "README.md").write_text(card, encoding="utf-8")

    @contextmanager
    def promoting(self, folder: Path, name: str) -> Iterator[None]:
        """Let the adapter saved in `folder` answer, from the end of the block on. It is read, checked and tried before the
        block begins; where the block raises, or anything before it, what answered goes on answering.

        Raises Unavailable, which names the adapter and says what is wrong with it.
        """
        files = load_adapter(folder, name)
        slot = next(one for one in _SLOTS if one != self._slot)
        try:
            self._add(slot, files)
            self._try(slot, name)
            yield
        except BaseException:
            self._delete(slot)
            raise
        before, self._slot, self.live_name = self._slot, slot, name
        self.version += 1
        if before is not None:
            self._delete(before)

    def promote(self, folder: Path, name: str) -> None:
        """As `promoting`, with nothing in between."""
        with self.promoting(folder, name):
            pass

    def open_beside(self, folder: Path | None, name: str | None) -> Beside:
        """The adapter saved in `folder`, or the bare backbone (None), as something that answers beside what answers now and
        changes nothing of it; `close_beside` lets it go. Raises Unavailable as `promoting` does."""
        if folder is None:
            return Beside(self, None, None)
        files = load_adapter(folder, name or folder.name)
        taken = set() if self.peft is None else set(self.peft.peft_config)
        slot = next(one for k in itertools.count(1) if (one := f"{_BESIDE}{k}") not in taken)
        try:
            self._add(slot, files)
            self._try(slot, files.name)
        except BaseException:
            self._delete(slot)
            raise
        return Beside(self, name, slot)

    def close_beside(self, beside: Beside) -> None:
        if beside.slot is not None:
            self._delete(beside.slot)

    def demote(self) -> None:
        """Let the bare backbone answer again."""
        before, self._slot, self.live_name = self._slot, None, None
        self.version += 1
        if before is not None:
            self._delete(before)

    def training_state(self) -> dict[str, torch.Tensor]:
        """The training adapter's weights by name, for tests and checkpoints."""
        return get_peft_model_state_dict(self.training(), adapter_name=TRAINING)

    def _laid(self, config: LoraConfig) -> LoraConfig:
        return made_lean(config, self.network) if self.is_lean else config

    def _add(self, slot: str, files: AdapterFiles) -> None:
        files.config.inference_mode = True
        try:
            if self.peft is None:
                self.peft = get_peft_model(self.network, self._laid(files.config), adapter_name=slot)  # type: ignore[arg-type, assignment]
            else:
                self.peft.add_adapter(slot, files.config)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unavailable(f"the adapter {files.name!r} does not fit these weights: {_first_line(error)}") from error
        take_weights(self.peft, slot, files.weights, files.name)  # type: ignore[arg-type]

    def _try(self, slot: str, name: str) -> None:
        """One token through the network with the adapter `slot`. Raises Unavailable where no numbers come out."""
        assert self.peft is not None
        self.peft.set_adapter(slot, inference_mode=True)
        self.network.eval()
        device = next(self.network.parameters()).device
        # The position is given, so that the model neither derives one nor keeps state about it.
        inputs = {
            "input_ids": torch.zeros((1, 1), dtype=torch.long, device=device),
            "position_ids": torch.zeros((3, 1, 1), dtype=torch.long, device=device),
        }
        with torch.inference_mode():
            logits = self.network(**inputs, use_cache=False).logits
        if not torch.isfinite(logits).all():
            raise Unavailable(f"the adapter {name!r} was tried, and what comes out are no numbers")

    def _delete(self, name: str) -> None:
        """PEFT wants another adapter to be active when one goes; the last one goes with the whole wrapper."""
        if self.peft is None or name not in self.peft.peft_config:
            return
        if len(self.peft.peft_config) == 1:
            self.network = self.peft.unload()
            self.peft = None
            return
        other = next(n for n in self.peft.peft_config if n != name)
        self.peft.set_adapter(other)
        self.peft.delete_adapter(name)


@dataclass(frozen=True, slots=True)
class Beside:
    """What a session asks of `Adapters`, answered by the adapter that PEFT calls `slot` (None: by the bare backbone), whatever
    answers elsewhere meanwhile; `live_name` is a person's name for it."""

    adapters: Adapters
    live_name: str | None
    slot: str | None

    @property
    def version(self) -> int:
        """Never changes: neither do its weights."""
        return 0

    @property
    def is_fixed(self) -> bool:
        return True

    def answering(self) -> AbstractContextManager[Any]:
        return self.adapters.answering_as(self.slot)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0]
