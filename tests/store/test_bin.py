"""Deleting: what is in the bin is nowhere else, comes back as it was, or leaves a tombstone and not a word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.errors import Conflict, InvalidInput, NotFound
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
    store.history.record_weighed_look(edited.id, 0, "y", 0.1, 0.9, "tiny")
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


def test_two_deletions_are_undone_in_any_order(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    before = dump(store)
    # ann's words on the first two traces, then the traces themselves, one by one: a preference names both, and the last
    # trace about the picture took the picture along.
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)):
        put = [
            store.bin.put(target, "eve").id
            for target in (
                target_of("person", ["bob"]),
                target_of("trace", [ids[0]]),
                target_of("trace", [ids[1]]),
                target_of("picture", [PICTURE.sha256]),
            )
        ]
        for which in order:
            store.bin.restore(put[which])
            assert store.verify(None).problems == ()
        after = dump(store)
        differing = {table for table, rows in after.items() if rows != before[table]}
        # When a trace was touched last is as before only where nothing was undone around it.
        assert differing <= {"traces", "trace_search"}
        assert [row.status for row in map(store.traces.get, ids)] == ["accepted", "rejected", "flagged", "accepted"]
        store.connections.database().conn.executemany(
            "UPDATE traces SET updated_at = ? WHERE id = ?",
            [(row[before_updated(store)], row[1]) for row in before["traces"]],
        )
        assert dump(store) == before


def before_updated(store: Store) -> int:
    """The place of `updated_at` in a row of traces."""
    names = [row[0] for row in store.connections.rows("SELECT name FROM pragma_table_info('traces')")]
    return names.index("updated_at")


def test_of_a_reviewer_only_what_they_said_goes(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    assert len(store.rounds.verdicts()) == 2
    plan = store.bin.plan(target_of("person", ["bob"]))
    assert (plan.traces, plan.reviews, plan.other_traces) == (0, 2, 3)
    store.bin.put(target_of("person", ["bob"]), "eve")
    assert sum(store.traces.counts().values()) == 4
    # What was decided follows from the reviews that are left, and so does agreement.
    assert store.traces.get(ids[3]).status == "accepted" and store.tags.of(ids[3]) == ()
    assert {review.reviewer for one in ids for review in store.reviews.list(one)} == {"ann"}
    assert store.rounds.verdicts() == []
    assert not any(row[0] for row in store.connections.rows("SELECT count(*) FROM assignments WHERE person = 'bob'"))


def test_of_an_annotator_go_the_traces_with_a_version_of_theirs(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    store.bin.put(target_of("person", ["ann"]), "eve")
    with pytest.raises(NotFound, match="in the bin"):
        store.traces.get(ids[0])
    assert store.traces.get(ids[1]).item.author == "guest-0000000a" and store.preferences.list() == []
    assert store.tags.views("ann") == []
    said = store.connections.rows("SELECT author FROM review_rounds")
    assert [row["author"] for row in said] == [""], "a round is others' work too: it stays without the name"


def test_no_number_is_given_twice(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    newest = store.traces.get(ids[3]).item.number
    deletion = store.bin.put(target_of("trace", [ids[3]]), "eve")
    added = store.traces.record(make_trace("Later?"), author="tiny")
    review = store.reviews.record(added.head_id, "ann", "rejected")
    assert added.item.number == newest + 1
    store.bin.restore(deletion.id)
    assert store.traces.get(ids[3]).item.number == newest and store.verify(None).problems == ()
    assert store.reviews.undo("ann") == store.reviews.get(review.id)


def test_a_picture_goes_with_its_examples_and_comes_in_again(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    store.bin.put(target_of("trace", ids[:3]), "eve")
    assert store.media.get(PICTURE.sha256), "an imported example is about it still"
    before = store.bin.plan(target_of("picture", [PICTURE.sha256]))
    assert (before.traces, before.examples, before.media) == (0, 1, (PICTURE.sha256,))
    deletion = store.bin.put(target_of("picture", [PICTURE.sha256]), "eve")
    assert store.bin.holds_media(PICTURE.sha256) and store.examples.data_sets() == []
    with pytest.raises(NotFound, match="media .* is in the bin"):
        store.traces.record(make_trace("Asked before it was deleted?"), author="tiny")
    store.media.record(PICTURE, "again.png")
    assert not store.bin.holds_media(PICTURE.sha256)
    store.bin.restore(deletion.id)
    assert store.media.get(PICTURE.sha256).name == "again.png" and store.examples.data_sets()[0].count == 1


def test_before_a_day_goes_what_was_recorded_then(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    store.media.record(Media(sha("unasked"), "image", 5, 5), "unasked.png")
    for table in ("traces", "media", "examples"):
        store.connections.database().conn.execute(f"UPDATE {table} SET created_at = '2020-02-02T10:00:00.000Z'")
    added = store.traces.record(make_trace("Today?"), author="tiny")
    with pytest.raises(InvalidInput, match="nothing of before 2020-02-02"):
        store.bin.put(target_of("before", ["2020-02-02"]), "eve")
    deletion = store.bin.put(target_of("before", ["2020-02-03"]), "eve")
    assert (deletion.traces, deletion.media) == (4, 2)
    assert [one.item.id for one in store.queue.page().items] == [added.id]
    assert store.media.get(PICTURE.sha256), "today's trace is about it"


def test_what_a_job_at_work_holds_is_not_deleted(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    job = store.jobs.create("sft", {}, [], {}, [store.traces.get(ids[1]).head_id])
    for _ in range(2):
        with pytest.raises(Conflict, match=f"job {job.id} is .* and holds 1 of these traces"):
            store.bin.put(target_of("picture", [PICTURE.sha256]), "eve")
        store.jobs.claim(job.id)
    assert store.bin.list() == [] and len(store.queue.page().items) == 4
    store.jobs.set_state(job.id, "failed")
    assert store.bin.put(target_of("picture", [PICTURE.sha256]), "eve").traces == 3
    assert store.jobs.revision_ids(job.id) == () and store.jobs.get(job.id).revision_count == 1


def test_many_are_deleted_and_restored_in_batches(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.bin._BATCH", 2)
    ids = [store.traces.record(make_trace(answer=str(number)), author="tiny").id for number in range(5)]
    first, last = (store.traces.get(one).head_id for one in (ids[0], ids[4]))
    store.preferences.record(first, last, "ann")
    before = dump(store)
    deletion = store.bin.put(target_of("trace", ids), "eve")
    assert deletion.traces == 5 and store.media.list() == []
    store.bin.restore(deletion.id)
    assert dump(store) == before and store.verify(None).problems == ()


@pytest.mark.parametrize(
    ("kind", "names"),
    [("trace", []), ("person", ["a", "b"]), ("before", ["yesterday"]), ("all", ["x"]), ("person", [""])],
)
def test_what_cannot_be_meant_is_refused(kind: str, names: list[str]) -> None:
    with pytest.raises(InvalidInput):
        target_of(kind, names)


def test_pages_go_on_after_a_trace_that_lies_in_the_bin(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    for order in ("newest", "oldest", "updated", "suggested"):
        listed = [one.item.id for one in store.queue.page(Query(order=order)).items]
        deletion = store.bin.put(target_of("trace", [listed[1]]), "eve")
        following = [one.item.id for one in store.queue.page(Query(order=order), after=listed[1]).items]
        # How much a deleted trace would teach is not known: there nothing is skipped, but some may come again.
        assert set(listed[2:]) <= set(following) and (order == "suggested" or following == listed[2:])
        store.bin.restore(deletion.id)


def test_what_is_derived_otherwise_meanwhile_is_derived_again(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    deletion = store.bin.put(target_of("trace", [ids[0]]), "eve")
    store.connections.database().conn.execute(
        "UPDATE bin_rows SET row = json_set(row, '$.trajectory', 'as it was called before') WHERE of_table = 'traces'"
    )
    store.bin.restore(deletion.id)
    assert store.verify(None).problems == ()


def test_an_export_does_not_bring_back_what_was_deleted(worked_on: tuple[Store, list[str]]) -> None:
    store, ids = worked_on
    dossier = store.dossiers.get(ids[3])
    store.bin.put(target_of("trace", [ids[3]]), "eve")
    with pytest.raises(NotFound, match="is in the bin: eve deleted it"):
        store.dossiers.record(dossier)
    store.emptying.empty()
    with pytest.raises(NotFound, match="was deleted on .* and cannot be restored"):
        store.dossiers.record(dossier)
