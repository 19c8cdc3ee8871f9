from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput, NotFound
from engine.lab.bench.generated import fill
from engine.store import Query, Store
from engine.trace import Box, Evidence, Observation, Step, ZoomIn

from .samples import make_trace


def ids(store: Store, **filters) -> list[str]:
    return [listed.item.id for listed in store.queue.page(Query(**filters)).items]


def test_every_filter_finds_what_it_says_and_nothing_else(store: Store) -> None:
    plain = store.traces.record(make_trace("First?", is_operating=False), author="tiny", score=1.0).id
    second = make_trace("Second?")
    example = replace(second.example, evidence=Evidence(boxes=(Box(0.32, 0.41, 0.4, 0.45),)))
    zoomed = store.traces.record(second, author="tiny", score=0.0, example=example).id
    trace = make_trace("Third?", is_operating=False, policy="server")
    failed = Step("Look.", ZoomIn(7, Box(0, 0, 1, 1)), Observation(error="no picture 7"))
    claims = Step("In the cropped image I read it.", answer="x")
    said = replace(trace, steps=(failed, claims))
    ignored = store.traces.record(said, author="tiny", example=replace(trace.example, source="vstar/1")).id
    store.tags.add(plain, "  night   shot ", "ann")
    store.reviews.record(store.traces.get(zoomed).head_id, "ann", "accepted")
    head = store.revisions.head(ignored)
    edited = replace(head.trace, steps=(failed, replace(claims, answer="y")))
    store.revisions.append(ignored, edited, "bob", head.id)
    store.history.record_blank_check(store.traces.get(zoomed).head_id, 0, "a", "b", True)
    expected = {
        ("status", "accepted"): [zoomed],
        ("status", "edited"): [ignored],
        ("policy", "server"): [ignored],
        ("source", "vstar"): [ignored],
        ("has_operation", True): [zoomed],
        ("trajectory", "text"): [ignored, plain],
        ("trajectory", "single_pass"): [zoomed],
        ("has_errors", True): [ignored],
        ("is_pretending", True): [ignored],
        ("ignores_error", True): [ignored],
        ("ignores_error", False): [zoomed, plain],
        ("evidence", "held"): [zoomed],
        ("evidence", "unknown"): [ignored, plain],
        ("blanking", "changes"): [zoomed],
        ("outcome", "right"): [plain],
        ("outcome", "unscored"): [ignored],
        ("rapr", "always"): [],
        ("is_edited", True): [ignored],
        ("reviewer", "ann"): [zoomed],
        ("tag", "night shot"): [plain],
        ("search", "cropped"): [ignored],
        ("kind", "video"): [],
        ("stop_reason", "answered"): [ignored, zoomed, plain],
    }
    for (name, value), found in expected.items():
        assert ids(store, **{name: value}) == found, (name, value)
        page = store.queue.page(Query(**{name: value}))
        assert page.total == len(found) or not page.is_total_exact
    assert ids(store, order="oldest") == [plain, zoomed, ignored]
    assert ids(store, outcome="wrong", reviewer="ann", search="second") == [zoomed]
    store.reviews.undo("ann")
    assert ids(store, reviewer="ann") == []
    row = store.queue.page(Query(tag="night shot")).items[0]
    assert row.tags == ("night shot",) and row.item.media_sha256 and row.trajectory == "text"
    store.tags.remove(plain, "night shot", "ann")
    assert ids(store, tag="night shot") == [] and store.verify(None).problems == ()


def test_what_teaches_most_comes_first(store: Store) -> None:
    right = store.traces.record(make_trace("Sure?"), author="tiny", score=1.0).id
    wrong = store.traces.record(make_trace("Unsure?"), author="tiny", score=0.0).id
    unscored = store.traces.record(make_trace("Unknown?"), author="tiny").id
    assert ids(store, order="suggested") == [wrong, unscored, right]
    # Rollouts of one question that disagree overtake everything; agreeing ones do not.
    a = store.traces.record(make_trace("Split?", answer="a"), author="tiny").id
    b = store.traces.record(make_trace("Split?", answer="b"), author="tiny").id
    c = store.traces.record(make_trace("Split?", answer="c"), author="tiny").id
    store.traces.record(make_trace("Same?", answer="a"), author="tiny")
    store.traces.record(make_trace("Same?", answer="a"), author="tiny")
    assert ids(store, order="suggested")[:3] == [c, b, a]
    store.reviews.record(store.traces.get(c).head_id, "ann", "accepted")
    assert ids(store, order="suggested")[-1] == c and ids(store, order="suggested")[0] == b


def test_rapr_of_a_group(store: Store) -> None:
    made = [store.traces.record(make_trace(answer=str(k), is_operating=k == 0), author="tiny").id for k in range(4)]
    assert ids(store, rapr="seldom") == made[::-1]  # 1 of 4
    store.traces.record(make_trace(answer="9", is_operating=True), author="tiny")
    assert len(ids(store, rapr="often")) == 5 and ids(store, rapr="seldom") == []


@pytest.fixture(scope="module")
def full(tmp_path_factory) -> Store:
    store = Store(tmp_path_factory.mktemp("queue") / "annotations.db")
    fill(store.connections, 300, seed=3)
    return store


@pytest.mark.parametrize("order", ["newest", "oldest", "suggested", "updated"])
@pytest.mark.parametrize("filters", [{}, {"outcome": "wrong"}, {"search": "wall"}])
def test_pages_that_follow_one_another_neither_repeat_nor_skip(full: Store, order: str, filters: dict) -> None:
    query = Query(order=order, **filters)
    whole = full.queue.ids(query, 1000)
    page = full.queue.page(query)
    assert len(whole) == len(set(whole)) and (page.total == len(whole) or not page.is_total_exact)
    walked: list[str] = []
    while page := full.queue.page(query, limit=37, after=walked[-1] if walked else None).items:
        walked += [listed.item.id for listed in page]
    assert walked == whole
    by_offset = [i.item.id for start in range(0, len(whole), 41) for i in full.queue.page(query, 41, start).items]
    assert by_offset == whole


@pytest.mark.parametrize(
    "filters", [{"search": "wall"}, {"has_operation": True}, {"until": "2026-06-30", "kind": "image"}]
)
@pytest.mark.parametrize("few", [0, 5])  # by hours, by days
def test_last_changed_first_is_the_same_walked_as_sorted(full: Store, filters: dict, few: int, monkeypatch) -> None:
    query = Query(order="updated", **filters)
    sorted_ids = full.queue.ids(query, 1000)
    items = [listed.item for listed in full.queue.page(query, limit=1000).items]
    assert any(i.updated_at != i.created_at for i in items) and any(i.updated_at == i.created_at for i in items)
    assert [(i.updated_at, i.number) for i in items] == sorted(((i.updated_at, i.number) for i in items), reverse=True)
    monkeypatch.setattr("engine.store.queue.FEW", few)
    assert full.queue.ids(query, 1000) == sorted_ids
    walked: list[str] = []
    while page := full.queue.page(query, limit=7, after=walked[-1] if walked else None).items:
        walked += [listed.item.id for listed in page]
    assert walked == sorted_ids
    assert [i.item.id for i in full.queue.page(query, 20, 11).items] == sorted_ids[11:31]


def test_a_busy_day_is_walked_by_hours_and_then_as_the_rest_of_a_day(store: Store, monkeypatch) -> None:
    made = [store.traces.record(make_trace(f"Which {k}?"), author="tiny").id for k in range(12)]
    with store.transaction() as db:
        for k, trace_id in enumerate(made):
            moments = ("2026-01-01T00:00:00.000Z", f"2026-02-01T{(k * 7) % 12 + 10:02}:00:00.000Z")
            db.conn.execute("UPDATE traces SET created_at = ?, updated_at = ? WHERE id = ?", (*moments, trace_id))
    expected = ids(store, order="updated", search="which")
    monkeypatch.setattr("engine.store.queue.FEW", 4)
    assert ids(store, order="updated", search="which") == expected and len(expected) == 12
    assert [
        i.item.id for i in store.queue.page(Query(order="updated", search="which"), 5, after=expected[2]).items
    ] == (expected[3:8])


def test_what_a_person_touches_moves_to_the_front_of_last_changed(store: Store, monkeypatch) -> None:
    monkeypatch.setattr("engine.store.queue.FEW", 0)
    made = [store.traces.record(make_trace(f"Which {k}?"), author="tiny").id for k in range(3)]
    assert ids(store, order="updated", search="which") == made[::-1]
    store.reviews.record(store.traces.get(made[0]).head_id, "ann", "flagged")
    assert ids(store, order="updated", search="which") == [made[0], made[2], made[1]]
    assert ids(store, order="updated", status="flagged") == [made[0]]


def test_a_policy_that_was_not_sure_teaches_more(store: Store) -> None:
    sure = store.traces.record(make_trace("Sure?"), author="tiny", confidence=0.99).id
    unsure = store.traces.record(make_trace("Unsure?"), author="tiny", confidence=0.5).id
    untold = store.traces.record(make_trace("Untold?"), author="tiny").id
    assert ids(store, order="suggested") == [unsure, untold, sure]
    assert store.traces.get(unsure).item.confidence == 0.5 and store.traces.get(untold).item.confidence is None
    with pytest.raises(ValueError, match="confidence"):
        store.traces.record(make_trace("Odd?"), author="tiny", confidence=1.2)


def test_a_total_is_never_less_than_what_is_shown_however_early_counting_stopped(full: Store, monkeypatch) -> None:
    monkeypatch.setattr("engine.store.queue.COUNT_S", -1.0)
    many = full.queue.page(Query(search="wall"))
    assert len(many.items) == 50 and many.total >= 50 and not many.is_total_exact
    few = full.queue.page(Query(search="wall", status="flagged"))
    assert 0 < len(few.items) < 50 and (few.total, few.is_total_exact) == (len(few.items), True)


def test_dates_are_days_of_recording(full: Store) -> None:
    everything = [listed.item for listed in full.queue.page(Query(order="oldest"), limit=1000).items]
    march = [i.id for i in everything if "2026-03-01" <= i.created_at[:10] <= "2026-03-31"]
    assert march and full.queue.ids(Query(order="oldest", since="2026-03-01", until="2026-03-31"), 1000) == march
    assert full.queue.page(Query(until="2025-12-31")).items == ()
    assert full.queue.page(Query(since="2027-01-01")).total == 0


def test_a_generated_store_is_sound(full: Store) -> None:
    assert full.verify(None).problems == ()


names = {f.name: f for f in fields(Query)}
queries = st.builds(
    Query,
    search=st.text(max_size=10),
    status=st.none() | st.sampled_from(["new", "accepted"]),
    policy=st.none() | st.text(min_size=1, max_size=5),
    has_operation=st.none() | st.booleans(),
    is_pretending=st.none() | st.booleans(),
    tag=st.none() | st.text(min_size=1, max_size=5),
    rapr=st.none() | st.sampled_from(["never", "mostly"]),
    since=st.none() | st.dates().map(lambda d: d.isoformat()),
    order=st.sampled_from(["newest", "oldest", "updated", "suggested"]),
)


@given(queries)
@settings(max_examples=60, deadline=None)
def test_a_query_fits_into_a_url_and_never_raises(full: Store, query: Query) -> None:
    assert Query.from_params(query.to_params() | {"trace": "other things in the URL"}) == query
    full.queue.page(query)


@pytest.mark.parametrize(
    "params",
    [{"status": "great"}, {"has_operation": "yes"}, {"since": "yesterday"}, {"order": "best"}, {"rapr": "7"}],
)
def test_a_url_that_makes_no_sense_is_one_sentence(params: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        Query.from_params(params)


def test_saved_views_and_bad_pages(store: Store) -> None:
    query = Query(status="new", tag="glare", order="suggested")
    store.tags.save_view("ann", "my work", query)
    store.tags.save_view("ann", "my work", replace(query, tag=None))
    assert [(v.name, v.query) for v in store.tags.views("ann")] == [("my work", replace(query, tag=None))]
    store.tags.delete_view("ann", "my work")
    assert store.tags.views("ann") == []
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        with pytest.raises(InvalidInput):
            store.queue.page(Query(), **bad)
    with pytest.raises(NotFound):
        store.queue.page(Query(), after="nothing")
    with pytest.raises(InvalidInput):
        store.tags.add("nothing", "x" * 41, "ann")
