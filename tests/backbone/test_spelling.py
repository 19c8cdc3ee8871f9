"""Text that comes token by token is what decoding all tokens at once gives, halves of characters and broken bytes included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backbone.spelling import Spelling

CHARACTERS = ["a", " ", "\n", "é", "日", "🔍", "\u200d", "Ω", "\ufffd"]


@pytest.fixture(scope="module")
def tokenizer():
    from tests.conftest import _random_tokenizer

    return _random_tokenizer()


@pytest.fixture(scope="module")
def byte_ids(tokenizer) -> list[int]:
    """The token of each byte alone, by its value."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return [tokenizer.convert_tokens_to_ids(letter) for _, letter in sorted(bytes_to_unicode().items())]


def whole(tokenizer, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special_tokens=False)


def said_so_far(tokenizer, ids: list[int]) -> str:
    """The longest text that decoding a prefix of the ids at once gives and that ends with a whole character."""
    texts = [whole(tokenizer, ids[:end]) for end in range(len(ids) + 1)]
    return next(text for text in reversed(texts) if not text.endswith("\ufffd"))


# Any ids, whole texts byte by byte, and bytes that are no text.
@given(
    parts=st.lists(
        st.one_of(
            st.lists(st.integers(0, 300), max_size=6),
            st.lists(st.sampled_from(CHARACTERS), max_size=4).map(lambda some: list("".join(some).encode())),
            st.lists(st.integers(128, 255), max_size=4),
        ),
        max_size=6,
    ),
    are_bytes=st.lists(st.booleans(), min_size=6, max_size=6),
)
def test_pieces_make_up_the_whole(tokenizer, byte_ids, parts, are_bytes):
    ids = []
    for part, is_bytes in zip(parts, are_bytes, strict=False):
        ids += [byte_ids[one] if is_bytes and one < 256 else min(one, len(tokenizer) - 1) for one in part]
    spelling = Spelling(lambda some: whole(tokenizer, list(some)))
    pieces = [spelling.add(token) for token in ids]
    assert "".join(pieces) == spelling.text == said_so_far(tokenizer, ids)


def test_a_character_of_three_tokens_comes_with_its_last(tokenizer, byte_ids):
    spelling = Spelling(lambda some: whole(tokenizer, list(some)))
    assert [spelling.add(byte_ids[byte]) for byte in "日a".encode()] == ["", "", "日", "a"]


def test_only_the_last_few_ids_are_decoded(tokenizer, byte_ids):
    lengths = []

    def decode(some):
        lengths.append(len(some))
        return whole(tokenizer, list(some))

    spelling = Spelling(decode)
    for byte in "What is written on 日本's sign? ".encode() * 20:
        spelling.add(byte_ids[byte])
    assert max(lengths) <= 3
