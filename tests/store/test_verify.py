from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from engine.media import MediaFolder
from engine.store import Store
from engine.trace import Box, Observation, Step, Trace, View, ZoomIn

from .samples import hash_of, make_trace


def tamper(store: Store, sql: str, *parameters: object) -> None:
    """What somebody with the file and an SQL shell can do: foreign keys off, triggers dropped."""
    connection = sqlite3.connect(store.path)
    connection.execute("DROP TRIGGER IF EXISTS revisions_never_change")
    changed = connection.execute(sql, parameters).rowcount
    connection.commit()
    connection.close()
    assert changed > 0, "the test must change something"


@pytest.fixture
def edited(store: Store) -> str:
    """A trace with four versions in its chain and a branch; beside it an untouched one."""
    store.traces.record(make_trace("Another question?"), author="tiny")
    record = store.traces.record(make_trace(), author="tiny")
    parent = record.head_id
    for answer in "ABC":
        parent = store.revisions.append(record.id, make_trace(answer=answer), "ann", parent).id
    with pytest.raises(Exception, match="kept beside"):
        store.revisions.append(record.id, make_trace(answer="late"), "bob", record.head_id)
    assert store.verify(None).problems == ()
    return record.id


def test_a_sound_store_is_counted(store: Store, edited: str) -> None:
    report = store.verify(None)
    assert report.is_sound and (report.traces, report.revisions, report.media, report.views) == (2, 6, 0, 0)


@pytest.mark.parametrize("number", [1, 2, 4, 5])
def test_changed_content_is_found(store: Store, edited: str, number: int) -> None:
    tamper(
        store,
        "UPDATE revisions SET trace_json = replace(trace_json, 'The', 'My') WHERE trace_id = ? AND number = ?",
        edited,
        number,
    )
    problem, *others = store.verify(None).problems
    assert f"Revision {number} of the trace {edited} does not match its hash" in problem
    # What a trace repeats of its head is no longer what the head says.
    assert [other for other in others if "says lesson_key =" not in other] == []


def test_a_changed_hash_is_found_there_and_in_what_follows(store: Store, edited: str) -> None:
    tamper(store, "UPDATE revisions SET hash = ? WHERE trace_id = ? AND number = 2", "0" * 64, edited)
    problems = store.verify(None).problems
    assert [f"Revision {n} of" in p for n, p in zip((2, 3), problems, strict=True)] == [True, True]


def test_content_changed_together_with_its_hash_is_found_in_what_follows(store: Store, edited: str) -> None:
    first, second = store.revisions.list(edited)[:2]
    forged = make_trace(answer="forged")
    tamper(
        store,
        "UPDATE revisions SET hash = ?, trace_json = replace(trace_json, '\"A\"', '\"forged\"') WHERE id = ?",
        hash_of(first.hash, forged),
        second.id,
    )
    assert any(f"Revision 3 of the trace {edited}" in p for p in store.verify(None).problems)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("UPDATE revisions SET parent_id = NULL WHERE trace_id = ? AND number = 3", "has no parent"),
        (
            "UPDATE revisions SET parent_id = (SELECT head_id FROM traces ORDER BY number LIMIT 1) "
            "WHERE trace_id = ? AND number = 3",
            "no revision of that trace",
        ),
        (
            "UPDATE revisions SET parent_id = (SELECT id FROM revisions r WHERE r.trace_id = revisions.trace_id AND "
            "r.number = 4) WHERE trace_id = ? AND number = 2",
            "came after it",
        ),
        ("DELETE FROM revisions WHERE trace_id = ? AND number = 2", "not there"),
        ("UPDATE revisions SET trace_json = '{' WHERE trace_id = ? AND number = 5", "cannot be read"),
        ("UPDATE revisions SET trace_json = trace_json || ' ' WHERE trace_id = ? AND number = 2", "canonical"),
        ("UPDATE traces SET head_id = 'nothing' WHERE id = ?", "no revision of it"),
        ("UPDATE traces SET answer = 'other' WHERE id = ?", "says answer = 'other', but its head says 'C'"),
        ("UPDATE traces SET has_operation = 0 WHERE id = ?", "has_operation"),
        ("UPDATE trace_counts SET n = 9 WHERE ? <> '' AND status = 'new'", "counts by status"),
        ("DELETE FROM trace_search WHERE ? <> '' AND rowid = 1", "search index"),
        ("UPDATE trace_search SET facets = facets || ' tag00' WHERE ? <> '' AND rowid = 1", "than its rows: tag00"),
        ("UPDATE example_groups SET n = 9 WHERE ? <> ''", "2 groups of attempts"),
    ],
)
def test_what_was_done_to_the_tables_is_found(store: Store, edited: str, sql: str, sentence: str) -> None:
    tamper(store, sql, edited)
    problems = store.verify(None).problems
    assert any(sentence in problem for problem in problems), problems
    assert all(problem.endswith(".") and "\n" not in problem for problem in problems)


def test_damaged_pages_are_told_in_sentences(tmp_path: Path) -> None:
    path = tmp_path / "annotations.db"
    with Store(path, journal_mode="delete") as store:
        for number in range(40):
            store.traces.record(make_trace(answer=str(number)), author="tiny")
        page_bytes, table, index = store.connections.rows(
            "SELECT (SELECT page_size FROM pragma_page_size), (SELECT rootpage FROM sqlite_schema WHERE name = 'revisions'), "
            "(SELECT rootpage FROM sqlite_schema WHERE name = 'revisions_by_parent')"
        )[0]
    sound = path.read_bytes()
    for page in (table, index):
        at = (page - 1) * page_bytes
        path.write_bytes(sound[:at] + b"\xff" * page_bytes + sound[at + page_bytes :])
        with Store(path) as store:
            problems = store.verify(None).problems
        assert any("SQLite" in problem for problem in problems)
        assert all(problem.endswith(".") and "\n" not in problem for problem in problems)


@pytest.fixture
def media_store(store: Store, tmp_path: Path) -> tuple[Store, MediaFolder, Trace]:
    """A store with a trace on a real picture in a real folder; the second crop nests in the first."""
    Image.effect_noise((301, 203), 80).convert("RGB").save(tmp_path / "noise.png")
    folder = MediaFolder(tmp_path / "media")
    media = folder.take(tmp_path / "noise.png").media
    store.media.record(media, "noise.png", (tmp_path / "noise.png").stat().st_size)
    outer = Box(0.1, 0.2, 0.7, 0.9)
    inner = Box(0.5, 0.5, 0.6, 0.75)
    views = (
        View(1, media.sha256, None, Box.full()),
        View(2, media.sha256, None, outer),
        View(3, media.sha256, None, inner.within(outer)),
    )
    steps = (
        Step("look", ZoomIn(1, outer), Observation((2,))),
        Step("closer", ZoomIn(2, inner), Observation((3,))),
        Step("there", answer="noise"),
    )
    trace = Trace("What is there?", (media,), views, steps, "answered", "tiny", "studio")
    store.traces.record(trace, author="tiny")
    return store, folder, trace


def test_every_crop_is_cut_again(media_store: tuple[Store, MediaFolder, Trace]) -> None:
    store, folder, _ = media_store
    report = store.verify(folder)
    assert (report.problems, report.media, report.views) == ((), 1, 3)


def _change_a_byte(path: Path) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [(_change_a_byte, "has changed"), (lambda p: p.write_bytes(b""), "has changed"), (Path.unlink, "cannot be read")],
)
def test_harmed_media_files_are_found(
    media_store: tuple[Store, MediaFolder, Trace], harm: Callable[[Path], object], sentence: str
) -> None:
    store, folder, trace = media_store
    path = folder.path(trace.media[0].sha256)
    path.chmod(0o644)
    harm(path)
    # A new folder, as a new process has: nothing cached.
    problems = store.verify(MediaFolder(folder.root)).problems
    assert any(sentence in problem for problem in problems), problems


def test_wrong_sizes_and_impossible_views_are_found(media_store: tuple[Store, MediaFolder, Trace]) -> None:
    store, folder, trace = media_store
    views = (*trace.views, View(4, trace.media[0].sha256, 3, Box.full()))
    store.traces.record(
        Trace(trace.question, trace.media, views, trace.steps, "answered", "tiny", "studio"), author="x"
    )
    tamper(store, "UPDATE media SET width = 300")
    problems = store.verify(folder).problems
    assert any("cannot be cut again" in problem for problem in problems), problems
    assert any("recorded as image of 300x203" in problem for problem in problems), problems


def test_media_that_only_a_trace_knows_is_reported_as_missing(store: Store, tmp_path: Path) -> None:
    store.traces.record(make_trace(), author="tiny")
    problems = store.verify(MediaFolder(tmp_path / "media")).problems
    assert len(problems) == 2 and all("cannot be" in problem for problem in problems), problems
