"""The golden conversations: word for word as they are committed, and read back as the steps that were meant."""

from __future__ import annotations

import pytest

from engine.protocols import protocol_named
from engine.settings import PROTOCOLS
from engine.trace import Box
from tests.protocols.conversations import CONVERSATIONS, had, path_of, written

each = pytest.mark.parametrize("name", PROTOCOLS)


@each
def test_conversations_are_as_they_were_committed(name):
    assert written(protocol_named(name)) == path_of(name).read_text(encoding="utf-8")


@each
@pytest.mark.parametrize("told", CONVERSATIONS, ids=lambda told: told.title)
def test_the_loop_reads_what_the_protocol_wrote(name, told):
    trace, _ = had(told, protocol_named(name))
    assert trace.stop_reason == "answered" and trace.answer == told.steps[-1].answer
    for step, meant in zip(trace.steps, told.steps, strict=True):
        if meant is None:
            assert step.operation is None and step.observation.error
        else:
            assert (step.thought, type(step.operation)) == (meant.thought, type(meant.operation))
            assert step.observation is None or step.observation.views


@each
def test_every_family_sees_the_same_region_of_the_original(name):
    """A nested zoom is told in four ways of measuring and three of counting, and shows one place."""
    protocol = protocol_named(name)
    trace, _ = had(CONVERSATIONS[1], protocol)
    padding = 0.1 * 0.25 if protocol.CROP_RULE.padding else 0
    if not padding:
        assert trace.views[-1].box.as_list() == pytest.approx(Box(0.375, 0.5, 0.5, 0.75).as_list(), abs=1e-9)
    else:  # the first crop is wider by a tenth of the picture, and what it shows is halved
        assert trace.views[1].box.as_list() == pytest.approx([0.15, 0.4, 0.6, 0.85])
        assert trace.views[-1].box.as_list() == pytest.approx([0.15 + 0.4 * 0.45, 0.4, 0.6, 0.85])
