"""The table of formats: what it says of each is so."""

from __future__ import annotations

import pytest

from engine.commands.import_data import EXCHANGED
from engine.errors import InvalidInput
from engine.exchange.format import Format
from engine.exchange.formats import FORMATS, format_named


def test_every_format_has_a_name_of_its_own_and_says_what_it_is():
    names = [one.name for one in FORMATS]
    assert len(set(names)) == len(names)
    for one in FORMATS:
        assert format_named(one.name) is one
        assert one.description.endswith(".") and one.title
        assert one.file.endswith((".jsonl", ".json", ".parquet"))
        assert (one.schema is not None) == (one.is_written and one.file.endswith(".parquet"))
        assert len(set(one.losses)) == len(one.losses) and not any(loss.endswith(".") for loss in one.losses)
    with pytest.raises(InvalidInput, match="no format 'excel'"):
        format_named("excel")
    with pytest.raises(ValueError, match="neither written nor read"):
        Format("none", "None", "Nothing.", "none.json")


def test_the_command_names_those_that_are_read():
    assert tuple(one.name for one in FORMATS if one.is_read) == EXCHANGED
