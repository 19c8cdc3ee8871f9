"""A merged folder holds W + (alpha / r) B A where the adapter acts, the same bytes elsewhere, and loads as any model."""

from __future__ import annotations

import pytest

from engine.embedded import weights_folder
from engine.errors import InvalidInput

RANK, ALPHA = 4, 10
FOLDER = weights_folder()


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """An adapter that changes something: PEFT's own begins with B = 0."""
    import torch
    from transformers import AutoModelForImageTextToText

    from engine.backbone.adapters import Adapters, lora_config

    folder = tmp_path_factory.mktemp("adapter")
    adapters = Adapters(AutoModelForImageTextToText.from_pretrained(FOLDER, dtype=torch.float32))
    trained = adapters.start_training(lora_config(RANK, ALPHA))
    torch.manual_seed(0)
    for name, weight in trained.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02)
    adapters.save_training(folder)
    return folder


def test_the_sum_stands_where_the_adapter_acts_and_the_rest_is_untouched(adapter, tmp_path):
    import torch
    from safetensors.torch import load_file

    from engine.lab.recipe.merge import merge

    merge(FOLDER, adapter, tmp_path / "merged")
    before, after = (load_file(folder / "model.safetensors") for folder in (FOLDER, tmp_path / "merged"))
    lora = load_file(adapter / "adapter_model.safetensors")
    assert before.keys() == after.keys()
    changed = {name for name in before if not before[name].equal(after[name])}
    for name in before:
        stem = f"base_model.model.{name.removesuffix('.weight')}"
        if f"{stem}.lora_A.weight" not in lora:
            assert name not in changed
            continue
        added = ALPHA / RANK * lora[f"{stem}.lora_B.weight"] @ lora[f"{stem}.lora_A.weight"]
        expected = (before[name].float() + added).to(torch.bfloat16)
        assert torch.allclose(after[name].float(), expected.float(), rtol=2**-7, atol=1e-6), name
    assert len(changed) == len(lora) // 2 > 0


def test_it_loads_as_any_model(adapter, tmp_path):
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from engine.lab.recipe.merge import merge

    merge(FOLDER, adapter, tmp_path / "merged")
    assert AutoModelForImageTextToText.from_pretrained(tmp_path / "merged").dtype == torch.bfloat16
    AutoProcessor.from_pretrained(tmp_path / "merged")
    for name in ("studio.json", "config.json"):
        assert (tmp_path / "merged" / name).read_text() == (FOLDER / name).read_text()
    assert not (tmp_path / "merged" / "evaluation.json").exists(), "figures of other weights"


def test_nothing_is_written_over_and_what_is_missing_is_named(adapter, tmp_path):
    from engine.lab.recipe.merge import merge

    with pytest.raises(InvalidInput, match="exists already"):
        merge(FOLDER, adapter, tmp_path)
    with pytest.raises(InvalidInput, match=r"adapter_config\.json does not exist"):
        merge(FOLDER, tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
