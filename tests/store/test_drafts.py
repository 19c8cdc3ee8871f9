from __future__ import annotations

import threading

import pytest

from engine.errors import NotFound
from engine.store import StaleDraft, Store

from .samples import make_trace


def test_a_draft_is_kept_by_compare_and_set(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    assert store.drafts.find(record.id, "ann") is None
    first = store.drafts.save(record.id, "ann", {"x": 1}, record.head_id, True, 0)
    second = store.drafts.save(record.id, "ann", {"x": 2}, record.head_id, True, first.counter)
    assert (first.counter, second.counter) == (1, 2)
    with pytest.raises(StaleDraft) as caught:
        store.drafts.save(record.id, "ann", {"x": 3}, record.head_id, True, first.counter)
    assert caught.value.saved == second == store.drafts.find(record.id, "ann")
    store.drafts.save(record.id, "bob", {"x": 9}, record.head_id, False, 0)  # another person's is another draft
    with pytest.raises(StaleDraft):
        store.drafts.discard(record.id, "ann", 1)
    store.drafts.discard(record.id, "ann", 2)
    assert store.drafts.find(record.id, "ann") is None
    with pytest.raises(NotFound):
        store.drafts.save("nothing", "ann", {}, record.head_id, True, 0)


def test_of_many_tabs_exactly_one_wins_each_turn(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    won, errors = [], []

    def tab(name: int) -> None:
        for _ in range(15):
            kept = store.drafts.find(record.id, "ann")
            counter = kept.counter if kept else 0
            try:
                saved = store.drafts.save(record.id, "ann", {"by": name}, record.head_id, True, counter)
                won.append(saved.counter)
            except StaleDraft:
                continue
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=tab, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(won) == list(range(1, len(won) + 1))
    assert store.drafts.find(record.id, "ann").counter == len(won)


def test_edits_of_a_revision(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    assert store.drafts.edits(record.head_id) == []
    store.drafts.record_edits(record.head_id, [{"edit": "confirm", "step": None}])
    assert store.drafts.edits(record.head_id) == [{"edit": "confirm", "step": None}]
