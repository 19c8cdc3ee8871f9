"""Drawings of the four miniature benchmarks, as the tests of what is taught about them ask for them."""

from __future__ import annotations

import re

import pytest

from engine.lab.world.miniature import info, mv, tally, vstar
from engine.lab.world.miniature.drawing import Drawing
from engine.lab.world.scenes import seed_for

PLACE = re.compile(r"\d\.\d\d")
ROOMS = (vstar, tally, info, mv)
every = pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__.rpartition(".")[2])


def drawings(room, count: int) -> list[Drawing]:
    drawn = (room.draw(seed_for("train", k), "train") for k in range(2 * count + 2))
    return [one for one in drawn if one is not None][:count]
