"""An adapter trains on the backbone that goes on answering: what every trainer needs around it, and what is put back.

The idea: TRL builds its trainer around a network as if it were its own. Between entering and leaving, the lease is taken
whenever the network is touched, pictures are encoded once, 4-bit weights are unpacked once, and everything that TRL
patches or seeds is undone. What differs between SFT and RL is the trainer alone.

Invariants: the adapter is trained in fp32, as it was made (TRL would round it to bf16 on quantised models, where small
updates vanish); afterwards the backbone is as before, but for the adapter in training, which stays for the caller to
measure, save and drop; where the block raises it is gone. The lease is free on every way out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from peft import LoraConfig, PeftModel
from transformers import PrinterCallback

from engine.backbone.adapters import TRAINING, AdapterFiles, take_weights
from engine.backbone.loading import Backbone
from engine.backbone.tower import remembered
from engine.backbone.unpacked import unpacked
from engine.training.checkpoints import Fingerprint
from engine.training.footprints import scoring_what_was_said, seeded, unseeded, untouched
from engine.training.leased import Leased, Quantum
from engine.training.shards import make_whole

__all__ = ["Trained", "adapter_on"]

AnyLeased = TypeVar("AnyLeased", bound=Leased)


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run came to: `steps` of `total_steps` are done, `first_step` of them by an earlier run; `seconds` of wall
    time."""

    steps: int
    total_steps: int
    first_step: int
    seconds: float
    is_stopped: bool


@contextmanager
def adapter_on(
    backbone: Backbone,
    lora: LoraConfig,
    make_trainer: Callable[[PeftModel], AnyLeased],
    *,
    seed: int,
    quantum: Quantum,
    fingerprint: Fingerprint,
    warm_start: AdapterFiles | None = None,
) -> Iterator[AnyLeased]:
    """The trainer that `make_trainer` makes of the network with a fresh adapter "default" (with the weights of
    `warm_start`, where there is one), ready for `train`; the adapter's initialisation draws from `seed`. Must not be
    entered twice at once on one backbone. Raises Unavailable where the warm start does not fit."""
    with ExitStack() as undo:  # the last one named is undone first
        undo.callback(quantum.release)
        quantum.acquire()
        keep = undo.enter_context(ExitStack())
        keep.callback(backbone.adapters.drop_training)
        undo.enter_context(untouched(backbone.model))
        undo.enter_context(scoring_what_was_said())
        undo.enter_context(remembered(backbone.model.model.visual))
        undo.enter_context(unpacked(backbone.model))
        undo.callback(quantum.acquire)
        with seeded(seed), unseeded():
            network = backbone.adapters.start_training(lora)
            if warm_start is not None:
                take_weights(network, TRAINING, warm_start.weights, warm_start.name)
            made = {name: value.data for name, value in network.named_parameters() if value.requires_grad}
            trainer = make_trainer(network)
        for name, value in network.named_parameters():
            if name in made:
                value.data = made[name]
        trainer.remove_callback(PrinterCallback)  # type: ignore[attr-defined]
        trainer.prepare(backbone, fingerprint, quantum)
        yield trainer
        make_whole(network)
        keep.pop_all()  # trained: the adapter stays
