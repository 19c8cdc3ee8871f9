"""The recipe runs from end to end for a few steps, goes on where it stopped, and what it makes loads as any model of
the Hub."""

from __future__ import annotations

import io
import json
import random
from contextlib import redirect_stdout
from pathlib import Path

import pytest

WEIGHTS = Path(__file__).parents[3] / "engine" / "embedded" / "weights"


def run(folder, *words: str) -> str:
    """What `python -m engine.lab.recipe.remake` prints, in this process, where torch is imported already."""
    from engine.lab.recipe import remake

    with pytest.MonkeyPatch.context() as patched, redirect_stdout(io.StringIO()) as out:
        patched.setattr("sys.argv", ["remake", "--out", str(folder), "--generators", "0", *words])
        remake.main()
    return out.getvalue()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recipe")
    return folder, run(folder, "--steps-per-stage", "1", "--small")


def test_a_few_steps_of_every_stage_run_and_are_logged(made):
    from engine.lab.recipe import remake, tokenizer, turns, world_curriculum
    from engine.lab.recipe.curriculum import SMALL

    folder, output = made
    rows = [json.loads(line) for line in (folder / "curves.jsonl").read_text().splitlines()]
    plan = remake.stages(turns.lexicon_of(tokenizer.build_tokenizer()), SMALL, world_curriculum.SMALL)
    assert [row["stage"] for row in rows] == [stage.name for stage in plan]
    assert all(any(key.endswith(".loss") for key in row) for row in rows)
    assert "world" in output


def test_a_finished_run_is_resumed_with_nothing_left_to_do(made):
    import torch

    folder, _ = made
    before = torch.load(folder / "last.pt")["state"]
    assert "starting from world" in run(folder, "--minutes", "0", "--small")
    after = torch.load(folder / "last.pt")["state"]
    assert all(before[name].equal(after[name]) for name in before)


def test_the_stage_that_forgets_to_call_begins_from_exported_weights_and_shows_no_call(tmp_path):
    from engine.lab.recipe import remake, tokenizer, turns, world_curriculum
    from engine.lab.recipe.curriculum import SMALL

    output = run(tmp_path, "--only", "sight", "--start", str(WEIGHTS), "--steps-per-stage", "1", "--small")
    assert "28 tensors are new" in output  # the throw-away heads, and nothing else
    words = tokenizer.build_tokenizer()
    call = words.get_vocab()["<tool_call>"]
    rng = random.Random(0)

    def calls(stage) -> bool:
        return any((make(rng).ids == call).any() for make, _ in stage.makers)

    lexicon = turns.lexicon_of(words)
    world = next(stage for stage in remake.stages(lexicon, SMALL, world_curriculum.SMALL) if stage.name == "world")
    assert calls(world) and not calls(remake.sight(lexicon, SMALL, world_curriculum.SMALL))


def test_the_export_loads_like_any_model(made, tmp_path):
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from engine.lab.recipe import export

    folder, _ = made
    export.export(folder / "last.pt", tmp_path)
    model = AutoModelForImageTextToText.from_pretrained(tmp_path)
    processor = AutoProcessor.from_pretrained(tmp_path)
    assert model.dtype == torch.bfloat16
    assert sum(weight.numel() for weight in model.parameters()) <= 10_000_000
    assert (tmp_path / "model.safetensors").stat().st_size <= 20_000_000
    assert processor.image_processor.temporal_patch_size == 1
    settings = json.loads((tmp_path / "studio.json").read_text())
    assert settings["protocol"] == "studio" and set(settings["pixel_budgets"]) == {
        "image",
        "crop",
        "frame",
        "selected_frame",
    }


def test_quantised_training_sees_the_matrices_that_are_served():
    """The very numbers that a loaded model multiplies with; masters, embeddings and throw-away heads stay as they are."""
    import bitsandbytes
    import torch

    from engine.lab.recipe.optimiser import MasterOptimiser

    torch.manual_seed(0)
    linear = torch.nn.Linear(64, 64, bias=False)
    served = bitsandbytes.nn.Linear4bit(64, 64, bias=False, quant_type="nf4", compress_statistics=True)
    served.load_state_dict(linear.state_dict())
    served = served.to("cpu")
    modules = {"model": torch.nn.ModuleDict({"layer": linear, "embed": torch.nn.Linear(64, 64, bias=False)})}
    optimiser = MasterOptimiser(modules, 1e-3, 1e-3)
    optimiser.is_quantised = True
    before = [master.clone() for master in optimiser.masters]
    optimiser.refresh()
    assert all(one.equal(other) for one, other in zip(before, optimiser.masters, strict=True))
    weights = dict(zip(optimiser.names, optimiser.weights, strict=True))
    masters = dict(zip(optimiser.names, optimiser.masters, strict=True))
    assert weights["model.embed.weight"].equal(masters["model.embed.weight"])
    assert not weights["model.layer.weight"].equal(masters["model.layer.weight"])
    x = torch.randn(5, 64)
    assert (x @ weights["model.layer.weight"].T - served(x)).abs().max() < 1e-5
