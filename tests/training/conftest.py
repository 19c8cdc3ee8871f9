"""A random-weight backbone to train on, pictures and traces: everything that a job needs, in memory."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

from engine.backbone.loading import Backbone, PixelBudget, load_backbone
from engine.media import LoadedMedia, load_media
from engine.trace import Box, Observation, Step, Trace, View, ZoomIn
from engine.training.dataset import TrainingExample

BUDGETS = {role: PixelBudget(4 * 784, 12 * 784) for role in ("image", "crop", "frame", "selected_frame")}


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
    first, second = pictures.values()
    return [TrainingExample(zoom_trace(first, "KX7421"), name="a"), TrainingExample(zoom_trace(second, "17"), name="b")]


@pytest.fixture(scope="session")
def fresh_backbone(random_model) -> Callable[..., Backbone]:
    """fresh_backbone(kind="qwen3_vl", quantization="4bit", protocol="studio"): weights that nothing has touched yet."""

    def make(kind: str = "qwen3_vl", quantization: str = "4bit", protocol: str = "studio") -> Backbone:
        dtype = torch.float32 if quantization == "none" else None
        backbone = load_backbone(str(random_model(kind)), quantization, "cpu", protocol, dtype)
        return dataclasses.replace(backbone, budgets=BUDGETS)

    return make
