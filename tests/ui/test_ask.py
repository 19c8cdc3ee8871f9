"""What the Ask screen reads from its fields."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput


@pytest.mark.parametrize(("text", "seed"), [("", None), (None, None), ("  ", None), ("0", 0), (" 17 ", 17)])
def test_an_empty_seed_is_none_and_never_zero(text: str | None, seed: int | None) -> None:
    from ui.ask import seed_of

    assert seed_of(text) == seed


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "1e3", "٣", "²"])
def test_anything_else_is_said(text: str) -> None:
    from ui.ask import seed_of

    with pytest.raises(InvalidInput, match="whole number"):
        seed_of(text)
