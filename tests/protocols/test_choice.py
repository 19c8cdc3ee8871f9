"""`auto`: which wire format a model's own papers name, and the refusal to guess."""

from __future__ import annotations

import pytest

from engine.errors import InvalidSetting
from engine.protocols import choose_protocol, protocol_named
from engine.settings import PROTOCOLS

CARD = "---\nlicense: mit\nbase_model:\n  - TIGER-Lab/PixelReasoner-RL-v1\ntags: [x]\n---\n# Mine in 4 bit\nBetter than DeepEyes."


@pytest.mark.parametrize(
    ("name", "configuration", "template", "card", "protocol", "why"),
    [
        ("TIGER-Lab/PixelReasoner-RL-v1", {"model_type": "qwen2_5_vl"}, "", "", "pixel-reasoner", "name"),
        ("Mini-o3/Mini-o3-7B-v1", {"model_type": "qwen2_5_vl"}, "", "", "mini-o3", "name"),
        ("ChenShawn/DeepEyes-7B", {"model_type": "qwen2_5_vl"}, "", "", "deepeyes", "name"),
        ("sensenova/SenseNova-MARS-8B", {"model_type": "qwen3_vl"}, "", "", "qwen3-vl", "name"),
        (
            "mine",
            {"_name_or_path": "Mini-o3/Mini-o3-7B", "model_type": "qwen2_5_vl"},
            "",
            "",
            "mini-o3",
            "_name_or_path",
        ),
        ("mine", {"model_type": "qwen2_5_vl"}, "", CARD, "pixel-reasoner", "base_model"),
        ("mine", {"model_type": "qwen2_5_vl"}, "", "# DeepEyes\nas Mini-o3", "deepeyes", "heading"),
        ("mine", {"model_type": "qwen2_5_vl"}, "... <grounding> ...", "", "mini-o3", "chat template"),
        ("Qwen/Qwen2.5-VL-7B-Instruct", {"model_type": "qwen2_5_vl"}, "", "", "pixel-reasoner", "model_type"),
        ("Qwen/Qwen3-VL-8B-Instruct", {"model_type": "qwen3_vl"}, "", "", "qwen3-vl", "model_type"),
        ("Qwen/Qwen3.5-35B", {"model_type": "qwen3_5_moe"}, "", "", "qwen3-vl", "model_type"),
        ("mine", {"model_type": "qwen3_vl"}, "", "compared with DeepEyes and Mini-o3", "qwen3-vl", "model_type"),
    ],
)
def test_what_the_papers_name_is_chosen(name, configuration, template, card, protocol, why):
    choice = choose_protocol(name, configuration, template, card)
    assert choice.protocol == protocol
    assert why in choice.reason


@pytest.mark.parametrize(
    ("name", "model_type"),
    [
        ("llava-hf/llava-1.5-7b-hf", "llava"),
        ("mine", ""),
        ("honglyhly/DeepEyesV2_7B", "qwen2_5_vl"),
        ("Thyme-RL", "qwen2_5_vl"),
    ],
)
def test_an_unknown_model_is_not_guessed_at(name, model_type):
    with pytest.raises(InvalidSetting, match=", ".join(PROTOCOLS)) as refused:
        choose_protocol(name, {"model_type": model_type} if model_type else {})
    assert "\n" not in str(refused.value)


def test_every_choice_is_a_protocol():
    assert [protocol_named(name).NAME for name in PROTOCOLS] == list(PROTOCOLS)
