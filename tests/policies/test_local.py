"""The whole loop on a random-weight model: parts become turns, budgets hold, continuing equals going on."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.drivers.streaming import stream
from engine.errors import InvalidSetting
from engine.media import DEFAULT_LIMITS, load_media
from engine.policies.base import Told
from engine.protocols import PicturePart, TextPart
from engine.reasoning import Finished, Limits, Thinking, replay
from engine.trace import Box, Example, Observation, Step, Trace, View, ZoomIn
from engine.worth import weigh_looks

if TYPE_CHECKING:
    from engine.policies.local import LocalPolicy


@pytest.fixture(scope="module")
def policy(random_model) -> LocalPolicy:
    import torch

    from engine.backbone.loading import load_backbone
    from engine.policies.local import LocalPolicy

    backbone = load_backbone(str(random_model("qwen3_vl")), quantization="none", dtype=torch.float32, protocol="studio")
    return LocalPolicy(backbone)


@pytest.mark.parametrize(
    ("card", "protocol", "reason"),
    [
        (None, "pixel-reasoner", "its configuration's model_type is 'qwen2_5_vl'"),
        ("# DeepEyes in 4 bit", "deepeyes", "its card's heading says 'DeepEyes'"),
    ],
)
def test_auto_reads_what_was_published_beside_the_weights(random_model, tmp_path, card, protocol, reason):
    import torch

    from engine.backbone.loading import load_backbone
    from engine.policies.local import LocalPolicy

    folder = tmp_path / "mine"
    shutil.copytree(random_model("qwen2_5_vl"), folder)
    if card:
        (folder / "README.md").write_text(card)
    backbone = load_backbone(str(folder), quantization="none", dtype=torch.float32)
    told = LocalPolicy(backbone).settings()
    assert (told["protocol"], told["protocol_reason"]) == (protocol, reason)


def test_auto_does_not_guess_at_a_family_it_cannot_speak_with(random_model, tmp_path):
    import torch

    from engine.backbone.loading import load_backbone

    folder = tmp_path / "mine"
    shutil.copytree(random_model("qwen2_5_vl"), folder)
    (folder / "README.md").write_text("# DeepEyesV2")
    with pytest.raises(InvalidSetting, match="STUDIO_PROTOCOL to one of studio, pixel-reasoner, qwen3-vl"):
        load_backbone(str(folder), quantization="none", dtype=torch.float32)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    path: Path = tmp_path_factory.mktemp("media") / "noise.png"
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((1024, 768)).save(path)
    return load_media(path, DEFAULT_LIMITS)


def test_pictures_are_shown_within_their_budget(policy, loaded):
    conversation = policy.converse({loaded.media.sha256: loaded}, None)
    view = View(2, loaded.media.sha256, None, Box(0.1, 0.1, 0.4, 0.3))
    ((width, height),) = policy.shown_sizes([PicturePart(view, "crop")], {loaded.media.sha256: loaded})
    budget = policy.backbone.budgets["crop"]
    assert budget.min_pixels <= width * height <= budget.max_pixels
    conversation.add([Told((TextPart("crop:"), PicturePart(view, "crop")))])
    _, rows, columns = conversation.session.grids[0][0].tolist()
    assert (columns * 14, rows * 14) == (width, height)


@pytest.mark.parametrize("size", [(1990, 10), (1994, 10), (1999, 10), (10, 1999), (2000, 10), (199, 1), (640, 480)])
@pytest.mark.parametrize("role", ["image", "crop"])
def test_the_size_that_is_told_is_the_size_that_is_shown(policy, size, role):
    """Slivers included, which are shown a little wider than they are."""
    from engine.backbone.seeing import Picture, encode_seen, shown_size

    picture, budget = Picture(Image.new("RGB", size), policy.backbone.budgets[role]), policy.backbone.budgets[role]
    ((_, grid),) = encode_seen(policy.backbone, [picture])
    _, rows, columns = grid[0].tolist()
    assert shown_size(policy.backbone, size, budget) == (columns * 14, rows * 14)


def test_an_attempt_ends_and_says_why(policy, loaded):
    example = Example("What is written?", (loaded.media,))
    limits = Limits(max_tokens=40, max_turn_tokens=25)
    events = list(stream(policy, example, {loaded.media.sha256: loaded}, limits, seed=3))
    trace = events[-1].trace
    assert isinstance(events[-1], Finished)
    assert trace.stop_reason in {"answered", "max_tokens"}
    assert any(isinstance(event, Thinking) for event in events)
    assert trace.policy == policy.name


def test_confidence_is_the_geometric_mean_of_what_the_tokens_were_given(policy, loaded):
    conversations = []

    class Kept:
        name, protocol, shown_sizes = policy.name, policy.protocol, policy.shown_sizes

        def converse(self, pictures, seed):
            conversations.append(policy.converse(pictures, seed))
            return conversations[-1]

    example = Example("What is written?", (loaded.media,))
    limits = Limits(max_tokens=30, max_turn_tokens=12)
    *_, last = stream(Kept(), example, {loaded.media.sha256: loaded}, limits, seed=3)
    log_probs = conversations[0].session.sampled_log_probs
    assert len(log_probs) >= 12 and 0 < last.confidence < 1
    assert last.confidence == pytest.approx(math.exp(sum(log_probs) / len(log_probs)))


def test_what_a_number_depends_on_is_in_the_settings(policy):
    settings = policy.settings()
    assert settings["quantization"] == "none"
    assert settings["pixel_budgets"]["image"] == {"min_pixels": 401_408, "max_pixels": 4_014_080}


def test_cancelling_gives_a_trace_that_says_so(policy, loaded):
    asked = 0

    def after_five() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    example = Example("What is written?", (loaded.media,))
    pictures = {loaded.media.sha256: loaded}
    *_, last = stream(policy, example, pictures, is_cancelled=after_five, seed=1)
    assert last.trace.stop_reason == "cancelled"
    assert not policy.backbone.lease.is_held


def test_what_a_look_was_worth_is_weighed_on_the_conversation_that_stood_there(policy, loaded):
    """Walking through the trace, cache and all, gives what a fresh conversation gives that hears it at once."""
    pictures = {loaded.media.sha256: loaded}
    views = (View(1, loaded.media.sha256, None, Box.full()), View(2, loaded.media.sha256, None, Box(0, 0, 0.5, 0.5)))
    look = Step("Left.", ZoomIn(1, Box(0, 0, 0.5, 0.5)), Observation(views=(2,)))
    trace = Trace(
        "What is written?", (loaded.media,), views, (look, Step("", answer="KX7421")), "answered", "tiny", "studio"
    )
    (worth,) = weigh_looks(trace, policy, pictures)
    told = list(replay(policy, Example(trace.question, trace.media), pictures, views, trace.steps))[:-1]
    for said, weighed in ((told[:1], worth.before), (told, worth.after)):
        conversation = policy.converse(pictures, None)
        conversation.add(said)
        assert math.log(weighed) == pytest.approx(conversation.weigh(r"\boxed{", "KX7421}"), abs=1e-3)
    assert worth.before != worth.after and not policy.backbone.lease.is_held


def test_with_threads_to_spare_pictures_are_seen_beside_and_nothing_else_changes(policy, loaded, monkeypatch):
    import dataclasses
    import threading

    from engine.backbone.session import Session
    from engine.drivers.together import Prompt, run_together

    example, pictures = Example("What is written?", (loaded.media,)), {loaded.media.sha256: loaded}
    prompts = [Prompt(example, pictures), Prompt(example, pictures, seeds=(3, 4))]
    limits = Limits(max_tokens=12)
    alone = [one.finished for one in run_together(policy, prompts, limits, at_once=3)]
    see, seers = Session._see, []

    def seeing(self, numbers, apart):
        seers.append(threading.current_thread().name.partition("_")[0])
        see(self, numbers, apart)

    monkeypatch.setattr(Session, "_see", seeing)
    beside = dataclasses.replace(policy, threads=2)
    assert [one.finished for one in run_together(beside, prompts, limits, at_once=3)] == alone
    assert set(seers) == {"looking"}
    monkeypatch.setattr(Session, "_see", lambda self, numbers, apart: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(run_together(beside, prompts, limits, at_once=3))
