"""Released migrations are frozen, and a database of every version that was ever committed is one of today.

How to add a migration: CONTRIBUTING.md.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database, Migrations

import engine.store.queue
import engine.store.schema
from engine.errors import Unavailable
from engine.media import MediaFolder
from engine.store import Query, Store
from engine.store.schema import migrations
from engine.trace import Step

from .samples import make_trace

FOLDER = Path(engine.store.schema.__file__).parent
ROOT = FOLDER.parents[2]
GOLDEN = Path(__file__).parent / "golden"
NAMES = [m.name for m in migrations().pending(Database(memory=True))]

FROZEN = {
    "m001_media": "6b2fb8c096114d12c194ec5a73382a85a00d1dccc7869c3a98f6a59872353fbb",
    "m002_traces": "abe7a8922d862acd02d61fa7462bc5e8068abf2df04a81fb32ace7b86daa306b",
    "m003_reviews": "938dbc1bfc6b614dc7fb0a8378914946bd990638f4dae109fccfc069981d2f07",
    "m004_jobs": "9d471c28ef218f77fe098fb5543b8d199de25308f19ff7a89b6f8b0b974c6462",
    "m005_adapters": "bf893a50e97e9167efcff6cbdfd56dd8a506ecac800e60cba364891f682df5a2",
    "m006_counts": "2ca218681c7f11e80a8f72475979218a21d646679af84cd68565e60c7a76fac8",
    "m007_search": "6af43b9a27d85d51ce5ca0e520afc5e5cb7a8a55906caec8fb9a70d2ceb14ee5",
    "m008_views": "2f589ac9ae3f4c63d383636670d6751e0f87197d87848df447887f907151056f",
    "m009_curation_tables": "9eef3ce5a7c36fee34129a6f59e404bbe5082b7e3421c118a0dc2f4e89c9efe3",
    "m010_curation_facets": "af1926cde7d9fa19ae4d9ef5a22d2c33554c74f8c974f6c1bd7930710976d6b4",
    "m011_reference_indexes": "a6cd85b9e229a99fad35155a4b68cd3667393eb302a88a3ec5be6e73dc899b6e",
    "m012_search_as_typed": "1847ed16ebb2b77cb0e8449285abfe06bd7f2385722104fc2b91cfbdc9aad133",
    "m013_touched_and_confidence": "fee6147dfd31a014862fc818187df17ee5353e3b096a1c1654fa91d911720427",
    "m014_rule": "4744a351045227f3caaea93168fadc715f5eb434643716555a04f59e6c26e67c",
    "m015_derivations": "87a67177c97780afbd880db405a239d5e52825df47b94087fcbe54c98666fd4e",
    "m016_lessons": "bbbb221faa26de849b9505f32a479d70d04776109e18e8384ca2f854dbe92851",
    "m017_events": "c008d6bd54d6928fb2a90b05ff626203efeafb9184faa3aa0abf8c91d5663b1f",
    "m018_example": "ac4798ebd357955e92d2fe663da494f84cc2322f135ec207f28c54f4eb0f8245",
    "m019_examples": "9a251ad477855e23f7878382e57ad32aba7457a6cd5e5039245954a3099c683e",
    "m020_attempts": "dbaf65528e6c94134e224ccb0a666eda0b7e7ac6bce573384c0a4a54a5ffbe2f",
    "m021_bin": "29bc8ec785bbba736de66276cbe7a727edf1a1b8a4a93311c52f8cdec5c02aee",
    "m022_equal_lessons": "544cc30f76c24985c29554cb994a41479fea8eca3fda932c1ed1576294fae4df",
    "m023_look_worths": "a4680b997bbe2c8717c2ff3c8c46b5bdc86003b9756f453c6bc549e06dd3e0a6",
    "m024_people": "a134077b8edb86cf16c929fbf5282b50944d8351ee13630f3166ebe632df1104",
}
"""The SHA-256 of each migration's text."""


def test_a_released_migration_never_changes() -> None:
    assert {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.sql")} == FROZEN


def test_migrations_run_by_number_and_are_literal_sql() -> None:
    assert list(FROZEN) == NAMES
    assert [int(name[1:4]) for name in NAMES] == list(range(1, 1 + len(NAMES)))
    assert {path.name for path in FOLDER.glob("*.py")} == {"__init__.py"}


def test_every_version_but_the_newest_has_a_golden_database() -> None:
    # The first seven, and the ninth, were committed together with the one after them.
    versions = {path.name.partition("-")[0] for path in GOLDEN.glob("*.db.xz")}
    assert set(NAMES[7:-1]) - {"m009_curation_tables"} <= versions <= set(NAMES)


def words(store: Store) -> dict[int, set[str]]:
    return {row[0]: set(row[1].split()) for row in store.connections.rows("SELECT rowid, facets FROM trace_search")}


@pytest.mark.parametrize("golden", sorted(GOLDEN.glob("*.db.xz")), ids=lambda path: path.name.removesuffix(".db.xz"))
def test_a_database_of_each_version_is_brought_up_to_date_and_used(
    golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "annotations.db"
    path.write_bytes(lzma.decompress(golden.read_bytes()))
    shutil.copytree(GOLDEN / "media", tmp_path / "media")
    before = sqlite3.connect(path)
    tables = ("revisions", "reviews", "jobs", "job_events", "adapters", "promotions", "media", "trace_tags", "drafts")
    has = {row[0] for row in before.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    kept = {name: before.execute(f"SELECT * FROM {name}").fetchall() for name in tables if name in has}
    before.close()
    with Store(path) as store:
        report = store.verify(MediaFolder(tmp_path / "media"))
        assert report.problems == () and report.revisions >= 10 and report.views == 2
        for name, rows in kept.items():
            columns = len(rows[0])
            assert [tuple(row)[:columns] for row in store.connections.rows(f"SELECT * FROM {name}")] == rows
        # What was recorded is read, in whatever its version knew.
        items = [listed.item for listed in store.queue.page(Query(order="oldest")).items]
        first, plain = store.revisions.head(items[0].id), items[3]
        assert [step.answer for step in first.trace.steps] == [None, "red"] and first.trace.views[1].box.x1 == 0.6
        assert (
            plain.answer == "Ärger 😀" and store.revisions.head(plain.id).trace.question == "Où est l’enseigne — 看板?"
        )
        assert [len(store.revisions.list(item.id)) for item in items[:3]] == [1, 1, 3]
        (branch,) = store.revisions.branches(items[2].id)
        assert branch.trace.answer == "pink" and store.adapters.live().name == "first"
        # The index finds it, by what was typed, by facets that its version did not have, and in both ways of ordering.
        assert [i.item.id for i in store.queue.page(Query(search="enseigne")).items] == [plain.id]
        found = store.queue.page(
            Query(trajectory="single_pass", evidence="held", rapr="always", search="disc", order="updated")
        )
        assert {i.item.id for i in found.items} == {item.id for item in items[:3]} - {items[2].id}
        (pretending,) = store.queue.page(Query(is_pretending=True)).items
        assert pretending.item.question == "What does the far sign say?"
        monkeypatch.setattr(engine.store.queue, "FEW", 0)
        walked = store.queue.page(Query(search="sign OR disc", order="updated")).items
        monkeypatch.undo()
        assert walked == store.queue.page(Query(search="sign OR disc", order="updated")).items
        # Work goes on: an edit, a verdict, a new trace.
        mended = replace(first.trace, steps=(first.trace.steps[0], Step("A scarlet one.", answer="scarlet")))
        edited = store.revisions.append(items[0].id, mended, "ann", first.id)
        store.reviews.record(edited.id, "ann", "accepted")
        assert [i.item.id for i in store.queue.page(Query(search="scarlet", status="accepted")).items] == [items[0].id]
        new = store.traces.record(make_trace(), author="tiny")
        assert store.queue.page().items[0].item.id == new.id
        # What was in the bin comes back as a trace of today.
        for deletion in store.bin.list():
            store.bin.restore(deletion.id)
            assert store.queue.page(Query(tag="gone")).items[0].item.question == "Deleted 1?"
        assert store.verify(None).problems == ()


def test_what_is_derived_is_derived_again_where_its_definition_has_changed(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db") as store:
        store.traces.record(make_trace(), author="tiny")
        today = words(store)
        with store.transaction() as db:
            db.execute("UPDATE derivations SET fingerprint = 'of yesterday'")
            db.execute("DROP TRIGGER traces_found_over")
            db.execute("UPDATE traces SET trajectory = 'mixed'")
        assert any("search index says otherwise" in problem for problem in store.verify(None).problems)
    with Store(tmp_path / "annotations.db") as store:
        assert words(store) == today
        assert store.verify(None).problems == ()


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
    with pytest.raises(Unavailable, match=r"newer version.*m999_future"):
        Store(tmp_path / "annotations.db")


def _strange(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE media (x)")
    connection.close()


def _cut(path: Path) -> None:
    Store(path).close()
    path.write_bytes(path.read_bytes()[:9_000])


def _scribble(path: Path) -> None:
    Store(path).close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * (len(data) - 100))


@pytest.mark.parametrize("harm", [_strange, _cut, _scribble])
def test_a_damaged_or_strange_database_is_refused_in_a_sentence(harm, tmp_path: Path) -> None:
    harm(tmp_path / "annotations.db")
    with pytest.raises(Unavailable, match=r"annotations\.db cannot be used as the studio's database") as refused:
        Store(tmp_path / "annotations.db")
    assert "\n" not in str(refused.value)


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    command = [sys.executable, "-c", f"from engine.store import Store; Store({str(path)!r}).close()"]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [process.wait(180) for process in processes] == [0, 0, 0]
    with Store(path) as store:
        assert [m.name for m in migrations().applied(store.connections.database())] == NAMES


def test_the_views_for_people_who_paste_queries(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    store.reviews.record(record.head_id, "ann", "accepted")
    job = store.jobs.create("sft", {}, [7], {})
    store.jobs.add_event(job.id, 1, "metric", {"loss": 0.5})
    steps = store.connections.rows("SELECT * FROM steps ORDER BY step")
    assert [(s["step"], s["operation"], s["answer"], s["is_erroneous"]) for s in steps] == [
        (1, "zoom_in", None, 0),
        (2, None, "KX7421", 0),
    ]
    assert json.loads(steps[0]["box"]) == [0.31, 0.4, 0.45, 0.5] and json.loads(steps[0]["new_views"]) == [2]
    (head,) = store.connections.rows("SELECT * FROM trace_heads")
    assert (head["status"], head["revision_number"]) == ("accepted", 1)
    assert len(store.connections.rows("SELECT * FROM standing_reviews")) == 1
    store.reviews.undo("ann")
    assert store.connections.rows("SELECT * FROM standing_reviews") == []
    assert [r["value"] for r in store.connections.rows("SELECT value FROM job_metrics")] == [0.5]
