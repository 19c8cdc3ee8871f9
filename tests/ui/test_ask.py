"""What the Ask screen reads from its fields."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput


@pytest.mark.parametrize(("text", "seed"), [("", None), (None, None), ("  ", None), ("0", 0), (" 17 ", 17)])
def test_an_empty_seed_is_none_and_never_zero(text: str | None, seed: int | None) -> None:
    from ui.asking.reading import seed_of

    assert seed_of(text) == seed


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "1e3", "٣", "²"])
def test_anything_else_is_said(text: str) -> None:
    from ui.asking.reading import seed_of

    with pytest.raises(InvalidInput, match="whole number"):
        seed_of(text)


@pytest.mark.parametrize(("before", "note"), [(2, "In line: 2 before you"), (0, "In line: you are next")])
def test_a_person_in_line_sees_the_place(before: int, note: str) -> None:
    from engine.policies.base import InLine
    from engine.policies.scripted import ScriptedConversation, ScriptedPolicy
    from engine.reasoning import Waiting
    from tests.drivers.cases import ANSWER, PICTURE, PICTURES
    from ui.answering import Progress
    from ui.asking.shown import told

    class Waited(ScriptedPolicy):
        def converse(self, pictures, seed):
            spoken = ScriptedPolicy.converse(self, pictures, seed)

            class InLineFirst(ScriptedConversation):
                def generate(self, max_tokens, is_cancelled):
                    yield InLine(before)
                    yield from spoken.generate(max_tokens, is_cancelled)

            return InLineFirst(self.protocol, self.turns, 0.0)

    from engine.drivers.streaming import stream

    notices = list(stream(Waited(turns=(ANSWER,)), PICTURE, PICTURES))
    assert Waiting(0, before) in notices and notices[-1].trace.answer == "KX7421"
    assert told(Progress(before=before))["note"] == note
