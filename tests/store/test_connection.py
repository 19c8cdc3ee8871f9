from __future__ import annotations

import multiprocessing
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlite_utils import Database

from engine.errors import Broken, InvalidSetting, Unavailable
from engine.store import Query, Store
from engine.store.connection import Connections

from .samples import make_trace


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_every_threads_connection_is_set_up_alike(tmp_path: Path, mode: str) -> None:
    with Store(tmp_path / "annotations.db", journal_mode=mode) as store:
        seen = []

        def look() -> None:
            conn = store.connections.database().conn
            names = ("journal_mode", "foreign_keys", "busy_timeout")
            seen.append((id(conn), *(conn.execute(f"PRAGMA {name}").fetchone()[0] for name in names)))

        look()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert [row[1:] for row in seen] == [(mode, 1, 30_000)] * 2
        assert seen[0][0] != seen[1][0]
        store.traces.record(make_trace(), author="tiny")
    with Store(tmp_path / "annotations.db", journal_mode="delete" if mode == "wal" else "wal") as store:
        assert store.queue.page().total == 1  # the mode can be changed later


def test_twenty_threads_write_for_seconds_and_none_is_locked_out(store: Store) -> None:
    ends_at = time.monotonic() + 3
    written, errors = [], []

    def work(name: str) -> None:
        mine = []
        try:
            while time.monotonic() < ends_at:
                record = store.traces.record(make_trace(answer=name), author=name)
                store.reviews.record(record.head_id, name, "accepted")
                store.queue.page(Query(search=name), limit=5)
                mine.append(record.id)
        except BaseException as error:
            errors.append(error)
        written.append(mine)

    threads = [threading.Thread(target=work, args=(f"thread{k}",)) for k in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert all(len(mine) > 0 for mine in written)
    assert store.traces.counts()["accepted"] == sum(map(len, written)) == len(store.reviews.accepted())
    assert store.verify(None).problems == ()


def test_two_stores_in_one_process_do_not_lock_each_other_out(store: Store) -> None:
    with Store(store.path) as other:
        errors: list[BaseException] = []

        def work(mine: Store) -> None:
            try:
                for _ in range(50):
                    mine.traces.record(make_trace(), author="x")
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(s,)) for s in (store, other) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert store.queue.page().total == 400


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.transaction():
        store.traces.record(make_trace(), author="tiny")
        raise RuntimeError
    assert store.queue.page().total == 0
    with store.transaction():
        for _ in range(3):
            store.traces.record(make_trace(), author="tiny")
    assert store.queue.page().total == 3


def test_an_inner_failure_leaves_the_outer_transaction_whole(store: Store) -> None:
    with store.transaction():
        store.traces.record(make_trace(), author="kept")
        with pytest.raises(ZeroDivisionError), store.transaction():
            store.traces.record(make_trace(), author="dropped")
            _ = 1 / 0
    assert [listed.item.author for listed in store.queue.page().items] == ["kept"]


def test_a_lock_that_another_process_keeps_is_one_sentence(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db", busy_timeout_s=0.2) as store:
        stranger = sqlite3.connect(store.path, isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked by another process"):
            store.traces.record(make_trace(), author="tiny")
        stranger.execute("ROLLBACK")
        stranger.close()
        store.traces.record(make_trace(), author="tiny")


def test_foreign_keys_are_enforced(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
        db.execute("INSERT INTO job_events (job_id, kind, data, created_at) VALUES ('nothing', 'log', '{}', '')")


def test_what_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "page.db").write_text("<html>" * 1000)
    with pytest.raises(Unavailable, match="cannot be used"):
        Store(tmp_path / "page.db")
    with pytest.raises(InvalidSetting, match="journal mode"):
        Store(tmp_path / "x.db", journal_mode="off")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(InvalidSetting):
        Store(tmp_path / "folder.db")


def test_a_closed_store_says_so_and_a_thread_that_ended_leaves_no_connection(store: Store) -> None:
    thread = threading.Thread(target=lambda: store.queue.page())
    thread.start()
    thread.join()
    del thread
    assert len(store.connections._all) == 1
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.queue.page()


def test_a_thread_that_comes_while_the_store_closes_leaves_no_connection(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, opened, said = store.connections._connect, [], []

    def slowly() -> Database:
        opened.append(connect())
        store.close()
        return opened[0]

    def work() -> None:
        for look in (store.connections.database, lambda: opened[0].execute("SELECT 1")):
            try:
                look()
            except (ValueError, sqlite3.ProgrammingError) as error:
                said.append(str(error))

    monkeypatch.setattr(store.connections, "_connect", slowly)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert said == [f"the store at {store.path} is closed", "Cannot operate on a closed database."]


def _record_in_child(store: Store, results: multiprocessing.Queue) -> None:
    results.put(store.traces.record(make_trace(), author="child").id)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_opens_its_own_connection(store: Store) -> None:
    store.traces.record(make_trace(), author="parent")
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    child = context.Process(target=_record_in_child, args=(store, results))
    child.start()
    recorded = results.get(timeout=30)
    child.join(30)
    assert child.exitcode == 0
    store.traces.record(make_trace(), author="parent")
    assert store.traces.get(recorded).item.author == "child"
    assert store.verify(None).problems == ()


def test_a_full_disk_is_a_sentence_and_ends_when_there_is_room(tmp_path):
    connections = Connections(tmp_path / "a.db")
    with connections.write() as db:
        db.conn.execute("CREATE TABLE things (text)")
    conn = connections.database().conn
    conn.execute("PRAGMA max_page_count = 3")
    with pytest.raises(Broken, match="a.db is full, so nothing of this was kept"), connections.write() as db:
        db.conn.execute("INSERT INTO things VALUES (?)", ("x" * 100_000,))
    assert connections.rows("SELECT * FROM things") == [] and "is full" in (connections.problem or "")
    conn.execute("PRAGMA max_page_count = 100000")
    with connections.write() as db:
        db.conn.execute("INSERT INTO things VALUES (?)", ("x" * 100_000,))
    assert connections.problem is None
    connections.close()


def test_a_file_that_cannot_be_written_is_a_sentence_and_is_read_on(tmp_path):
    connections = Connections(tmp_path / "a.db")
    with connections.write() as db:
        db.conn.execute("CREATE TABLE things (text)")
        db.conn.execute("INSERT INTO things VALUES ('kept')")
    conn = connections.database().conn
    conn.execute("PRAGMA query_only = 1")  # SQLite's answer to a disk that was mounted read-only
    with pytest.raises(Broken, match="cannot be written .* its host has to allow it"), connections.write() as db:
        db.conn.execute("INSERT INTO things VALUES ('lost')")
    assert [row["text"] for row in connections.rows("SELECT * FROM things")] == ["kept"]
    assert "cannot be written" in (connections.problem or "")
    conn.execute("PRAGMA query_only = 0")
    with connections.write() as db:
        db.conn.execute("INSERT INTO things VALUES ('more')")
    assert connections.problem is None
    connections.close()


def test_a_damaged_page_is_a_sentence_and_stays_a_problem(tmp_path):
    connections = Connections(tmp_path / "a.db", "delete")
    with connections.write() as db:
        db.conn.execute("CREATE TABLE good (text)")
        db.conn.execute("CREATE TABLE things (text)")
        db.conn.executemany("INSERT INTO things VALUES (?)", [("x" * 3000,) for _ in range(20)])
    connections.close()
    pages = (tmp_path / "a.db").read_bytes()
    (tmp_path / "a.db").write_bytes(pages[: 4096 * 2] + b"\xff" * 4096 + pages[4096 * 3 :])
    connections = Connections(tmp_path / "a.db", "delete")
    with pytest.raises(Broken, match="is damaged .*verify --repair"):
        connections.rows("SELECT * FROM things")
    with connections.write() as db:
        db.conn.execute("INSERT INTO good VALUES ('kept')")
    assert "is damaged" in (connections.problem or "")
    connections.close()
