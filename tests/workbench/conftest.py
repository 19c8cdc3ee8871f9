"""A workbench over a real store and real pictures."""

from __future__ import annotations

import random
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from engine.media import MediaFolder
from engine.policies.scripted import ScriptedPolicy
from engine.reasoning import Limits
from engine.store import Store
from engine.trace import Box, Media, Observation, Step, Trace, View, ZoomIn
from engine.workbench import Workbench


class Home(NamedTuple):
    bench: Workbench
    store: Store
    media: MediaFolder
    medium: Media


def png(path: Path, width: int = 120, height: int = 90) -> Path:
    Image.frombytes("RGB", (width, height), random.Random(4).randbytes(3 * width * height)).save(path)
    return path


def nested(media: Media, answer: str = "KX") -> Trace:
    views = (
        View(1, media.sha256, None, Box.full()),
        View(2, media.sha256, None, Box(0, 0, 0.5, 0.5)),
        View(3, media.sha256, None, Box(0.25, 0.25, 0.5, 0.5)),
    )
    steps = (
        Step("Left.", ZoomIn(1, Box(0, 0, 0.5, 0.5)), Observation(views=(2,))),
        Step("Closer.", ZoomIn(2, Box(0.5, 0.5, 1, 1)), Observation(views=(3,))),
        Step("I read it.", answer=answer),
    )
    return Trace("What is written?", (media,), views, steps, "answered", "tiny", "studio")


@pytest.fixture
def home(tmp_path: Path):
    media = MediaFolder(tmp_path / "media")
    loaded = media.take(png(tmp_path / "p.png"))
    with Store(tmp_path / "annotations.db") as store:
        policy = ScriptedPolicy()
        yield Home(Workbench(store, media, lambda: policy, Limits()), store, media, loaded.media)
