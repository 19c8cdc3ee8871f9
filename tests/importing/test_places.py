"""Folders and zips: what is found in them by name, and what never is."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.importing.places import FolderPlace, PlaceLimits, ZipPlace

NAMES = ("a/1.png", "a/2.png", "b/1.png", "b/Ärger.png", "q.csv")


def zipped(path: Path, members: dict[str, bytes], **options) -> ZipPlace:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return ZipPlace(path, **options)


@pytest.fixture(params=["folder", "zip"])
def place(request, tmp_path):
    contents = {name: name.encode() for name in NAMES}
    if request.param == "zip":
        return zipped(tmp_path / "x.zip", {**contents, "__MACOSX/a/._1.png": b"", ".DS_Store": b""})
    for name, content in {**contents, ".hidden": b""}.items():
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_bytes(content)
    (tmp_path / "1.secret").write_bytes(b"")
    return FolderPlace(tmp_path / "root", is_confined=True)


def content(place, name: str) -> bytes:
    found = place.file(name, 100)
    return found if isinstance(found, bytes) else found.read_bytes()


def test_files_are_found_as_written_from_the_top_or_by_a_name_that_is_the_only_one(place):
    assert place.names == sorted(NAMES)
    assert place.find("1.png", near="a") == "a/1.png" and place.find("b/1.png", near="a") == "b/1.png"
    assert place.find("../a/2.png", near="b") == "a/2.png" and place.find(".\\a\\2.png") == "a/2.png"
    assert place.find("somewhere/else/2.png") == "a/2.png"
    assert place.find("somewhere/1.png") is None, "there are two"
    assert place.find("A\u0308rger.png") in ("b/Ärger.png", "b/A\u0308rger.png")
    assert content(place, "a/2.png") == b"a/2.png"
    with place.open("q.csv") as file:
        assert file.read() == b"q.csv"


@pytest.mark.parametrize("name", ["../1.secret", "/etc/passwd", "a/../../1.secret", "..\\1.secret", "a\0b", ""])
def test_nothing_outside_is_found(place, name):
    assert place.find(name) is None and place.find(name, near="a") is None


def test_names_that_lead_out_of_a_zip_are_no_files(tmp_path):
    place = zipped(tmp_path / "x.zip", {"../out.png": b"1", "/abs.png": b"2", "a/../../b.png": b"3", "in.png": b"4"})
    assert place.names == ["in.png"]
    assert place.find("../out.png") is None and place.find("out.png") is None and place.find("abs.png") is None


def test_a_host_may_name_any_file_of_the_host(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "1.png").write_bytes(b"1")
    place = FolderPlace(tmp_path / "root", is_confined=False)
    for name in ("../1.png", str(tmp_path / "1.png")):
        found = place.find(name)
        assert found is not None and content(place, found) == b"1"


def test_bombs_are_refused_before_they_are_read(tmp_path):
    with pytest.raises(InvalidInput, match="would unpack to"):
        zipped(tmp_path / "bomb.zip", {"zeros.png": bytes(20_000_000)})
    with pytest.raises(InvalidInput, match="more than 2 files"):
        zipped(tmp_path / "many.zip", {str(k): b"" for k in range(3)}, limits=PlaceLimits(max_names=2))
    place = zipped(tmp_path / "large.zip", {"large.png": bytes(range(256)) * 100})
    with pytest.raises(InvalidInput, match="at most"):
        place.file("large.png", 1000)


def test_what_is_no_zip_and_what_is_damaged(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(InvalidInput, match="cannot be read as a zip"):
        ZipPlace(tmp_path / "x.zip")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        file.writestr("1.png", b"abcdefgh")
    (tmp_path / "y.zip").write_bytes(buffer.getvalue().replace(b"abcdefgh", b"abcdefgX"))
    with pytest.raises(InvalidInput, match="1.png is damaged"):
        ZipPlace(tmp_path / "y.zip").file("1.png", 100)
