"""The mean of the last weights, worked by hand; that a resumed run has the same is held by tests/training/test_grpo.py."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


@pytest.mark.parametrize(("share", "mean"), [(0.5, 6.0), (1.0, 3.75), (0.0, 8.0)])
def test_the_mean_is_of_the_last_steps_and_survives_the_disk(tmp_path, share, mean):
    """Weights of 1, 2, 4 and 8 after four steps; what is frozen stays."""
    import torch

    from engine.training.averaging import Averaging

    model = torch.nn.Linear(1, 1)
    model.bias.requires_grad_(False).fill_(5)
    averaging = Averaging(share)
    for step in range(1, 5):
        torch.nn.init.constant_(model.weight, 2 ** (step - 1))
        averaging.on_step_end(None, SimpleNamespace(global_step=step, max_steps=4), None, model=model)
        averaging.save(tmp_path / "mean.safetensors")
        averaging = Averaging(share)
        averaging.load(tmp_path / "mean.safetensors", model)
    averaging.put_into(model)
    assert (model.weight.item(), model.bias.item()) == (mean, 5)
