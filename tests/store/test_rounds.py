from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from engine.errors import InvalidInput, NotFound
from engine.store import PassedOver, Query, Store

from .samples import make_trace


def test_a_round_is_blind_until_given_and_its_status_tells_nothing(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    store.rounds.ask(record.id, 2, "chief")
    store.reviews.record(record.head_id, "ann", "accepted")
    assert store.traces.get(record.id).status == "new" and store.reviews.accepted() == []
    assert store.rounds.visible(record.id, "bob") == []
    assert [r.reviewer for r in store.rounds.visible(record.id, "ann")] == ["ann"]
    store.reviews.record(record.head_id, "bob", "skipped")
    assert [r.reviewer for r in store.rounds.visible(record.id, "bob")] == ["bob"]  # a skip decides nothing
    store.reviews.record(record.head_id, "bob", "accepted")
    assert store.traces.get(record.id).status == "accepted"
    assert len(store.rounds.visible(record.id, "cy")) == 3
    assert store.rounds.of(record.id).state == "agreed" and store.verify(None).problems == ()


def test_disagreement_is_adjudicated(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    with pytest.raises(InvalidInput, match="do not disagree"):
        store.rounds.adjudicate(record.head_id, "chief", "accepted")
    store.rounds.ask(record.id, 2, "chief")
    store.reviews.record(record.head_id, "ann", "accepted")
    store.reviews.record(record.head_id, "bob", "rejected")
    assert store.traces.get(record.id).status == "flagged"
    assert [i.item.id for i in store.queue.page(Query(round="disputed")).items] == [record.id]
    store.rounds.adjudicate(record.head_id, "chief", "rejected", "the box misses")
    assert store.traces.get(record.id).status == "rejected"
    assert store.queue.page(Query(round="disputed")).total == 0
    assert store.rounds.verdicts() == [{"ann": "accepted", "bob": "rejected"}]
    kinds = [event.kind for event in store.history.of(record.id)]
    assert sorted(kinds) == sorted(["recorded", "asked", "accepted", "rejected", "adjudicated"])


def test_a_changed_mind_counts_once(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    store.rounds.ask(record.id, 2, "chief")
    store.reviews.record(record.head_id, "ann", "rejected")
    store.reviews.record(record.head_id, "ann", "accepted")
    assert store.rounds.of(record.id).given == 1 and store.traces.get(record.id).status == "new"
    store.reviews.record(record.head_id, "bob", "accepted")
    assert store.traces.get(record.id).status == "accepted"
    store.reviews.undo("bob", record.id)
    assert store.traces.get(record.id).status == "new" and store.rounds.of(record.id).state == "open"
    store.rounds.ask(record.id, 1, "chief")  # the round is called off
    assert store.traces.get(record.id).status == "accepted"


def test_bulk_actions_and_their_undo(store: Store) -> None:
    records = [store.traces.record(make_trace(answer=str(k)), author="tiny") for k in range(5)]
    why = {records[0].id: "It is a test."}
    action = store.rounds.review_all([r.id for r in records], "ann", "rejected", "blurred", why.get)
    assert action.reviewed == 4 and action.passed_over == (PassedOver(records[0].id, "It is a test."),)
    assert store.rounds.action(action.id) == replace(action, passed_over=())
    assert store.traces.counts()["rejected"] == 4
    store.reviews.record(records[1].head_id, "cy", "accepted")  # later, by somebody else
    store.reviews.undo("ann", records[2].id)  # already taken back by hand
    assert store.rounds.undo_all(action.id) == 3 and store.rounds.undo_all(action.id) == 0
    assert store.traces.counts() == {"new": 4, "edited": 0, "accepted": 1, "rejected": 0, "flagged": 0}
    with pytest.raises(NotFound):
        store.rounds.undo_all("nothing")
    with pytest.raises(InvalidInput):
        store.rounds.review_all([records[0].id], "ann", "wonderful")


def test_preferences_compare_attempts_at_the_same_question(store: Store) -> None:
    one = store.traces.record(make_trace(answer="a"), author="tiny")
    two = store.traces.record(make_trace(answer="b"), author="tiny")
    other = store.traces.record(make_trace("Another question?"), author="tiny")
    assert [i.id for i in store.preferences.siblings(one.id)] == [two.id]
    made = store.preferences.record(one.head_id, two.head_id, "ann", reason="reads the sign")
    assert store.preferences.list() == [made]
    for pair in ((one.head_id, other.head_id), (one.head_id, one.head_id)):
        with pytest.raises(InvalidInput):
            store.preferences.record(*pair, "ann")
    store.preferences.undo(made.id)
    assert store.preferences.list() == []


def test_what_was_taken_back_stays_in_the_history(store: Store) -> None:
    trace_id = store.traces.record(make_trace(), author="tiny").id
    for _ in range(2):  # what changes nothing is no event
        store.tags.add(trace_id, "glare", "ann")
        store.reservations.assign(trace_id, "bob", "eve")
        store.rounds.ask(trace_id, 3, "eve")
    for _ in range(2):
        store.tags.remove(trace_id, "glare", "bob")
        store.reservations.unassign(trace_id, "bob", "ann")
        store.rounds.ask(trace_id, 1, "ann")
    assert [(e.who, e.kind, e.detail) for e in store.history.of(trace_id)][1:] == [
        ("ann", "tagged", "glare"),
        ("eve", "assigned", "bob"),
        ("eve", "asked", "3 reviews"),
        ("bob", "untagged", "glare"),
        ("ann", "unassigned", "bob"),
        ("ann", "ended", "3 reviews"),
    ]
    with pytest.raises(sqlite3.IntegrityError, match="stays as it was"), store.transaction() as db:
        db.conn.execute("UPDATE trace_events SET who = 'nobody'")
