"""Recording costs the same however many traces there are: no reference is checked by scanning."""

from __future__ import annotations

from engine.store import Store

from .samples import make_trace


def test_every_column_that_refers_to_something_begins_an_index(store: Store) -> None:
    # While a deferred reference is open, SQLite searches these columns at each new trace or revision.
    missing = []
    tables = [r[0] for r in store.connections.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        firsts = {
            store.connections.rows(f"SELECT name FROM pragma_index_info('{row['name']}') ORDER BY seqno")[0][0]
            for row in store.connections.rows(f"SELECT name FROM pragma_index_list('{table}')")
        }
        for row in store.connections.rows(f'SELECT "table", "from" FROM pragma_foreign_key_list(\'{table}\')'):
            if row["table"] in ("traces", "revisions") and row["from"] not in firsts:
                missing.append(f"{table}.{row['from']}")
    assert missing == []


def test_recording_reads_no_other_traces(store: Store) -> None:
    def steps() -> int:
        count = 0

        def tick() -> int:
            nonlocal count
            count += 1
            return 0

        conn = store.connections.database().conn
        conn.set_progress_handler(tick, 1)
        store.traces.record(make_trace("Alone?"), author="tiny")
        conn.set_progress_handler(None, 0)
        return count

    steps()
    few = steps()
    with store.transaction():
        for k in range(300):
            store.traces.record(make_trace(f"Other {k}?"), author="tiny")
    assert steps() < few + 600  # a scan of 300 rows would take thousands of instructions more
