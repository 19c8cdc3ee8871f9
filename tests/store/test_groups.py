"""Attempts that stand together are one row of the queue, whatever it is asked for and however its pages follow."""

from __future__ import annotations

import pytest

from engine.errors import NotFound
from engine.lab.bench.generated import fill
from engine.store import Query, Store, group_id

from .samples import make_trace


@pytest.fixture(scope="module")
def grouped(tmp_path_factory) -> Store:
    """Thirty-six groups of eight, and twelve traces that stand alone among them."""
    store = Store(tmp_path_factory.mktemp("groups") / "annotations.db")
    fill(store.connections, 300, seed=5, is_grouped=True)
    with store.transaction() as db:
        db.conn.execute("UPDATE traces SET group_id = NULL WHERE number % 25 = 3")
    return store


@pytest.mark.parametrize("order", ["newest", "oldest", "suggested", "updated"])
@pytest.mark.parametrize(
    "filters",
    [{}, {"outcome": "wrong"}, {"search": "wall"}, {"search": "lamp", "status": "new"}, {"since": "2026-04-10"}],
    ids=lambda filters: "-".join(filters) or "plain",
)
def test_pages_list_the_first_of_each_group_once(grouped: Store, order: str, filters: dict) -> None:
    query = Query(order=order, **filters)
    every = [grouped.traces.get(one).item for one in grouped.queue.ids(query, 1000)]
    seen: set[str] = set()
    expected = []
    for item in every:
        if item.group_id is None or item.group_id not in seen:
            expected.append(item.id)
            seen.add(item.group_id or item.id)
    assert 5 < len(expected) < len(every)
    walked: list[str] = []
    has_more = True
    while has_more:
        page = grouped.queue.page(query, limit=7, after=walked[-1] if walked else None)
        walked += [listed.item.id for listed in page.items]
        has_more = page.has_more
        assert has_more == (len(walked) < len(expected))
    assert walked == expected
    assert [listed.item.id for listed in grouped.queue.page(query, 5, 3).items] == expected[3:8]
    singly: list[str] = []
    has_more = True
    while has_more:
        page = grouped.queue.one_by_one(query, 40, singly[-1] if singly else None)
        singly += [listed.item.id for listed in page.items]
        has_more = page.has_more
    assert singly == [item.id for item in every]
    whole = grouped.queue.page(query, 1000)
    assert [listed.item.id for listed in whole.items] == expected
    assert (whole.total, whole.is_total_exact, whole.has_more) == (len(every), True, False)
    exact = grouped.queue.page(query, len(expected))
    assert ([listed.item.id for listed in exact.items], exact.total, exact.has_more) == (expected, len(every), False)


def test_a_row_knows_its_group(store: Store) -> None:
    together = group_id("job", 0)
    alone = store.traces.record(make_trace("Alone?"), author="tiny").id
    made = [
        store.traces.record(make_trace(answer=str(k)), author="tiny", score=float(k == 0), group_id=together).id
        for k in range(3)
    ]
    rows = store.queue.page().items
    assert [(row.item.id, row.group_size) for row in rows] == [(made[2], 3), (alone, 1)]
    right = store.queue.page(Query(outcome="right"))
    assert [(row.item.id, row.group_size) for row in right.items] == [(made[0], 3)]
    assert right.total == 1 and store.queue.page().total == 4
    assert [item.id for item in store.queue.group(made[1])] == made
    assert [item.id for item in store.queue.group(alone)] == [alone]
    assert sum(store.traces.counts().values()) == 4
    store.reviews.record(store.traces.get(made[2]).head_id, "ann", "accepted")
    assert [row.item.id for row in store.queue.page(Query(status="new")).items] == [made[1], alone]
    with pytest.raises(NotFound):
        store.queue.group("nobody")


def test_groups_are_found_by_their_index(grouped: Store) -> None:
    """A page of a million traces would not come in time by reading them."""
    member = next(one.item for one in grouped.queue.page(limit=100).items if one.item.group_id)
    read: list[str] = []
    connections = grouped.connections
    explained = {
        "SELECT count(*) FROM traces g WHERE g.group_id = ?": (member.group_id,),
        "SELECT g.* FROM traces t JOIN traces g ON g.id = t.id OR g.group_id = t.group_id WHERE t.id = ? "
        "ORDER BY g.number": (member.id,),
        "SELECT t.number, t.updated_at, s.facets FROM traces t JOIN trace_search s ON s.rowid = t.number "
        "WHERE t.group_id = ? AND t.number BETWEEN 0 AND 9": (member.group_id,),
    }
    for sql, parameters in explained.items():
        read += [row["detail"] for row in connections.rows("EXPLAIN QUERY PLAN " + sql, parameters)]
    assert not [detail for detail in read if detail.startswith("SCAN") and "VIRTUAL TABLE INDEX 0:=" not in detail], (
        read
    )
    assert member in grouped.queue.group(member.id)
