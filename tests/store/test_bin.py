"""Deleting: what is in the bin is nowhere else, comes back as it was, or leaves a tombstone and not a word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.store import Query, Store, Target, target_of
from engine.trace import Media

from .samples import PICTURE, make_trace, sha

BIN_TABLES = ("deletions", "bin_rows", "numbers_given", "sqlite_sequence")


def dump(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table but the bin's, in an order of its own."""
    names = [row[0] for row in store.connections.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    kept = [name for name in names if name not in BIN_TABLES and not name.startswith("trace_search_")]
    return {
        name: sorted((tuple(row) for row in store.connections.rows(f"SELECT rowid, * FROM {name}")), key=repr)
        if name == "trace_search"
        else sorted((tuple(row) for row in store.connections.rows(f"SELECT * FROM {name}")), key=repr)
        for name in kept
    }


@pytest.fixture
def worked_on(store: Store) -> tuple[Store, list[str]]:
    """Three attempts at one question and one at another, with all that people do to a trace."""
    records = [store.traces.record(make_trace(answer=answer), author="guest-0000000a") for answer in ("A", "B", "B")]
    other = store.traces.record(
        make_trace("Another?", media=Media(sha("other"), "image", 9, 9)), author="tiny", score=0.1
    )
    ids = [record.id for record in records] + [other.id]
    edited = store.revisions.append(ids[0], make_trace(answer="C"), "ann", records[0].head_id)
    store.drafts.record_edits(edited.id, [{"edit": "set_answer"}])
    store.drafts.save(ids[0], "ann", {"typed": "half"}, edited.id, True, 0)
    store.tags.add(ids[0], "glare", "ann")
    store.tags.add(ids[3], "far", "bob")
    store.reservations.assign(ids[0], "bob", "ann")
    store.reservations.take(ids[0], "ann")
    store.reviews.record(edited.id, "ann", "accepted", "well read")
    store.reviews.record(other.head_id, "bob", "rejected", "wrong")
    store.reviews.record(other.head_id, "ann", "accepted")
    store.rounds.ask(ids[1], 2, "ann")
    store.reviews.record(records[1].head_id, "ann", "accepted")
    store.reviews.record(records[1].head_id, "bob", "rejected")
    store.rounds.adjudicate(records[1].head_id, "eve", "rejected", "it guesses")
    store.rounds.review_all([ids[2]], "ann", "flagged")
    store.preferences.record(edited.id, records[1].head_id, "ann", reason="shorter")
    store.history.record_blank_check(edited.id, 0, "x", "y", True)
    store.examples.record("signs", make_trace().example, original_id="row 1", file_names=["a.png"])
    store.tags.save_view("ann", "mine", Query(tag="glare"))
    job = store.jobs.create("sft", {"left_out": []}, [7], {}, [edited.id, other.head_id])
    store.jobs.claim(job.id)
    store.jobs.set_state(job.id, "done")
    collecting = store.jobs.create("collect", {}, [], {})
    store.attempts.begin(collecting.id, 0, make_trace().example, "exact", None)
    costs = {"score": 1.0, "hit": None, "has_operation": True, "operation_errors": 0, "is_empty": False, "tokens": 9}
    for number, trace_id in enumerate((ids[0], ids[3], None)):
        store.attempts.record(collecting.id, 0, number, trace_id=trace_id, cpu_s=0.5, **costs)
    store.adapters.record("first", "adapters/a1", job.id, "tiny", "cd" * 32, {})
    return store, ids


TARGETS: dict[str, Callable[[list[str]], Target]] = {
    "one": lambda ids: target_of("trace", [ids[0]]),
    "two": lambda ids: target_of("trace", ids[:2]),
    "the newest": lambda ids: target_of("trace", [ids[3]]),
    "picture": lambda ids: target_of("picture", [PICTURE.sha256]),
    "visitor": lambda ids: target_of("person", ["guest-0000000a"]),
    "reviewer": lambda ids: target_of("person", ["bob"]),
    "annotator": lambda ids: target_of("person", ["ann"]),
    "before": lambda ids: target_of("before", ["2999-01-01"]),
}


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_deleted_comes_back_as_it_was(worked_on: tuple[Store, list[str]], name: str) -> None:
    store, ids = worked_on
    before = dump(store)
    deletion = store.bin.put(TARGETS[name](ids), "eve")
    assert dump(store) != before and store.verify(None).problems == ()
    assert [one.id for one in store.bin.list()] == [deletion.id]
    store.bin.restore(deletion.id)
    after = dump(store)
    assert {table: rows for table, rows in after.items() if rows != before[table]} == {}
    assert store.verify(None).problems == () and store.bin.list() == []
