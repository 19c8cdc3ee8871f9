"""A home that somebody, or a crash, has harmed: what is told, what is repaired, and that it is always told in sentences."""

from __future__ import annotations

import io
import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.media import MediaFolder
from engine.store import target_of
from engine.upkeep import check

from .homes import MARK, House, picture


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "home")
    yield house
    house.store.close()


def settled(*paths: Path) -> None:
    """As if they had been there since yesterday."""
    for path in paths:
        os.utime(path, (1e9, 1e9))


def verify(home: Path, *words: str) -> tuple[int, list[str]]:
    out = io.StringIO()
    status = main(["verify", *words], {"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted"}, out)
    return status, out.getvalue().splitlines()


def test_what_nothing_refers_to_is_found_and_removed(house: House) -> None:
    artifacts = house.home / "artifacts"
    stray = house.media.path(house.media.take(picture("stray")).media.sha256)
    house.media.thumbnail(stray.stem, None, 64)
    [thumbnail] = (house.media.root / ".thumbnails").rglob(f"{stray.stem}-*")
    lost = [artifacts / "adapters" / ("ab" * 16 + "-3"), artifacts / "checkpoints" / ("cd" * 16)]
    lost.append(artifacts / "merged" / ("ef" * 16))
    for folder in lost:
        folder.mkdir(parents=True)
    questions = artifacts / "examples" / ("ef" * 32 + ".json")
    questions.write_text("[]")
    by_hand = artifacts / "media" / "notes.txt"
    by_hand.write_text("mine")
    assert verify(house.home)[0] == 0, "what is young may be on its way in"
    settled(stray, thumbnail, *lost, questions, by_hand)
    status, lines = verify(house.home)
    assert status == 1 and len(lines) == 7 and all("Nothing refers to" in line for line in lines[:6])
    status, lines = verify(house.home, "--repair")
    assert status == 0 and sum(line.startswith("Removed ") for line in lines) == 6 and lines[-1].endswith("all sound")
    assert not any(path.exists() for path in (stray, thumbnail, *lost, questions)) and by_hand.exists()
    assert house.media.has(house.goes_media) and house.media.has(house.stays_media)


def test_what_lies_in_the_bin_is_no_leftover(house: House) -> None:
    house.deleting.put(target_of("trace", [house.goes]), "eve", "admin")
    settled(*(path for path in house.media.root.rglob("*") if path.is_file()))
    assert verify(house.home, "--repair") == (0, ["1 traces, 2 revisions, 1 media, 2 views: all sound"])
    assert house.media.has(house.goes_media)


def test_altered_and_missing_files_are_named_with_the_traces_that_need_them(house: House) -> None:
    changed, gone = house.media.path(house.goes_media), house.media.path(house.stays_media)
    changed.write_bytes(changed.read_bytes() + b"!")
    gone.unlink()
    status, lines = verify(house.home, "--repair")
    said = " ".join(lines)
    assert status == 1 and f"{house.goes_media} has changed" in said and "It is needed by trace #2." in said
    assert f"{house.stays_media} cannot be read" in said and "It is needed by trace #1." in said
    assert changed.exists(), "what somebody altered is told, not removed"


def test_questions_and_weights_that_jobs_miss_are_told(house: House) -> None:
    job = house.store.jobs.create("grpo", {"examples": {"sha256": "0" * 64}}, [], {})
    house.store.adapters.record("lost", "adapters/lost", job.id, "tiny", "cd" * 32, {})
    said = " ".join(verify(house.home)[1])
    assert "'lost' are missing: adapters/lost" in said and f"job {job.id} are missing" in said
    (house.home / "artifacts" / "examples" / ("0" * 64 + ".json")).write_text("[]")
    assert f"job {job.id} were changed" in " ".join(verify(house.home)[1])


def test_nothing_is_removed_while_records_are_missing(house: House) -> None:
    house.store.close()
    settled(*(path for path in house.media.root.rglob("*") if path.is_file()))
    connection = sqlite3.connect(house.store.path)
    connection.execute("DELETE FROM media")
    connection.commit()
    connection.close()
    status, lines = verify(house.home, "--repair")
    assert status == 1 and any("are not looked for" in line for line in lines)
    assert house.media.has(house.goes_media)


def test_what_was_sent_and_not_imported_goes_when_the_bin_is_emptied(house: House) -> None:
    folders = [house.home / "artifacts" / "incoming" / (letter * 32) for letter in "abc"]
    for folder in folders:
        folder.mkdir(parents=True)
    settled(*folders[:2])
    house.store.jobs.create("import", {"source": {"path": str(folders[1] / "table.csv")}}, [], {})
    house.deleting.empty("admin")
    assert [folder.exists() for folder in folders] == [False, True, True]


def test_tombstones_and_the_bin_are_verified(house: House) -> None:
    store = house.store
    house.deleting.put(target_of("trace", [house.goes]), "eve", "admin")
    conn = store.connections.database().conn
    before = "SELECT number, row FROM bin_rows WHERE of_table = 'revisions' ORDER BY number LIMIT 1"
    number, row = store.connections.rows(before)[0]
    conn.execute("UPDATE bin_rows SET row = replace(row, 'look', 'hide') WHERE number = ?", (number,))
    assert ["in the bin, does not match its hash" in one for one in store.verify(None).problems] == [True]
    conn.execute("UPDATE bin_rows SET row = '{' WHERE number = ?", (number,))
    assert any("cannot be read" in one for one in store.verify(None).problems)
    conn.execute("UPDATE bin_rows SET row = ? WHERE number = ?", (row, number))
    house.deleting.empty("admin")
    assert store.verify(None).problems == ()
    for sql in (
        "DELETE FROM revision_tombstones WHERE number = 1",
        "UPDATE revision_tombstones SET parent_hash = 'x' WHERE number = 2",
        "UPDATE revision_tombstones SET parent_hash = hash WHERE number = 1",
    ):
        conn.execute("BEGIN")
        conn.execute("PRAGMA defer_foreign_keys = ON")
        conn.execute(sql)
        assert any("tombstone" in one for one in store.verify(None).problems), sql
        conn.execute("ROLLBACK")


def test_whatever_a_file_holds_verify_ends_in_sentences(house: House) -> None:
    house.deleting.put(target_of("trace", [house.stays]), "eve", "admin")
    house.store.connections.compact()
    house.store.close()
    path, chance = house.store.path, random.Random(7)
    sound = path.read_bytes()
    statuses = set()
    for _ in range(25):
        at, length = chance.randrange(len(sound)), chance.choice((1, 40, 4096))
        harmed = sound[:at] + chance.randbytes(length) + sound[at + length :]
        path.write_bytes(harmed)
        for beside in house.home.glob("annotations.db-*"):
            beside.unlink()
        statuses.add(verify(house.home, *chance.choice(([], ["--repair"])))[0])
    assert statuses <= {0, 1, 2} and len(statuses) > 1


def test_whatever_a_column_holds_verify_ends_in_sentences(house: House) -> None:
    conn = house.store.connections.database().conn
    for name in ("revisions_never_change", "trace_events_never_change"):
        conn.execute(f"DROP TRIGGER {name}")
    conn.execute("PRAGMA foreign_keys = OFF")
    conn.execute("PRAGMA ignore_check_constraints = ON")
    house.deleting.put(target_of("trace", [house.goes]), "eve", "admin")
    for table in ("traces", "revisions", "media", "bin_rows", "adapters", "jobs"):
        for column in [
            row[0] for row in house.store.connections.rows(f"SELECT name FROM pragma_table_info('{table}')")
        ]:
            for value in (b"\xff\xfe", "{", 7):
                conn.execute("BEGIN")
                try:
                    conn.execute(f"UPDATE {table} SET {column} = ?", (value,))
                except sqlite3.IntegrityError:
                    pass
                else:
                    report = house.store.verify(MediaFolder(house.media.root))
                    assert all(one.endswith(".") and "\n" not in one for one in report.problems)
                finally:
                    conn.execute("ROLLBACK")


class Crash(BaseException):
    """The process ends here."""


def test_a_crash_between_any_two_steps_of_emptying_is_finished_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.store.connection import Connections
    from engine.store.emptying import Emptying

    deleted = House(tmp_path / "home")
    deleted.deleting.put(target_of("picture", [deleted.goes_media]), "eve", "admin")
    deleted.store.close()
    crashes = 0
    while True:
        shutil.copytree(deleted.home, tmp_path / str(crashes))
        house, left = House.at(tmp_path / str(crashes)), crashes

        def stop() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash

        with monkeypatch.context() as patched:
            for owner, name in (
                (Emptying, "_empty_batch"),
                (Emptying, "_drop_orphans"),
                (Emptying, "erased"),
                (MediaFolder, "erase"),
                (Connections, "compact"),
            ):
                act = getattr(owner, name)

                def stopping(*values: object, act=act) -> object:
                    stop()
                    result = act(*values)
                    stop()
                    return result

                patched.setattr(owner, name, stopping)
            try:
                house.deleting.empty("admin")
                is_through = True
            except Crash:
                is_through = False
        house.store.close()
        house = House.at(house.home)
        # Sound, or told what is to be done; and once it is done, sound and gone.
        assert all("is not erased yet" in one for one in house.store.verify(house.media).problems)
        if house.store.bin.list():
            house.deleting.empty("admin")
        assert check(house.store, house.media, house.home / "artifacts", is_repairing=True).problems == ()
        assert house.files_with(MARK) == [] and MARK.lower() not in house.terms()
        house.store.close()
        if is_through:
            break
        crashes += 1
    assert crashes >= 12
