from __future__ import annotations

import hashlib
import json
import multiprocessing
import sqlite3
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings

from engine.errors import Conflict, InvalidInput, NotFound
from engine.store import StaleRevision, Store
from engine.trace import Media, Trace
from engine.trace_json import trace_to_json

from .samples import hash_of, make_trace, sha, traces


@settings(max_examples=60, deadline=None)
@given(trace=traces())
def test_what_is_recorded_is_what_is_got(shared_store: Store, trace: Trace) -> None:
    record = shared_store.traces.record(trace, author="hypothesis")
    head = shared_store.revisions.head(record.id)
    assert head.trace == trace
    assert head.id == record.head_id
    assert head.hash == hash_of(None, trace)
    assert shared_store.revisions.get(head.id) == head
    assert shared_store.revisions.list(record.id) == [head]


@settings(max_examples=30, deadline=None)
@given(first=traces(), second=traces())
def test_hash_is_over_parent_and_canonical_json(first: Trace, second: Trace) -> None:
    text = json.dumps(trace_to_json(second, None), sort_keys=True, separators=(",", ":"))
    parent = hash_of(None, first)
    assert hash_of(parent, second) == hashlib.sha256((parent + text).encode()).hexdigest()
    assert (hash_of(None, first) == hash_of(None, second)) == (first == second)


def test_append_moves_the_head_and_chains_the_hash(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny", score=0.0)
    edited = make_trace(answer="KX7427")
    revision = store.revisions.append(record.id, edited, "ann", record.head_id, score=1.0)
    assert store.revisions.head(record.id) == revision
    assert revision.trace == edited
    assert (revision.number, revision.parent_id, revision.author) == (2, record.head_id, "ann")
    assert revision.hash == hash_of(store.revisions.get(record.head_id).hash, edited)
    after = store.traces.get(record.id)
    assert (after.status, after.item.answer, after.score) == ("edited", "KX7427", 1.0)
    assert [r.number for r in store.revisions.chain(record.id)] == [1, 2]


def test_score_is_forgotten_when_the_answer_changes_and_kept_when_it_does_not(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny", score=1.0)
    head = store.revisions.append(record.id, make_trace(thought="Another thought."), "ann", record.head_id)
    assert store.traces.get(record.id).score == 1.0
    store.revisions.append(record.id, make_trace(answer="?"), "ann", head.id)
    assert store.traces.get(record.id).score is None


def test_a_stale_append_raises_and_is_kept_as_a_branch(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    first = store.revisions.append(record.id, make_trace(answer="A"), "ann", record.head_id)
    with pytest.raises(StaleRevision) as caught:
        store.revisions.append(record.id, make_trace(answer="B"), "bob", record.head_id)
    assert isinstance(caught.value, Conflict)
    assert "ann" in str(caught.value) and caught.value.head == first
    assert store.revisions.head(record.id) == first
    assert store.revisions.branches(record.id) == [caught.value.kept]
    assert caught.value.kept.trace.answer == "B"
    assert store.traces.get(record.id).item.answer == "A"
    # The branch can be taken after all, on top of what stands.
    taken = store.revisions.append(record.id, caught.value.kept.trace, "bob", first.id)
    assert store.revisions.head(record.id) == taken
    assert store.verify(None).problems == ()


def test_a_save_sent_twice_is_one_save(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    edited = make_trace(answer="A")
    first = store.revisions.append(record.id, edited, "ann", record.head_id)
    assert store.revisions.append(record.id, edited, "ann", record.head_id) == first
    assert len(store.revisions.list(record.id)) == 2


def test_append_refuses_foreign_parents_and_other_media(store: Store) -> None:
    one = store.traces.record(make_trace(), author="tiny")
    other = store.traces.record(make_trace(), author="tiny")
    with pytest.raises(NotFound):
        store.revisions.append(one.id, make_trace(answer="A"), "ann", other.head_id)
    with pytest.raises(NotFound):
        store.revisions.append("nothing", make_trace(), "ann", one.head_id)
    elsewhere = Media(sha("other"), "image", 10, 10)
    with pytest.raises(InvalidInput):
        store.revisions.append(one.id, make_trace(media=elsewhere), "ann", one.head_id)
    assert len(store.revisions.list(one.id)) == 1


def test_a_revision_never_changes(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    with pytest.raises(sqlite3.IntegrityError, match="never changes"), store.transaction() as db:
        db.execute("UPDATE revisions SET author = 'eve' WHERE id = ?", (record.head_id,))


def append_until_in(store: Store, trace_id: str, name: str, times: int) -> int:
    """Appends `times` versions on the head, trying again after each conflict; returns how many conflicts there were."""
    conflicts = 0
    for k in range(times):
        while True:
            head = store.revisions.head(trace_id)
            try:
                store.revisions.append(trace_id, make_trace(answer=f"{name}-{k}-{conflicts}"), name, head.id)
                break
            except StaleRevision:
                conflicts += 1
    return conflicts


def test_eight_threads_lose_nothing(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    barrier, conflicts, errors = threading.Barrier(8), [], []

    def work(name: str) -> None:
        try:
            barrier.wait()
            conflicts.append(append_until_in(store, record.id, name, 10))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"t{k}",)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(store.revisions.chain(record.id)) == 1 + 8 * 10
    assert len(store.revisions.branches(record.id)) == sum(conflicts)
    assert store.verify(None).problems == ()


def _append_in_process(path: Path, trace_id: str, name: str, results: multiprocessing.Queue) -> None:
    with Store(path) as store:
        results.put(append_until_in(store, trace_id, name, 25))


def test_two_processes_lose_nothing(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [
        context.Process(target=_append_in_process, args=(store.path, record.id, name, results)) for name in "ab"
    ]
    for process in processes:
        process.start()
    conflicts = [results.get(timeout=180) for _ in processes]
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert len(store.revisions.chain(record.id)) == 1 + 2 * 25
    assert len(store.revisions.branches(record.id)) == sum(conflicts)
    assert store.verify(None).problems == ()


def test_one_of_eight_wins_a_race_for_the_same_head(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    barrier, won, lost = threading.Barrier(8), [], []

    def work(name: str) -> None:
        barrier.wait()
        try:
            won.append(store.revisions.append(record.id, make_trace(answer=name), name, record.head_id))
        except StaleRevision as error:
            lost.append(error.kept)

    threads = [threading.Thread(target=work, args=(f"t{k}",)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.id for r in won] == [store.revisions.head(record.id).id]
    assert {r.id for r in lost} == {r.id for r in store.revisions.branches(record.id)} and len(lost) == 7
