"""A page of the queue stays cheap however many traces there are: held by the query plan, not by a stopwatch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from engine.store import Filters, Store
from engine.store.traces import COUNT_LIMIT

from .samples import make_trace

COUNT = 5_000


@pytest.fixture(scope="module")
def full_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    chance = random.Random(0)
    with Store(tmp_path_factory.mktemp("queue") / "annotations.db") as store:
        with store.transaction():
            for k in range(COUNT):
                colour = chance.choice(["red", "green", "blue"])
                trace = make_trace(f"What is on the {colour} disc?", f"word{k}", policy=f"policy{k % 3}")
                record = store.traces.record(
                    trace, author="tiny", example_source=f"mini-signs/test/{k}", score=float(k % 2)
                )
                if k % 4 == 0:
                    store.reviews.record(record.head_id, "ann", "accepted")
        yield store


CASES: dict[str, dict[str, Any]] = {
    "newest": {},
    "oldest": {"order": "oldest"},
    "updated": {"order": "updated"},
    "status": {"status": "accepted"},
    "status, updated": {"status": "accepted", "order": "updated"},
    "status as a filter, oldest": {"filters": Filters(status="accepted"), "order": "oldest"},
    "filters": {"filters": Filters(policy="policy1", has_operation=True, outcome="right")},
    "search": {"search": "red disc"},
    "search, filters": {"search": "blue", "status": "accepted", "filters": Filters(policy="policy2")},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("is_following", [False, True])
def test_a_page_reads_an_index_in_its_order(full_store: Store, name: str, is_following: bool) -> None:
    arguments = dict(CASES[name])
    if is_following:
        arguments["after"] = full_store.traces.page(**arguments).items[-1].id
    statements: list[str] = []
    conn = full_store.connections.database().conn
    conn.set_trace_callback(statements.append)
    try:
        page = full_store.traces.page(**arguments)
    finally:
        conn.set_trace_callback(None)
    assert len(page.items) == 50
    # FTS5 runs statements of its own ("-- ..."); ours are the outer ones.
    own = [s for s in statements if s.lstrip().startswith(("SELECT", "WITH")) and "'main'" not in s]
    assert own
    for statement in own:
        plan = [row["detail"] for row in full_store.connections.rows(f"EXPLAIN QUERY PLAN {statement}")]
        text = f"{statement}\n{plan}"
        # Only the rows of the page itself, at most `limit`, may be put in order after they were found.
        sorts = [line for line in plan if "TEMP B-TREE" in line]
        assert sorts == [] or ("SCAN hits" in plan and plan[-1:] == sorts), f"sorts: {text}"
        for line in plan:
            if line.startswith("SCAN traces"):
                # Walking the table in the order of its key, or an index in its order, and stopping at the page's end.
                assert "LIMIT" in statement and ("USING INDEX" in line or "ORDER BY number" in statement), text


@pytest.mark.parametrize("name", [name for name in CASES if "order" not in CASES[name]])
def test_the_work_for_a_page_does_not_grow_with_the_table(
    full_store: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in SQLite's virtual machine steps: the same page with ten times fewer traces below it. Totals are counted
    no further than 100, so that the page itself is what is compared."""
    monkeypatch.setattr("engine.store.traces.COUNT_LIMIT", 100)

    def work(**arguments: Any) -> int:
        conn, steps = full_store.connections.database().conn, 0

        def count() -> None:
            nonlocal steps
            steps += 1

        conn.set_progress_handler(count, 100)
        try:
            full_store.traces.page(**arguments)
        finally:
            conn.set_progress_handler(None, 0)
        return steps

    near_the_end = full_store.traces.page(order="oldest", offset=COUNT // 10, limit=1).items[0].id
    assert work(**CASES[name]) <= 2 * work(**CASES[name], after=near_the_end) + 20


def test_totals(full_store: Store) -> None:
    assert (full_store.traces.page().total, full_store.traces.page("accepted").total) == (COUNT, COUNT // 4)
    page = full_store.traces.page(search="disc")
    assert (page.total, page.is_total_exact) == (COUNT_LIMIT, False)
    page = full_store.traces.page(search="word77")
    assert page.is_total_exact and page.total == len(page.items) == 11  # word77, word770 ... word779


@pytest.mark.parametrize("name", ["policies", "sources"])
def test_what_a_filter_offers_steps_from_value_to_value(full_store: Store, name: str) -> None:
    statements: list[str] = []
    conn = full_store.connections.database().conn
    conn.set_trace_callback(statements.append)
    try:
        found = getattr(full_store.traces, name)()
    finally:
        conn.set_trace_callback(None)
    assert found == {"policies": ["policy0", "policy1", "policy2"], "sources": ["mini-signs"]}[name]
    plan = [row["detail"] for row in full_store.connections.rows(f"EXPLAIN QUERY PLAN {statements[0]}")]
    assert all("COVERING INDEX" in line or "INDEX traces_by" in line for line in plan if "traces" in line), plan
    assert not any(line.startswith("SCAN traces") for line in plan), plan


def test_a_count_that_would_take_long_is_a_lower_bound(full_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.store.traces.COUNT_LIMIT", 100)
    page = full_store.traces.page(search="disc")
    assert (page.total, page.is_total_exact) == (100, False)
    assert full_store.traces.page("accepted").is_total_exact
