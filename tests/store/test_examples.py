"""Examples that people brought in: each once in its data set, found in pages, never without their media."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from engine.errors import IntegrityError, InvalidInput, NotFound
from engine.store import DataSet, Store
from engine.trace import Box, Evidence, Example, Media
from tests.strategies import examples

from .samples import PICTURE, sha

EXAMPLE = Example("What is written\u2028on the disc?", (PICTURE,), "KX7421", source="signs/7")


def test_an_example_comes_back_as_it_was_recorded(store: Store) -> None:
    recorded = store.examples.record("signs", EXAMPLE, original_id="7", file_names=("street/1.jpg",))
    assert recorded is not None and recorded == store.examples.get(recorded.id)
    assert (recorded.example, recorded.data_set, recorded.original_id) == (EXAMPLE, "signs", "7")
    assert recorded.file_names == ("street/1.jpg",)
    assert store.media.get(PICTURE.sha256).name == "street/1.jpg"
    assert store.examples.data_sets() == [DataSet("signs", 1, 1, recorded.created_at)]
    assert store.examples.data_set("signs").count == 1


def test_the_same_example_is_kept_once_in_each_data_set(store: Store) -> None:
    first = store.examples.record("signs", EXAMPLE, original_id="7")
    assert first is not None
    assert store.examples.record("signs", replace(EXAMPLE, source="signs/8"), original_id="8") is None
    assert store.examples.record("others", EXAMPLE) is not None
    others = [
        replace(EXAMPLE, question="What is on the disc?"),
        replace(EXAMPLE, answer=None),
        replace(EXAMPLE, options=("KX7421", "KX7422")),
        replace(EXAMPLE, evidence=Evidence((Box(0, 0, 0.5, 0.5),))),
        replace(EXAMPLE, rule="anls"),
        replace(EXAMPLE, media=(Media(sha("another"), "image", 10, 10),)),
    ]
    assert all(store.examples.record("signs", other) is not None for other in others)
    assert [(one.name, one.count, one.with_answer) for one in store.examples.data_sets()] == [
        ("others", 1, 1),
        ("signs", 7, 6),
    ]


def test_pages_miss_nothing_while_examples_come_in(store: Store) -> None:
    for k in range(5):
        store.examples.record("signs", replace(EXAMPLE, question=f"{k}?"))
        store.examples.record("others", replace(EXAMPLE, question=f"{k}?"))
    first = store.examples.list("signs", limit=2)
    store.examples.record("signs", replace(EXAMPLE, question="late?"))
    rest = store.examples.list("signs", after=first[-1].number)
    assert [one.example.question for one in (*first, *rest)] == ["0?", "1?", "2?", "3?", "4?", "late?"]
    assert [one.id for one in store.examples.all_of("signs")] == [one.id for one in (*first, *rest)]


def test_what_cannot_be_recorded_leaves_nothing(store: Store) -> None:
    for name in ("", "  ", "a/b", "two\nlines", "x" * 101):
        with pytest.raises(InvalidInput, match="1 to 100 characters"):
            store.examples.record(name, EXAMPLE)
    store.media.record(PICTURE)
    with pytest.raises(IntegrityError):
        store.examples.record("signs", replace(EXAMPLE, media=(replace(PICTURE, width=7),)))
    assert store.examples.data_sets() == []
    with pytest.raises(NotFound, match="no data set 'signs'"):
        store.examples.data_set("signs")
    with pytest.raises(NotFound):
        store.examples.get("nothing")


@given(examples())
def test_any_example_comes_back(shared_store: Store, example: Example) -> None:
    example = replace(example, media=(PICTURE,) * min(len(example.media), 2))
    recorded = shared_store.examples.record("any", example)
    if recorded is not None:
        assert shared_store.examples.get(recorded.id).example == recorded.example == example
