from __future__ import annotations

import threading

import pytest

from engine.errors import InvalidInput, NotFound
from engine.store import Query, Reserved, Store, reservations

from .samples import make_trace


def test_a_trace_has_one_holder_until_it_expires(store: Store) -> None:
    trace = store.traces.record(make_trace(), author="tiny").id
    assert store.reservations.take(trace, "ann", 60, at=1000).expires_at == 1060
    with pytest.raises(Reserved, match="ann is working on this trace, for 30 more seconds"):
        store.reservations.take(trace, "bob", 60, at=1030)
    assert store.reservations.take(trace, "ann", 60, at=1030).expires_at == 1090  # renewed
    with pytest.raises(Reserved):
        store.reservations.take(trace, "bob", 60, at=1089)
    assert store.reservations.take(trace, "bob", 60, at=1090).holder == "bob"  # stolen after expiry
    store.reservations.release(trace, "ann")  # no longer hers: nothing happens
    assert store.reservations.of(trace, at=1100).holder == "bob"
    store.reservations.release(trace, "bob")
    assert store.reservations.of(trace, at=1100) is None
    store.reservations.take(trace, "ann", at=100_000)
    assert store.reservations.take(trace, "bob", at=1000).holder == "bob"  # the clock was set back by a day
    with pytest.raises(NotFound):
        store.reservations.take("nothing", "ann")
    with pytest.raises(InvalidInput):
        store.reservations.take(trace, "")


def test_who_waited_for_the_store_finds_what_was_taken_meanwhile(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = store.traces.record(make_trace(), author="tiny").id
    clock = iter([1000.0, 1001.0, 1002.0])
    monkeypatch.setattr(reservations.time, "time", lambda: next(clock))
    refused: list[Reserved] = []
    is_asking = threading.Event()

    def bob() -> None:
        is_asking.set()
        with pytest.raises(Reserved) as told:
            store.reservations.take(trace, "bob")
        refused.append(told.value)

    with store.connections.write():
        waiting = threading.Thread(target=bob)
        waiting.start()
        is_asking.wait()
        waiting.join(0.2)
        store.reservations.take(trace, "ann")
    waiting.join()
    assert [one.reservation.holder for one in refused] == ["ann"]


def test_two_people_never_hold_the_same_trace(store: Store) -> None:
    traces = [store.traces.record(make_trace(answer=str(k)), author="tiny").id for k in range(12)]
    got: dict[str, list[str]] = {}
    errors: list[BaseException] = []

    def work(person: str) -> None:
        mine = got.setdefault(person, [])
        try:
            for trace in traces:
                try:
                    store.reservations.take(trace, person)
                    mine.append(trace)
                except Reserved:
                    continue
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"p{k}",)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(t for mine in got.values() for t in mine) == sorted(traces)


def test_assignments(store: Store) -> None:
    one, two = (store.traces.record(make_trace(answer=a), author="tiny").id for a in "ab")
    store.reservations.assign(one, "ann", "chief")
    assert store.reservations.assign(one, "ann", "other").author == "chief"
    assert [i.item.id for i in store.queue.page(Query(assigned_to="ann")).items] == [one]
    store.reservations.assign(two, "ann", "chief")
    assert store.queue.page(Query(assigned_to="ann")).total == 2
    store.reservations.unassign(one, "ann", "eve")
    assert [i.item.id for i in store.queue.page(Query(assigned_to="ann")).items] == [two]
