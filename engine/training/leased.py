"""TRL's trainers, taught to share: they lend the lease between two micro-batches and keep checkpoints to our adapter.

The idea: transformers' trainer says when a step begins and ends; between the two the lease is ours, the training adapter
acts and randomness comes from this step's own seed. Whoever waits for the lease has it after the micro-batch that runs, and
the step goes on with the gradients and the random state that it had, so nothing that happens in between can be seen in the
result.

Invariant: `Quantum` takes and gives the lease back at most once at a time, whoever calls. Not covered: what a step
computes (TRL), what it is computed on (`engine.training.dataset`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback
from transformers.trainer import OPTIMIZER_NAME, SCHEDULER_NAME
from trl import SFTTrainer

from engine.backbone.adapters import TRAINING, WEIGHTS, take_weights
from engine.backbone.loading import Backbone
from engine.errors import InvalidInput, Unavailable
from engine.training.checkpoints import Fingerprint, mark_complete
from engine.training.footprints import random_state, seeded, set_random_state
from engine.training.processes import agreed
from engine.training.shards import gathered

__all__ = ["Leased", "LeasedSftTrainer", "Quantum"]

SFT_NAMES = {
    "loss": "loss",
    "learning_rate": "learning_rate",
    "grad_norm": "gradient_norm",
    "mean_token_accuracy": "token_accuracy",
    "entropy": "entropy",
}
"""TRL's names of what it logs, and ours."""


class Quantum(TrainerCallback):
    """Holds the lease from the beginning to the end of one optimiser step, and lends it between two of its micro-batches; asks
    whether to stop; passes metrics on."""

    def __init__(
        self,
        backbone: Backbone,
        seed: int,
        should_stop: Callable[[], bool],
        on_metric: Callable[[int, int, Mapping[str, float]], None],
        steps_a_pass: float,
        names: Mapping[str, str] = SFT_NAMES,
    ) -> None:
        self._backbone = backbone
        self._seed = seed
        self._should_stop = should_stop
        self._on_metric = on_metric
        self._steps_a_pass = steps_a_pass
        self._names = names
        self._is_held = False
        self._randomness: ExitStack | None = None
        self._step_ended_at = time.time()
        self.first_step = 0

    def acquire(self) -> None:
        if not self._is_held:
            self._backbone.lease.acquire()
            self._is_held = True

    def release(self) -> None:
        self._end_randomness()
        if self._is_held:
            self._is_held = False
            self._backbone.lease.release()

    def _end_randomness(self) -> None:
        if self._randomness is not None:
            self._randomness.close()
            self._randomness = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.first_step = state.global_step
        self._step_ended_at = time.time()
        self.release()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.begin(state.global_step)

    def begin(self, done: int) -> None:
        """Take the lease for the step after `done` steps; also after it was released on the way, for rollouts."""
        self.acquire()
        self._backbone.adapters.resume_training()
        self._end_randomness()
        self._randomness = ExitStack()
        self._randomness.enter_context(seeded(self._seed * 1_000_003 + done + 1))

    def on_substep_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Between two micro-batches: whoever waits for the lease has it, first come, first served."""
        if self._is_held and self._backbone.lease.is_wanted:
            drawn = random_state()
            self.release()
            self.begin(state.global_step)
            set_random_state(drawn)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.release()
        if state.global_step < state.max_steps and agreed(self._should_stop()):
            control.should_training_stop = True
            control.should_save = True

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:  # the summary at the end
            return
        now = time.time()
        numbers = {ours: float(logs[theirs]) for theirs, ours in self._names.items() if theirs in logs}
        numbers |= {"seconds": now - self._step_ended_at, "passes": state.global_step / self._steps_a_pass}
        self._step_ended_at = now
        self._on_metric(state.global_step, state.max_steps, numbers)


class Leased:
    """What any of transformers' trainers needs on one process's shared backbone; goes before the trainer among the bases.
    Call `prepare` before `train`."""

    args: Any
    state: Any
    model: Any
    optimizer: Any
    lr_scheduler: Any
    is_fsdp_enabled: bool

    def prepare(self, backbone: Backbone, fingerprint: Fingerprint, quantum: Quantum) -> None:
        self._backbone = backbone
        self._fingerprint = fingerprint
        self._quantum = quantum

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss = super().training_step(*args, **kwargs)  # type: ignore[misc]
        if not torch.isfinite(loss):
            raise InvalidInput(
                f"the loss stopped being a number in step {self.state.global_step + 1}: lower the learning rate"
            )
        return loss

    # --- checkpoints: our adapter only, and only when the lease is ours ----------------------------------------------

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        self._quantum.acquire()
        try:
            super()._save_checkpoint(model, trial)  # type: ignore[misc]
        finally:
            self._quantum.release()
        if self.args.should_save:  # of several processes one writes
            folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
            self.save_beside(folder)
            mark_complete(folder, self._fingerprint)

    def save_checkpoint_now(self) -> None:
        """A checkpoint of the last whole step, where training was cut off between two."""
        self._save_checkpoint(self.model, None)

    def save_beside(self, folder: Path) -> None:
        """Whatever else a checkpoint must hold; before it is declared whole."""

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        if not self.is_fsdp_enabled:
            super()._save_optimizer_and_scheduler(output_dir)  # type: ignore[misc]
            return
        state = gathered(self.optimizer.state_dict())  # as one process saves it, so that one can go on from it
        if self.args.should_save:
            torch.save(state, Path(output_dir) / OPTIMIZER_NAME)
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / SCHEDULER_NAME)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        adapters = self._backbone.adapters
        weights = gathered(get_peft_model_state_dict(adapters.peft, adapter_name=TRAINING, save_embedding_layers=False))
        if self.args.should_save:
            folder = Path(output_dir or self.args.output_dir)
            folder.mkdir(parents=True, exist_ok=True)
            save_file({name: value.contiguous().cpu() for name, value in weights.items()}, folder / WEIGHTS)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        folder = Path(resume_from_checkpoint)
        try:
            weights = load_file(folder / WEIGHTS)
        except (SafetensorError, OSError) as error:
            raise Unavailable(f"{folder.name} cannot be read ({error}); start a new job instead") from error
        take_weights(self._backbone.adapters.training(), TRAINING, weights, folder.name)

    def _save_rng_state(self, output_dir: str) -> None:
        """Nothing: every step seeds itself."""

    def _load_rng_state(self, checkpoint: str | None) -> None:
        """Nothing: every step seeds itself."""

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: a card belongs to a published adapter, not to a checkpoint."""


class LeasedSftTrainer(Leased, SFTTrainer):
    """SFTTrainer on the shared backbone; each token of a step weighs the same, in whichever part of the batch it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # TRL divides by the tokens of the whole step where transformers tells it their number, which it keeps back for
        # models that say, as Qwen's do, that their own loss takes no such number; TRL does not ask the model's own.
        self.model_accepts_loss_kwargs = True

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        # The rows are in training order already; see example_order.
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)  # type: ignore[arg-type]
