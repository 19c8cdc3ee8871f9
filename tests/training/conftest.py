"""A random-weight backbone to train on, pictures and traces: everything that a job needs, in memory."""

from __future__ import annotations

import dataclasses
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.media import LoadedMedia, load_media
from engine.trace import Box, Example, Observation, Step, Trace, View, ZoomIn

if TYPE_CHECKING:
    from engine.backbone.loading import Backbone, PixelBudget
    from engine.training.dataset import TrainingExample


def small_budgets() -> dict[str, PixelBudget]:
    from engine.backbone.loading import PixelBudget

    return dict.fromkeys(("image", "crop", "frame", "selected_frame"), PixelBudget(4 * 784, 12 * 784))


def picture(seed: int, width: int = 140, height: int = 112) -> LoadedMedia:
    noise = np.random.default_rng(seed).integers(0, 255, (height // 14, width // 14, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((width, height), Image.Resampling.NEAREST).save(out, "PNG")
    return load_media(out.getvalue())


def zoom_trace(loaded: LoadedMedia, answer: str = "KX7421", *, first_step: Step | None = None) -> Trace:
    """Zoom, then answer; `first_step` goes before."""
    box = Box(0.25, 0.25, 0.75, 0.75)
    views = [View(1, loaded.media.sha256, None, Box.full())]
    steps: list[Step] = []
    if first_step is not None:
        steps.append(first_step)
        if first_step.observation is not None and first_step.observation.views:
            views.append(View(2, loaded.media.sha256, None, first_step.operation.box))
    views.append(View(len(views) + 1, loaded.media.sha256, None, box))
    steps.append(Step("The disc is small.", ZoomIn(1, box), Observation(views=(len(views),))))
    steps.append(Step("I read it.", answer=answer))
    return Trace(
        "What is written on the red disc?", (loaded.media,), tuple(views), tuple(steps), "answered", "tiny", "studio"
    )


@pytest.fixture(scope="session")
def pictures() -> dict[str, LoadedMedia]:
    return {loaded.media.sha256: loaded for loaded in (picture(1), picture(2))}


@pytest.fixture(scope="session")
def load_pictures(pictures) -> Callable:
    return lambda media: {one.sha256: pictures[one.sha256] for one in media}


@pytest.fixture(scope="session")
def examples(pictures) -> list[TrainingExample]:
    from engine.training.dataset import TrainingExample

    first, second = pictures.values()
    traces = {"a": zoom_trace(first, "KX7421"), "b": zoom_trace(second, "17")}
    return [TrainingExample(trace, trace.example, name) for name, trace in traces.items()]


@pytest.fixture(scope="session")
def fresh_backbone(random_model) -> Callable[..., Backbone]:
    """fresh_backbone(kind="qwen3_vl", quantization="4bit", protocol="studio"): weights that nothing has touched yet."""
    import torch

    from engine.backbone.loading import load_backbone

    def make(kind: str = "qwen3_vl", quantization: str = "4bit", protocol: str = "studio") -> Backbone:
        dtype = torch.float32 if quantization == "none" else None
        backbone = load_backbone(str(random_model(kind)), quantization, "cpu", protocol, dtype)
        return dataclasses.replace(backbone, budgets=small_budgets())

    return make


def plain_trace(loaded: LoadedMedia, answer: str = "KX7421") -> Trace:
    """An answer from the first view."""
    views = (View(1, loaded.media.sha256, None, Box.full()),)
    steps = (Step("I guess.", answer=answer),)
    return Trace("What is written on the red disc?", (loaded.media,), views, steps, "answered", "tiny", "studio")


@pytest.fixture(scope="session")
def undecided_model(random_model, pictures, load_pictures, tmp_path_factory) -> Path:
    """The folder of a small model that was taught, in all its weights, to zoom in before it answers or to answer at once,
    each about half of the time: where a policy may learn which."""
    import torch

    from engine.backbone.loading import load_backbone
    from engine.training.dataset import IGNORED, Collator, TrainingExample

    backbone = dataclasses.replace(
        load_backbone(str(random_model("qwen3_vl")), "none", "cpu", "studio", torch.float32), budgets=small_budgets()
    )
    loaded = next(iter(pictures.values()))
    traces = [zoom_trace(loaded, "KX7421"), plain_trace(loaded, "17")]
    batch = Collator([TrainingExample(trace, trace.example) for trace in traces], backbone, load_pictures, 4096)(
        [{"example": 0}, {"example": 1}]
    )
    # What no training takes away: the first word of an opening is one of two.
    choice = 2 * math.log(2) / int((batch["labels"] != IGNORED).sum())
    network = backbone.model
    network.train()
    network.requires_grad_(True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(120):
            loss = network(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad()
            if loss < 1.17 * choice:
                break
    folder = tmp_path_factory.mktemp("undecided")
    network.save_pretrained(folder)
    backbone.processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def undecided(undecided_model) -> Callable[..., Backbone]:
    """undecided(quantization="4bit"): that model, loaded afresh."""
    import torch

    from engine.backbone.loading import load_backbone

    def make(quantization: str = "none") -> Backbone:
        dtype = torch.float32 if quantization == "none" else None
        backbone = load_backbone(str(undecided_model), quantization, "cpu", "studio", dtype)
        return dataclasses.replace(backbone, budgets=small_budgets())

    return make


@pytest.fixture(scope="module")
def rl_examples(pictures) -> list[Example]:
    return [Example("What is written on the red disc?", (loaded.media,), "KX7421") for loaded in pictures.values()]
