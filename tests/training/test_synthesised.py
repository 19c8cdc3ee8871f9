"""Erroneous steps of synthesised trajectories stay in the conversation and carry no loss, one by one."""

from __future__ import annotations

import pytest

from engine.protocols import protocol_named
from engine.synthesis.trajectories import synthesize
from engine.trace import Box, Evidence, Example

from .conftest import picture
from .test_dataset import spoken


@pytest.mark.parametrize(
    ("kind", "learned"),
    [
        ("text", [0]),
        ("single_pass", [0, 1]),
        ("recrop_once", [1, 2]),
        ("recrop_twice", [2, 3]),
        ("further_zoom", [1, 2]),
    ],
)
def test_exactly_the_steps_without_an_error_carry_loss(fresh_backbone, kind, learned):
    from engine.backbone.session import TURN_END
    from engine.training.dataset import IGNORED, TrainingExample, encode

    backbone, protocol = fresh_backbone("qwen3_vl", "none"), protocol_named("studio")
    loaded = picture(1)
    evidence = Evidence(boxes=(Box(0.4, 0.4, 0.5, 0.5),))
    example = Example("What is written on the red disc?", (loaded.media,), "KX7421", (), evidence)
    trace = synthesize(example, {loaded.media.sha256: loaded}, kind, 3, protocol)
    encoded = encode(TrainingExample(trace, trace.example), backbone, {loaded.media.sha256: loaded})
    written = [protocol.render(step, trace.views, trace.media) + TURN_END for step in trace.steps]
    assert spoken(encoded, backbone) == [written[k] for k in learned]
    everything = backbone.tokenizer.decode(encoded.ids)
    masked = backbone.tokenizer.decode(encoded.ids[encoded.labels == IGNORED])
    for k, text in enumerate(written):
        assert text in everything
        if k not in learned:
            assert text in masked
