"""What the recipe's samples are written with."""

from __future__ import annotations

import pytest

from engine.lab.recipe import tokenizer as words
from engine.lab.recipe import turns


@pytest.fixture(scope="module")
def tokenizer():
    return words.build_tokenizer()


@pytest.fixture(scope="module")
def lexicon(tokenizer):
    return turns.lexicon_of(tokenizer)
