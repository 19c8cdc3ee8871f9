from __future__ import annotations

import pytest

from engine.errors import InvalidInput, NotFound
from engine.store import Store

from .samples import make_trace


def test_verdicts_make_the_status_and_undo_takes_them_back(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")

    def status() -> str:
        assert store.traces.counts()[store.traces.get(record.id).status] == 1
        return store.traces.get(record.id).status

    for verdict in ("accepted", "rejected", "flagged"):
        review = store.reviews.record(record.head_id, "ann", verdict, "because")
        assert (review.verdict, review.reason, review.is_of_head, review.undone_at) == (verdict, "because", True, None)
        assert status() == verdict
    store.reviews.record(record.head_id, "bob", "skipped")
    assert status() == "flagged", "a skip decides nothing"
    assert store.reviews.undo("ann").verdict == "flagged"
    assert status() == "rejected"
    assert store.reviews.undo("ann", record.id).verdict == "rejected"
    assert status() == "accepted"
    assert store.reviews.undo("ann").verdict == "accepted"
    assert status() == "new"
    assert store.reviews.undo("ann") is None
    assert [(r.reviewer, r.undone_at is None) for r in store.reviews.list(record.id)] == [
        ("ann", False),
        ("ann", False),
        ("ann", False),
        ("bob", True),
    ]


def test_undo_is_only_of_ones_own(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    store.reviews.record(record.head_id, "ann", "accepted")
    assert store.reviews.undo("bob") is None
    other = store.traces.record(make_trace(), author="tiny")
    assert store.reviews.undo("ann", other.id) is None
    assert store.traces.get(record.id).status == "accepted"


def test_a_new_version_wants_a_new_verdict(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    first = store.reviews.record(record.head_id, "ann", "accepted")
    edited = store.revisions.append(record.id, make_trace(answer="B"), "bob", record.head_id)
    assert store.traces.get(record.id).status == "edited"
    assert store.reviews.accepted() == []
    late = store.reviews.record(record.head_id, "ann", "rejected")
    assert not late.is_of_head and not store.reviews.get(first.id).is_of_head
    assert store.traces.get(record.id).status == "edited", "a verdict on an older version changes no status"
    store.reviews.record(edited.id, "ann", "accepted")
    assert store.reviews.accepted() == [edited]


def test_accepted_are_the_heads_in_order(store: Store) -> None:
    records = [store.traces.record(make_trace(answer=str(k)), author="tiny") for k in range(4)]
    for k in (3, 0, 2):
        store.reviews.record(records[k].head_id, "ann", "accepted")
    store.reviews.record(records[2].head_id, "bob", "rejected")
    assert [r.trace.answer for r in store.reviews.accepted()] == ["0", "3"]


def test_bad_reviews_are_refused(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    with pytest.raises(InvalidInput):
        store.reviews.record(record.head_id, "ann", "great")  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        store.reviews.record("nothing", "ann", "accepted")
    with pytest.raises(NotFound):
        store.reviews.get("nothing")
    assert store.reviews.list(record.id) == []
