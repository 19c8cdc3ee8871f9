"""The queue's filters on the screen are those of its query."""

from __future__ import annotations

from dataclasses import fields

import pytest

from engine.errors import InvalidInput
from engine.store import Query
from ui.curating.filters import queue_value

FILTERS = queue_value(["wrong answer"])["filters"]


def test_every_filter_of_the_query_is_offered_once():
    offered = [one["name"] for one in FILTERS]
    assert len(offered) == len(set(offered))
    assert {*offered, "search", "status", "order", "seer"} == {field.name for field in fields(Query)}


def test_the_query_takes_every_choice_and_no_other():
    for one in FILTERS:
        if one["kind"] != "choice":
            continue
        for value, _ in one["choices"]:
            assert Query.from_params({one["name"]: value}).to_params() == {one["name"]: value}
        with pytest.raises(InvalidInput):
            Query.from_params({one["name"]: "nonsense"})
