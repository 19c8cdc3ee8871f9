"""The folder of media: content-addressed, whole or not there, safe to share between threads, bounded."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from engine.errors import Broken, IntegrityError, InvalidInput, InvalidMedia, NotFound
from engine.media import MediaFolder, MediaLimits, load_media, write_clip
from engine.media.cache import BoundedCache
from engine.trace import Box, View


def noise(seed: int = 0, size: tuple[int, int] = (120, 80)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def png(seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    noise(seed).save(buffer, "PNG")
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def files_in(folder: MediaFolder) -> list[str]:
    return sorted(str(path.relative_to(folder.root)) for path in folder.root.rglob("*") if path.is_file())


@pytest.fixture
def folder(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "media")


def test_a_file_is_stored_once_under_its_hash_with_its_own_bytes(folder: MediaFolder, tmp_path: Path) -> None:
    upload = tmp_path / "..; rm -rf ~ ünsafe.JPG.html"
    upload.write_bytes(png())
    sha256 = hashlib.sha256(png()).hexdigest()
    assert not folder.has(sha256)
    assert folder.take(upload).media.sha256 == sha256
    assert folder.take(str(upload)).media == folder.take(png()).media
    assert files_in(folder) == [f"{sha256[:2]}/{sha256}.png"]
    assert folder.has(sha256) and folder.path(sha256).read_bytes() == upload.read_bytes() == png()
    assert folder.mime_type(sha256) == "image/png"


def test_a_second_folder_on_the_same_root_finds_what_the_first_stored(folder: MediaFolder) -> None:
    stored = folder.take(png())
    again = MediaFolder(folder.root).load(stored.media.sha256)
    assert again.media == stored.media and again is not stored
    assert ImageChops.difference(again.picture(None), noise()).getbbox() is None


@pytest.mark.parametrize("name", ["", "x", "../../etc/passwd", "A" * 64, "g" * 64, "0" * 63, "0" * 64, "0" * 64 + "\n"])
def test_what_is_no_stored_hash_is_not_found(folder: MediaFolder, name: str) -> None:
    folder.take(png())
    assert not folder.has(name)
    for call in (
        folder.path,
        folder.mime_type,
        folder.load,
        lambda sha256: folder.thumbnail(sha256, None, 128),
        lambda sha256: folder.frame_jpeg(sha256, None),
        lambda sha256: folder.crop_png(View(1, sha256, None, Box.full())),
    ):
        with pytest.raises(NotFound):
            call(name)


def test_the_same_file_from_8_threads_is_stored_once(folder: MediaFolder) -> None:
    barrier = threading.Barrier(8)

    def take(_: int) -> str:
        barrier.wait()
        return folder.take(png()).media.sha256

    with ThreadPoolExecutor(8) as pool:
        hashes = set(pool.map(take, range(8)))
    assert len(hashes) == 1
    assert files_in(folder) == [f"{(sha256 := hashes.pop())[:2]}/{sha256}.png"]


def test_different_files_and_reads_from_many_threads(folder: MediaFolder) -> None:
    def work(k: int) -> bool:
        sha256 = folder.take(png(k % 4)).media.sha256
        view = View(1, sha256, None, Box(0.25, 0.25, 0.5, 0.5))
        return (
            ImageChops.difference(opened(folder.crop_png(view)), noise(k % 4).crop((30, 20, 60, 40))).getbbox() is None
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(40)))
    assert len(files_in(folder)) == 4


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_no_more_is_a_sentence_and_nothing_is_left(
    folder: MediaFolder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*names: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(Broken, match=rf"takes no more \({os.strerror(number)}\), so nothing of this was kept"):
            folder.take(png(1))
    assert files_in(folder) == []
    folder.take(png(1))


@pytest.mark.parametrize(("large_bytes", "at_once"), [(2**26, 2), (0, 1)])
def test_at_most_two_files_and_one_large_one_are_decoded_at_a_time(
    folder: MediaFolder, monkeypatch: pytest.MonkeyPatch, large_bytes: int, at_once: int
) -> None:
    from engine.media import folder as module

    active, most, lock, decode = [0], [0], threading.Lock(), module.decode_file
    monkeypatch.setattr(module, "_LARGE_BYTES", large_bytes)

    def slow(*arguments):
        arguments[-1](1)
        with lock:
            active[0] += 1
            most[0] = max(most[0], active[0])
        time.sleep(0.02)
        try:
            return decode(*arguments[:-1])
        finally:
            with lock:
                active[0] -= 1

    monkeypatch.setattr(module, "decode_file", slow)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: folder.take(png(k)), range(8)))
    assert most[0] == at_once


def test_a_crop_is_the_exact_pixels_and_a_thumbnail_is_a_small_jpeg(folder: MediaFolder) -> None:
    sha256 = folder.take(png()).media.sha256
    box = Box(0.1, 0.2, 0.55, 0.9)
    crop = opened(folder.crop_png(View(5, sha256, None, box)))
    assert ImageChops.difference(crop, noise().crop(box.to_pixels((120, 80)))).getbbox() is None
    data = folder.thumbnail(sha256, None, 64)
    assert data.startswith(b"\xff\xd8\xff") and opened(data).size == (64, 43)
    assert opened(folder.thumbnail(sha256, None, 5000)).size == (120, 80)  # never enlarged
    assert opened(folder.frame_jpeg(sha256, None)).size == (120, 80)


def test_thumbnails_are_kept_on_disk_in_few_sizes(folder: MediaFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = folder.take(png()).media.sha256
    first = folder.thumbnail(sha256, None, 64)
    assert {folder.thumbnail(sha256, None, side) for side in range(64, 96)} == {first}
    assert len(files_in(folder)) == 2
    fresh = MediaFolder(folder.root)
    monkeypatch.setattr(fresh, "load", lambda _: pytest.fail("a kept thumbnail needs no decoding"))
    assert fresh.thumbnail(sha256, None, 64) == first
    for side in (15, 0, -5):
        with pytest.raises(InvalidInput, match="at least 16"):
            folder.thumbnail(sha256, None, side)


def test_frames_of_a_video(folder: MediaFolder, tmp_path: Path) -> None:
    write_clip([Image.new("RGB", (64, 48), (15 * k, 0, 0)) for k in range(16)], tmp_path / "clip.mp4", 4)
    loaded = folder.take(tmp_path / "clip.mp4")
    sha256 = loaded.media.sha256
    assert folder.mime_type(sha256) == "video/mp4" and folder.path(sha256).suffix == ".mp4"
    for frame in (1, 8, 16):
        for data in (folder.thumbnail(sha256, frame, 32), folder.frame_jpeg(sha256, frame)):
            assert abs(opened(data).getpixel((5, 5))[0] - 15 * (frame - 1)) < 8
    for frame in (None, 0, 17):
        for call in (folder.frame_jpeg, lambda s, f: folder.thumbnail(s, f, 32)):
            with pytest.raises(NotFound, match="frames 1 to 16"):
                call(sha256, frame)
    assert folder.pictures([loaded.media])[sha256].times_s[:3] == (0.0, 0.25, 0.5)


def moving(tmp_path: Path) -> Path:
    """Twenty frames within a second, then one a minute later; as a GIF, whose frames say how long they show."""
    frames = [Image.new("RGB", (16, 8), (10 * k, 0, 0)) for k in range(21)]
    path = tmp_path / "moving.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[50] * 19 + [59_050, 100])
    return path


def test_a_clip_keeps_the_sampling_that_it_came_in_with(tmp_path: Path) -> None:
    """So a frame's number means the same frame in every trace, whoever answers later, and in a copy of the folder."""
    source = moving(tmp_path)
    by_index = MediaFolder(tmp_path / "a", sampling="index")
    sha256 = by_index.take(source).media.sha256
    times_s = by_index.load(sha256).times_s
    MediaFolder(tmp_path / "b").copy(sha256, by_index)
    for reader in (MediaFolder(tmp_path / "a"), MediaFolder(tmp_path / "b")):
        assert reader.take(source).times_s == times_s and reader.sampling_of(sha256) == "index"
    in_time = MediaFolder(tmp_path / "c")
    assert in_time.take(source).times_s != times_s and sum(time_s < 2 for time_s in times_s) == 15
    assert MediaFolder(tmp_path / "c", sampling="index").load(sha256).times_s == in_time.load(sha256).times_s


def test_a_clip_from_before_there_was_a_choice_keeps_its_frames(tmp_path: Path) -> None:
    folder = MediaFolder(tmp_path / "media")
    sha256 = folder.take(moving(tmp_path)).media.sha256
    folder.path(sha256).with_suffix(".sampling").unlink()
    assert MediaFolder(folder.root).load(sha256).times_s == load_media(moving(tmp_path), sampling="index").times_s


def test_a_moving_picture_from_before_those_were_clips_stays_a_picture_and_can_be_copied(tmp_path: Path) -> None:
    """As 0.1.0 stored it: traces know it as one picture."""
    frames = [Image.new("RGB", (16, 8), colour) for colour in ("red", "lime")]
    for format, extension, options in (("WEBP", ".webp", {"lossless": True}), ("TIFF", ".tif", {})):
        buffer = io.BytesIO()
        frames[0].save(buffer, format, save_all=True, append_images=frames[1:], **options)
        sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
        path = tmp_path / "old" / sha256[:2] / f"{sha256}{extension}"
        path.parent.mkdir(parents=True)
        path.write_bytes(buffer.getvalue())
        copy = MediaFolder(tmp_path / f"copy of {format}")
        copy.copy(sha256, MediaFolder(tmp_path / "old"))
        for folder in (MediaFolder(tmp_path / "old"), copy):
            loaded = folder.load(sha256)
            assert loaded.media.kind == "image" and loaded.picture(None).getpixel((3, 3)) == (255, 0, 0)


def test_stored_bytes_that_changed_are_noticed(folder: MediaFolder) -> None:
    sha256 = folder.take(png(1)).media.sha256
    folder.path(sha256).write_bytes(png(2))
    with pytest.raises(IntegrityError):
        MediaFolder(folder.root).load(sha256)


def test_a_killed_process_leaves_nothing_for_long(folder: MediaFolder) -> None:
    old, young = folder.root / ".incoming" / "old", folder.root / ".incoming" / "young"
    for path in (old, young):
        path.write_bytes(b"half a file")
    os.utime(old, (0, 0))
    MediaFolder(folder.root)
    assert not old.exists() and young.exists()


def test_decoded_media_are_bounded_in_bytes(tmp_path: Path) -> None:
    each = 4 * 120 * 80
    folder = MediaFolder(tmp_path, MediaLimits(), cache_bytes=2 * each)
    hashes = [folder.take(png(k)).media.sha256 for k in range(5)]
    assert folder._loaded.held_bytes == 2 * each
    assert folder.load(hashes[4]) is folder.load(hashes[4])
    assert folder.load(hashes[0]).media.sha256 == hashes[0]  # forgotten, and read again


def test_the_cache_forgets_what_was_used_longest_ago() -> None:
    cache: BoundedCache[str, int] = BoundedCache(10)
    cache.put("a", 1, 4)
    cache.put("b", 2, 4)
    assert cache.get("a") == 1
    cache.put("c", 3, 4)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), cache.held_bytes) == (1, None, 3, 8)
    cache.put("large", 4, 100)
    assert len(cache) == 1 and cache.get("large") == 4
    cache.put("large", 5, 1)
    assert (cache.get("large"), cache.held_bytes) == (5, 1)


def test_many_that_are_received_are_here_once_they_are_settled(tmp_path):
    folder = MediaFolder(tmp_path)
    contents = [encoded(seed) for seed in (1, 2, 1)]
    waiting = [folder.receive(content) for content in contents]
    hashes = [hashlib.sha256(content).hexdigest() for content in contents]
    assert [one.media.sha256 for one in waiting] == hashes and not any(map(folder.has, hashes))
    folder.settle(waiting)
    assert [folder.path(sha256).read_bytes() for sha256 in hashes] == contents
    again = folder.receive(contents[0])
    assert again.incoming is None and again.media == waiting[0].media
    folder.settle([again])
    with pytest.raises(InvalidMedia):
        folder.receive(b"no picture")
    assert list((tmp_path / ".incoming").iterdir()) == []


def encoded(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (seed, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_value_that_takes_much_is_given_back_when_nobody_uses_it() -> None:
    cache: BoundedCache[str, int] = BoundedCache(10, idle_s=0.05)
    cache.put("small", 1, 2)
    cache.put("large", 2, 3)
    assert cache.get("large") == 2
    deadline = time.monotonic() + 30
    while cache.held_bytes != 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert (cache.get("large"), cache.get("small")) == (None, 1)
    cache.put("large", 3, 3)
    assert cache.get("large") == 3
