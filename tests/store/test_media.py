from __future__ import annotations

import pytest

from engine.errors import IntegrityError, NotFound
from engine.store import Store
from engine.trace import Media

from .samples import PICTURE, make_trace, sha


def test_media_are_recorded_once_and_unknowns_filled_in(store: Store) -> None:
    store.traces.record(make_trace(), author="tiny")  # a trace tells of its media
    assert store.media.get(PICTURE.sha256).byte_size is None
    store.media.record(PICTURE, "street.jpg", 1234)
    record = store.media.record(PICTURE, "another name.jpg", 99)
    assert (record.media, record.name, record.byte_size) == (PICTURE, "street.jpg", 1234)
    assert store.media.list() == [record] == [store.media.get(PICTURE.sha256)]


def test_a_media_that_contradicts_its_record_is_refused(store: Store) -> None:
    store.media.record(PICTURE, "street.jpg", 1234)
    other = Media(PICTURE.sha256, "image", 10, 10)
    with pytest.raises(IntegrityError, match="1024x768"):
        store.media.record(other, "x.jpg", 1)
    with pytest.raises(IntegrityError):
        store.traces.record(make_trace(media=other), author="tiny")
    assert store.media.get(PICTURE.sha256).media == PICTURE
    assert store.queue.page().total == 0


def test_unknown_media_and_hostile_names(store: Store) -> None:
    with pytest.raises(NotFound):
        store.media.get(sha("nothing"))
    name = "'; DROP TABLE media; --\udcff\0"
    assert store.media.record(PICTURE, name, 1).name == "'; DROP TABLE media; --?"
