"""Two processes learn what one learns: the same batch each step, the same losses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.policies.base import never
from engine.training.processes import agreed, join, process_count, process_index
from engine.training.sft_config import SftConfig

CONFIG = SftConfig(steps=3, batch_size=4, learning_rate=2e-2, rank=4, alpha=8, checkpoint_every=2, seed=3)


def losses(backbone, examples, load_pictures, folder) -> list[float]:
    from engine.training.sft import run_sft

    found: list[float] = []
    run_sft(
        backbone,
        examples,
        CONFIG,
        load_pictures=load_pictures,
        on_metric=lambda step, total, numbers: found.append(numbers["loss"]),
        should_stop=never,
        checkpoint_dir=folder,
    )
    return found


def test_two_processes_have_the_loss_curve_of_one(fresh_backbone, examples, load_pictures, tmp_path):
    """By gloo on a CPU. Examples of unequal length: each token of a step weighs the same, in whichever process it is."""
    from accelerate import debug_launcher

    from engine.training.checkpoints import checkpoints

    alone = losses(fresh_backbone(), examples, load_pictures, tmp_path / "alone")

    def train() -> None:
        join("cpu")
        backbone = fresh_backbone()
        told = [losses(backbone, examples, load_pictures, tmp_path / "shared"), process_count()]
        weights = {name: value.double().sum().item() for name, value in backbone.adapters.training_state().items()}
        assert agreed(weights) == weights  # every process has learned the same
        (tmp_path / f"{agreed('first')}.json").write_text(json.dumps(told))

    debug_launcher(train, num_processes=2)
    shared, count = json.loads((tmp_path / "first.json").read_text())
    assert count == 2 and len(shared) == 3
    assert shared == pytest.approx(alone, abs=1e-4)
    assert alone[0] - alone[-1] > 1e-2  # it learns
    assert [step for step, _ in checkpoints(tmp_path / "shared")] == [2, 3]


def test_a_step_that_cannot_be_shared_is_refused(fresh_backbone, examples, load_pictures, tmp_path, monkeypatch):
    from engine.training import arguments

    monkeypatch.setattr(arguments, "process_count", lambda: 3)
    with pytest.raises(InvalidInput, match="3 processes cannot share a step of 4 micro-batches"):
        losses(fresh_backbone(), examples, load_pictures, tmp_path)


def test_one_that_met_nobody_is_alone_whatever_its_environment_says(monkeypatch):
    """A studio in a shell that a launcher left its variables in must not wait for others."""
    for name, value in {"WORLD_SIZE": "2", "RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert (process_count(), process_index(), agreed("mine")) == (1, 0, "mine")


@pytest.mark.parametrize("name", ["cpu", "gpus", "deepspeed"])
def test_accelerate_reads_the_configurations_that_ship(name):
    from accelerate.commands.config.config_args import load_config_from_file

    found = load_config_from_file(str(Path(__file__).parents[2] / "docs" / "accelerate" / f"{name}.yaml"))
    assert found.num_processes >= 2 and found.mixed_precision == "no"
