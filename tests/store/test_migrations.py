"""Every migration runs on a populated database of the version before it.

A new migration needs a new entry in `ROWS` (rows that a database of exactly that version may hold; it may be empty
where it brings no tables), and `test_every_migration_has_rows` fails until it has one. Released entries never change.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

from engine.errors import Unavailable
from engine.store import Filters, Query, Store
from engine.store.migrations import schema

NAMES = [m.name for m in schema.pending(Database(memory=True))]

MEDIA = "ab" * 32
TRACE = {
    "version": 1,
    "id": None,
    "question": "What is written on the red disc?",
    "answer": "KX7421",
    "stop_reason": "answered",
    "policy": "tiny",
    "protocol": "studio",
    "media": [{"sha256": MEDIA, "kind": "image", "width": 1024, "height": 768}],
    "views": [
        {"number": 1, "sha256": MEDIA, "frame": None, "box": [0.0, 0.0, 1.0, 1.0]},
        {"number": 2, "sha256": MEDIA, "frame": None, "box": [0.31, 0.4, 0.45, 0.5]},
    ],
    "steps": [
        {
            "thought": "The sign hangs far away.",
            "operation": {"name": "zoom_in", "view": 1, "box": [0.31, 0.4, 0.45, 0.5]},
            "observation": {"views": [2], "error": None},
            "is_erroneous": False,
        },
        {"thought": "I read it.", "answer": "KX7421"},
    ],
}
TEXT = json.dumps(TRACE, sort_keys=True, separators=(",", ":"))
HASH = hashlib.sha256(TEXT.encode()).hexdigest()

ROWS: dict[str, dict[str, list[dict[str, object]]]] = {
    "m001_media": {
        "media": [{"sha256": MEDIA, "kind": "image", "width": 1024, "height": 768, "name": "street.jpg",
                   "byte_size": 9, "created_at": "2026-01-01T00:00:00.000Z"}],
    },
    "m002_traces": {
        "revisions": [{"id": f"r{k}", "trace_id": f"t{k}", "parent_id": None, "number": 1, "author": "tiny",
                       "created_at": "2026-01-01T00:00:00.000Z", "hash": HASH, "trace_json": TEXT} for k in (1, 2)],
        "traces": [{"number": k, "id": f"t{k}", "head_id": f"r{k}", "status": status, "question": TRACE["question"],
                    "answer": "KX7421", "stop_reason": "answered", "policy": "tiny", "protocol": "studio",
                    "media_sha256": MEDIA, "media_kind": "image", "step_count": 2, "has_operation": 1,
                    "operation_errors": 0, "score": 1.0, "gold": "KX7421", "source": "mini-signs/test/1",
                    "author": "tiny", "policy_settings": "{}", "options": "[]", "evidence": None,
                    "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z"}
                   for k, status in ((1, "new"), (2, "accepted"))],
        "trace_media": [{"trace_id": "t1", "sha256": MEDIA}, {"trace_id": "t2", "sha256": MEDIA}],
    },
    "m003_reviews": {
        "reviews": [{"number": 1, "id": "v1", "trace_id": "t2", "revision_id": "r2", "reviewer": "ann",
                     "verdict": "accepted", "reason": "", "created_at": "2026-01-01T00:00:00.000Z",
                     "undone_at": None}],
    },
    "m004_jobs": {
        "jobs": [{"number": 1, "id": "j1", "kind": "sft", "state": "done", "message": "", "progress": 1.0,
                  "config": '{"steps":3}', "seeds": "[7]", "versions": "{}",
                  "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
                  "started_at": None, "finished_at": None, "owner": None, "heartbeat_at": None}],
        "job_revisions": [{"job_id": "j1", "position": 0, "revision_id": "r2"}],
        "job_events": [{"id": 1, "job_id": "j1", "step": 1, "kind": "metric", "data": '{"loss":0.5}',
                        "created_at": "2026-01-01T00:00:00.000Z"}],
    },
    "m005_adapters": {
        "adapters": [{"number": 1, "id": "a1", "name": "first", "path": "adapters/a1", "job_id": "j1",
                      "base_model": "tiny", "base_hash": "cd", "metrics": "{}",
                      "created_at": "2026-01-01T00:00:00.000Z"}],
        "promotions": [{"number": 1, "adapter_id": "a1", "author": "ann", "created_at": "2026-01-01T00:00:00.000Z"}],
    },
    "m006_counts": {},
    "m007_search": {},
    "m008_views": {},
    "m009_curation_tables": {
        "trace_tags": [{"trace_id": "t1", "tag": "glare", "author": "ann", "created_at": "2026-01-01T00:00:00.000Z"}],
        "assignments": [{"trace_id": "t1", "person": "bob", "author": "ann", "created_at": "2026-01-01T00:00:00.000Z"}],
        "drafts": [{"trace_id": "t1", "author": "ann", "counter": 3, "base_revision_id": "r1", "is_changed": 1,
                    "data": "{}", "updated_at": "2026-01-01T00:00:00.000Z"}],
        "review_rounds": [{"trace_id": "t1", "wanted": 2, "state": "open", "author": "ann",
                           "created_at": "2026-01-01T00:00:00.000Z"}],
    },
    "m010_curation_facets": {},
    "m011_reference_indexes": {},
    "m012_search_as_typed": {},
    "m013_touched_and_confidence": {},
    "m014_rule": {},
}  # fmt: skip


def build(path: Path, until: int) -> dict[str, list[dict[str, object]]]:
    """A database at the version of the first `until` migrations, populated; the rows that were put in."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA foreign_keys = ON")
    database = Database(connection)
    schema.apply(database, stop_before=NAMES[until:])
    put: dict[str, list[dict[str, object]]] = {}
    connection.execute("BEGIN")
    for name in NAMES[:until]:
        for table, rows in ROWS[name].items():
            put[table] = rows
            for row in rows:
                marks = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    if "m010_curation_facets" in NAMES[:until]:  # from then on the row repeats these of its head
        key = hashlib.sha256(json.dumps([TRACE["question"], [MEDIA]], separators=(",", ":")).encode()).hexdigest()[:32]
        connection.execute("UPDATE traces SET example_key = ?, trajectory = 'single_pass'", (key,))
    connection.execute("COMMIT")
    assert [m.name for m in schema.applied(database)] == NAMES[:until]
    connection.close()
    return put


def test_every_migration_has_rows() -> None:
    assert list(ROWS) == NAMES


@pytest.mark.parametrize("until", range(len(NAMES) + 1), ids=["nothing", *NAMES])
def test_a_populated_database_of_each_version_is_brought_up_to_date(tmp_path: Path, until: int) -> None:
    put = build(tmp_path / "annotations.db", until)
    with Store(tmp_path / "annotations.db") as store:
        assert [m.name for m in schema.applied(store.connections.database())] == NAMES
        for table, rows in put.items():
            kept = [dict(row) for row in store.connections.rows(f"SELECT * FROM {table}")]
            assert [{name: row[name] for name in rows[0]} for row in kept] == rows
        assert store.verify(None).problems == ()
        if until < 2:
            return
        # What the old database held is found in everything that later versions brought.
        assert store.traces.counts()["accepted"] == 1
        assert store.traces.page(search="hangs").total == 2
        assert [i.id for i in store.traces.page(search="red", filters=Filters(status="accepted")).items] == ["t2"]
        assert store.traces.page(filters=Filters(source="mini-signs", outcome="right", has_operation=True)).total == 2
        assert [r.id for r in store.reviews.accepted()] == ["r2"]
        assert [i.item.id for i in store.queue.page(Query(trajectory="single_pass", rapr="always")).items] == [
            "t2",
            "t1",
        ]
        if until >= 9:
            assert [i.item.id for i in store.queue.page(Query(tag="glare", assigned_to="bob")).items] == ["t1"]
            assert store.drafts.find("t1", "ann").counter == 3
        if until >= 3:
            assert store.reviews.undo("ann").id == "v1"
            assert store.traces.counts()["accepted"] == 0
            assert store.traces.page("new", "red").total == 2
        if until >= 5:
            assert store.adapters.live().id == "a1"


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    def dump() -> list[tuple[object, ...]]:
        connection = sqlite3.connect(tmp_path / "annotations.db")
        rows = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()
        rows += connection.execute("SELECT * FROM _sqlite_migrations").fetchall()
        connection.close()
        return rows

    Store(tmp_path / "annotations.db").close()
    first = dump()
    Store(tmp_path / "annotations.db").close()
    assert dump() == first


def test_a_failing_migration_leaves_the_version_before_it(tmp_path: Path) -> None:
    steps = Migrations("example")

    @steps()
    def one(db: Database) -> None:
        db.execute("CREATE TABLE a (x)")

    @steps()
    def two(db: Database) -> None:
        db.executescript("CREATE TABLE b (x); INSERT INTO a VALUES (1); INSERT INTO nothing VALUES (1);")

    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    database = Database(connection)
    with pytest.raises(sqlite3.OperationalError):
        steps.apply(database)
    assert [m.name for m in steps.applied(database)] == ["one"]
    assert database["a"].exists() and not database["b"].exists() and database["a"].count == 0
    connection.close()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db") as store, store.transaction() as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('studio', 'm999_future', '')"
        )
    with pytest.raises(Unavailable, match="newer version.*m999_future"):
        Store(tmp_path / "annotations.db")


def _open(path: Path, results: multiprocessing.Queue) -> None:
    try:
        Store(path).close()
        results.put(None)
    except BaseException as error:
        results.put(repr(error))


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_open, args=(tmp_path / "annotations.db", results)) for _ in range(3)]
    for process in processes:
        process.start()
    assert [results.get(timeout=180) for _ in processes] == [None] * 3
    for process in processes:
        process.join(30)
    with Store(tmp_path / "annotations.db") as store:
        assert [m.name for m in schema.applied(store.connections.database())] == NAMES


def test_the_views_for_people_who_paste_queries(tmp_path: Path) -> None:
    build(tmp_path / "annotations.db", len(NAMES))
    with Store(tmp_path / "annotations.db") as store:
        steps = [dict(row) for row in store.connections.rows("SELECT * FROM steps WHERE trace_id = 't1' ORDER BY step")]
        assert [(s["step"], s["operation"], s["answer"], s["is_erroneous"]) for s in steps] == [
            (1, "zoom_in", None, 0),
            (2, None, "KX7421", 0),
        ]
        assert json.loads(steps[0]["box"]) == [0.31, 0.4, 0.45, 0.5] and json.loads(steps[0]["new_views"]) == [2]
        heads = store.connections.rows("SELECT * FROM trace_heads ORDER BY id")
        assert [(h["id"], h["status"], h["revision_number"], h["hash"]) for h in heads] == [
            ("t1", "new", 1, HASH),
            ("t2", "accepted", 1, HASH),
        ]
        assert len(store.connections.rows("SELECT * FROM standing_reviews")) == 1
        store.reviews.undo("ann")
        assert store.connections.rows("SELECT * FROM standing_reviews") == []
        assert [r["value"] for r in store.connections.rows("SELECT value FROM job_metrics")] == [0.5]
