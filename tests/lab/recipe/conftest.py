"""What the recipe's samples are written with."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def tokenizer():
    from engine.lab.recipe import tokenizer as words

    return words.build_tokenizer()


@pytest.fixture(scope="module")
def lexicon(tokenizer):
    from engine.lab.recipe import turns

    return turns.lexicon_of(tokenizer)
