"""The backbones, pictures and traces of tests/training, for the jobs that train on them."""

from __future__ import annotations

from tests.training.conftest import (  # noqa: F401
    examples,
    fresh_backbone,
    load_pictures,
    pictures,
    rl_examples,
    undecided,
    undecided_model,
)
