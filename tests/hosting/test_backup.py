"""Snapshots: whole, only what is new, never over what is newer; a home that is gone comes back with the same hashes."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.errors import Conflict, IntegrityError, Unavailable
from engine.hosting.backup.keeping import KeepingBackups
from engine.hosting.backup.places import FolderPlace, HubPlace, Place
from engine.hosting.backup.snapshots import newest, push, restore, snapshots
from engine.media import MediaFolder
from engine.store import Store
from tests.browser.traces import clip_trace, picture_trace
from tests.exchange.hub_server import hub_in_use


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with hub_in_use(tmp_path / "hub", monkeypatch):
        yield HubPlace("ann/backup")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return FolderPlace(tmp_path / "bucket")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Store, Path]]:
    home = tmp_path / "home"
    media = MediaFolder(home / "artifacts" / "media")
    with Store(home / "annotations.db") as store:
        picture_trace(store, media, 1)
        clip_trace(store, media)
        adapter = home / "artifacts" / "adapters" / ("a" * 32)
        adapter.mkdir(parents=True)
        (adapter / "weights").write_bytes(b"weights")
        store.adapters.record("one", f"adapters/{adapter.name}", None, "base", "hash", {})
        yield store, home


def hashes(store: Store) -> list[str]:
    return [revision.hash for trace_id in store.traces.ids() for revision in store.revisions.list(trace_id)]


def test_a_home_that_is_gone_comes_back_sound_and_with_the_same_hashes(
    home: tuple[Store, Path], place: Place, tmp_path: Path
) -> None:
    store, folder = home
    before = hashes(store)
    made, sent = push(store, folder, place)
    assert (made.number, sent) == (1, 5)  # the database, a picture, a clip with its sampling, weights
    assert push(store, folder, place) == (made, 0)
    picture_trace(store, MediaFolder(folder / "artifacts" / "media"), 3)
    again, sent = push(store, folder, place)
    assert (again.number, sent) == (2, 2)
    after = hashes(store)
    store.close()
    shutil.rmtree(folder)
    assert restore(folder, place) == again
    with Store(folder / "annotations.db") as back:
        assert hashes(back) == after and after[: len(before)] == before
        assert back.verify(MediaFolder(folder / "artifacts" / "media")).is_sound
        assert push(back, folder, place)[1] <= 1  # the file may have been laid out anew; nothing else
    assert (folder / "artifacts" / "adapters" / ("a" * 32) / "weights").read_bytes() == b"weights"
    with pytest.raises(Conflict, match="is not overwritten"):
        restore(folder, place)
    assert restore(tmp_path / "older", place, 1) == made


def test_the_same_by_the_hub_and_nothing_that_others_can_read(
    home: tuple[Store, Path], hub: HubPlace, tmp_path: Path
) -> None:
    store, folder = home
    made, sent = push(store, folder, hub)
    assert (made.number, sent) == (1, 5) and push(store, folder, hub) == (made, 0)
    assert restore(tmp_path / "new", hub) == made
    with Store(tmp_path / "new" / "annotations.db") as back:
        assert hashes(back) == hashes(store)
        assert back.verify(MediaFolder(tmp_path / "new" / "artifacts" / "media")).is_sound


def test_an_interrupted_push_leaves_the_last_good_one(
    home: tuple[Store, Path], place: FolderPlace, tmp_path: Path
) -> None:
    store, folder = home
    good, _ = push(store, folder, place)
    picture_trace(store, MediaFolder(folder / "artifacts" / "media"), 3)
    second, _ = push(store, folder, place)
    text = (place.root / second.name).read_bytes()
    for cut in (text[:-10], b"", b"[]"):
        (place.root / second.name).write_bytes(cut)
        assert newest(place) == good
    (place.root / second.name).write_bytes(text)
    database = place.root / second.files["annotations.db"].object_name
    database.write_bytes(database.read_bytes()[:-1])
    assert newest(place) == good
    third, sent = push(store, folder, place)  # goes on from there, and lays down what was cut off
    assert third.number == 3 and sent == 1 and newest(place) == third


def test_a_home_that_never_was_that_snapshot_does_not_follow_it(
    home: tuple[Store, Path], place: Place, tmp_path: Path
) -> None:
    store, folder = home
    push(store, folder, place)
    with Store(tmp_path / "fresh" / "annotations.db") as fresh:
        with pytest.raises(Conflict, match="which this home has never been"):
            push(fresh, tmp_path / "fresh", place)
        assert push(fresh, tmp_path / "fresh", place, is_forced=True)[0].number == 2
    with pytest.raises(Conflict, match="snapshot 2"):
        push(store, folder, place)


def test_altered_bytes_are_neither_sent_nor_restored(
    home: tuple[Store, Path], place: FolderPlace, tmp_path: Path
) -> None:
    store, folder = home
    made, _ = push(store, folder, place)
    media = MediaFolder(folder / "artifacts" / "media")
    path = media.path(store.media.list()[0].media.sha256)
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"?")
    assert push(store, folder, place) == (made, 0)
    assert restore(tmp_path / "new", place) == made
    stored = made.files[path.relative_to(folder).as_posix()]
    assert (tmp_path / "new" / path.relative_to(folder)).read_bytes() == good
    (place.root / stored.object_name).write_bytes(good[:-1] + b"!")
    with pytest.raises(IntegrityError, match="was altered"):
        restore(tmp_path / "newer", place)
    assert not (tmp_path / "newer" / "annotations.db").exists()


def test_old_snapshots_go_and_what_only_they_hold(home: tuple[Store, Path], place: Place, monkeypatch) -> None:
    monkeypatch.setattr("engine.hosting.backup.snapshots._KEPT", 2)
    store, folder = home
    for number in range(3, 7):
        picture_trace(store, MediaFolder(folder / "artifacts" / "media"), number)
        push(store, folder, place)
    kept = snapshots(place)
    assert [one.number for one in kept] == [4, 3]
    assert set(place.sizes()) == {one.name for one in kept} | {o.object_name for s in kept for o in s.files.values()}


def test_beside_a_studio_it_says_how_old_it_is_and_what_went_wrong(
    home: tuple[Store, Path], place: FolderPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, folder = home
    keeping = KeepingBackups(store, folder, place, every_s=3600)
    assert keeping.state.age_s is None
    keeping.push()
    assert keeping.state.age_s is not None and keeping.state.age_s < 60 and keeping.state.problem is None

    def full(self: object, folder: Path, names: object) -> None:
        raise Unavailable("the bucket is full")

    picture_trace(store, MediaFolder(folder / "artifacts" / "media"), 3)
    with monkeypatch.context() as patch:
        patch.setattr(FolderPlace, "put", full)
        assert not keeping.close(30)
    assert keeping.state.problem is not None and "the bucket is full" in keeping.state.problem
    assert keeping.close(30) and newest(place).number == 2


def test_by_command(home: tuple[Store, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, folder = home
    environment = {"STUDIO_HOME": str(folder), "STUDIO_BACKUP": str(tmp_path / "bucket")}
    out = io.StringIO()
    for words in (["push"], ["push"], ["list"]):
        assert main(["backup", *words], environment, out) == 0
    said = out.getvalue().splitlines()
    assert said[0].startswith("snapshot 1 of 20") and said[0].endswith(": 5 new files")
    assert said[1].endswith("nothing has changed") and "files, " in said[2]
    assert main(["backup", "restore"], environment, out) == 2 and "is not overwritten" in capsys.readouterr().err
    assert main(["backup", "restore"], environment | {"STUDIO_HOME": str(tmp_path / "new")}, out) == 0
    assert main(["backup", "list"], {"STUDIO_HOME": str(folder)}, out) == 2


def test_what_is_damaged_is_named_and_saved_from_the_last_snapshot(home: tuple[Store, Path], tmp_path: Path) -> None:
    store, folder = home
    push(store, folder, FolderPlace(tmp_path / "bucket"))
    media = MediaFolder(folder / "artifacts" / "media")
    altered, missing = (media.path(one.media.sha256) for one in store.media.list())
    altered.write_bytes(b"altered")
    missing.unlink()
    weights = next((folder / "artifacts" / "adapters").glob("*/weights"))
    weights.write_bytes(b"cut")
    environment = {"STUDIO_HOME": str(folder), "STUDIO_BACKUP": str(tmp_path / "bucket")}

    def verified(*words: str, **more: str) -> tuple[int, str]:
        out = io.StringIO()
        return main(["verify", *words], environment | more, out), out.getvalue()

    status, said = verified()
    assert status == 1 and "has changed" in said and "3 of the damaged files can be saved" in said
    status, said = verified("--repair")
    assert status == 0 and said.count("Saved ") == 3 and said.endswith("all sound\n")
    assert weights.read_bytes() == b"weights"

    before = hashes(store)
    store.close()
    database = folder / "annotations.db"
    pages = bytearray(database.read_bytes())
    pages[4096 * 5 : 4096 * 60] = b"\xff" * 4096 * 55
    for damaged in (bytes(pages), b"no database at all" * 1000):
        for path in folder.glob("annotations.db-*"):
            path.unlink()
        database.write_bytes(damaged)
        status, said = verified(STUDIO_BACKUP="")
        assert status == 1 and "names no place" in said and "Traceback" not in said
        status, said = verified()
        assert status == 1 and "takes the last snapshot" in said and database.read_bytes() == damaged
        status, said = verified("--repair")
        assert status == 0 and "The database is that of snapshot 1" in said and said.endswith("all sound\n")
    assert len(list(folder.glob("annotations.db.damaged-*"))) >= 1
    with Store(database) as back:
        assert hashes(back) == before
