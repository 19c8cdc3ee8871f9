"""A word of a placeholder in a text stays a word, and comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.placeholders import escaped, has_placeholder, unescaped

MARKS = (
    "<image>",
    "<video>",
    "<|image_pad|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<bbox>",
    "<\u2060image>",
    "<",
    ">",
    "x",
)


@given(st.lists(st.sampled_from(MARKS) | st.text(max_size=3), max_size=8).map("".join))
def test_it_comes_back_and_holds_none(text):
    assert unescaped(escaped(text)) == text
    assert not has_placeholder(escaped(text))


@pytest.mark.parametrize("text", ["2 < 3 > 1", "<b>bold</b>", "<|", "<imagery>", "a<image", "\u2060"])
def test_other_texts_are_left_alone(text):
    assert escaped(text) == text
