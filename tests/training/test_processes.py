"""Two processes learn what one learns: the same batch each step, the same losses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.policies.base import never
from engine.training.processes import agreed, join, process_count, process_index
from engine.training.sft_config import SftConfig

CONFIGURATIONS = Path(__file__).parents[2] / "docs" / "accelerate"
CONFIG = SftConfig(steps=3, batch_size=4, learning_rate=2e-2, rank=4, alpha=8, checkpoint_every=2, seed=3)


def losses(backbone, examples, load_pictures, folder, on_step=lambda: None) -> list[float]:
    from engine.training.sft import run_sft

    found: list[float] = []

    def on_metric(step, total, numbers) -> None:
        found.append(numbers["loss"])
        on_step()

    run_sft(
        backbone,
        examples,
        CONFIG,
        load_pictures=load_pictures,
        on_metric=on_metric,
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


def test_two_processes_between_which_fsdp_cuts_the_weights_have_the_loss_curve_of_one(
    fresh_backbone, examples, load_pictures, tmp_path
):
    """On a CPU accelerate takes no notice of FSDP; told that it has GPUs it does, and cuts them as it would there. Afterwards the
    first process has all weights, and answers alone."""
    import torch
    from accelerate import DistributedType, PartialState, debug_launcher
    from accelerate.commands.config.config_args import load_config_from_file
    from safetensors.torch import load_file

    from engine.training.checkpoints import checkpoints
    from engine.training.sft import validation_loss

    def measured(backbone) -> float:
        return validation_loss(backbone, examples, load_pictures, CONFIG.max_tokens)

    alone = fresh_backbone(quantization="none")
    expected = losses(alone, examples, load_pictures, tmp_path / "alone")
    fsdp = load_config_from_file(str(CONFIGURATIONS / "fsdp.yaml")).fsdp_config
    environment = {name.upper(): str(value) for name, value in fsdp.items()} | {"ACCELERATE_USE_FSDP": "true"}

    def train() -> None:
        os.environ |= environment
        set_device = PartialState.set_device

        def as_on_gpus(state) -> None:
            set_device(state)
            state.distributed_type = DistributedType.MULTI_GPU

        PartialState.set_device = as_on_gpus
        join("cpu")
        backbone = fresh_backbone(quantization="none")
        held: list[int] = []
        found = losses(
            backbone, examples, load_pictures, tmp_path / "shared", lambda: held.append(values_held(backbone))
        )
        if process_index() == 0:
            told = [found, measured(backbone), held[-1] / values_held(backbone)]
            (tmp_path / "first.json").write_text(json.dumps(told))
            _, last = checkpoints(tmp_path / "shared")[-1]
            kept, here = load_file(last / "adapter_model.safetensors"), backbone.adapters.training_state()
            assert kept.keys() == here.keys() and all(kept[name].equal(value) for name, value in here.items())
            state = torch.load(last / "optimizer.pt")["state"]
            assert {type(one["exp_avg"]) for one in state.values()} == {torch.Tensor}

    debug_launcher(train, num_processes=2)
    curve, after, share_held = json.loads((tmp_path / "first.json").read_text())
    assert [*curve, after] == pytest.approx([*expected, measured(alone)], abs=1e-4)
    tower, all_values = (
        sum(map(torch.numel, one.parameters())) for one in (alone.model.model.visual, alone.adapters.peft)
    )
    assert share_held == pytest.approx((1 + tower / all_values) / 2, abs=0.01)  # half, and the picture tower


def values_held(backbone) -> int:
    """How many of the backbone's and the adapter's numbers this process has."""
    from torch.distributed.tensor import DTensor

    every = backbone.adapters.peft.parameters()
    return sum((one.to_local() if isinstance(one, DTensor) else one).numel() for one in every)


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


@pytest.mark.parametrize("name", ["cpu", "gpus", "deepspeed", "fsdp"])
def test_accelerate_reads_the_configurations_that_ship(name):
    from accelerate.commands.config.config_args import load_config_from_file

    found = load_config_from_file(str(CONFIGURATIONS / f"{name}.yaml"))
    assert found.num_processes >= 2 and found.mixed_precision == "no"
