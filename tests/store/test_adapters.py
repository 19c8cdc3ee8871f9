from __future__ import annotations

import pytest

from engine.errors import InvalidInput, NotFound
from engine.store import Store


def test_promotions_are_a_history(store: Store) -> None:
    job = store.jobs.create("sft", {}, [0], {})
    assert store.adapters.live() is None
    one = store.adapters.record("one", "adapters/one", job.id, "tiny", "ab" * 32, {"accuracy": 0.5})
    two = store.adapters.record("two", "adapters/two", None, "tiny", "ab" * 32, {})
    assert store.adapters.list() == [two, one] and store.adapters.get(one.id) == one
    assert (one.path, one.metrics, one.job_id) == ("adapters/one", {"accuracy": 0.5}, job.id)
    store.adapters.promote(one.id, "ann")
    assert store.adapters.live() == one
    store.adapters.promote(two.id, "bob")
    assert store.adapters.live() == two
    assert store.adapters.promote(None).adapter_id is None
    assert store.adapters.live() is None
    assert [(p.adapter_id, p.author) for p in store.adapters.promotions()] == [
        (None, ""),
        (two.id, "bob"),
        (one.id, "ann"),
    ]


def test_metrics_are_added_to(store: Store) -> None:
    one = store.adapters.record("one", "adapters/one", None, "tiny", "ab", {"before": 0.5})
    assert store.adapters.set_metrics(one.id, {"after": 0.75}).metrics == {"before": 0.5, "after": 0.75}


@pytest.mark.parametrize("path", ["/etc/passwd", "../elsewhere", "adapters/../../x", "", ".", "C:\\x", "..\\x"])
def test_a_path_stays_inside_the_artifacts(store: Store, path: str) -> None:
    with pytest.raises(InvalidInput):
        store.adapters.record("x", path, None, "tiny", "ab", {})
    assert store.adapters.list() == []


def test_unknown_adapters_and_jobs(store: Store) -> None:
    for ask in (
        lambda: store.adapters.get("nothing"),
        lambda: store.adapters.promote("nothing"),
        lambda: store.adapters.record("x", "adapters/x", "nothing", "tiny", "ab", {}),
    ):
        with pytest.raises(NotFound):
            ask()
    assert store.adapters.promotions() == []
