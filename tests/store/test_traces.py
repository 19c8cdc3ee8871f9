from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput, NotFound
from engine.store import Query, QueueItem, Store
from engine.trace import Example, Media
from tests.strategies import examples

from .samples import make_trace, sha, texts

plain_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(
    settings_json=st.dictionaries(texts, plain_json, max_size=3),
    score=st.none() | st.floats(0, 1),
    known=examples(),
)
def test_what_is_known_beside_the_steps_comes_back(
    shared_store: Store, settings_json: dict[str, Any], score: float | None, known: Example
) -> None:
    trace = make_trace()
    example = replace(known, question=trace.question, media=trace.media)
    record = shared_store.traces.record(
        trace, author="tiny", example=example, policy_settings=settings_json, score=score
    )
    assert record == shared_store.traces.get(record.id)
    assert record.policy_settings == settings_json
    assert (record.score, record.example) == (score, example)
    assert (record.gold, record.item.source) == (known.answer, known.source)


def test_unscored_is_not_zero_and_scores_are_in_range(store: Store) -> None:
    record = store.traces.record(make_trace(), author="tiny")
    assert record.score is None
    assert store.traces.record(make_trace(), author="tiny", score=0.0).score == 0.0
    for score in (1.5, float("nan")):
        with pytest.raises(ValueError):
            store.traces.record(make_trace(), author="tiny", score=score)


def _fill(store: Store) -> dict[int, dict[str, Any]]:
    """24 traces of every mix of a few properties; number -> its properties."""
    clip = Media(sha("clip"), "video", 320, 240)
    known: dict[int, dict[str, Any]] = {}
    for k in range(24):
        facts = {
            "policy": "tiny" if k % 2 else "tiny+adapter 1",
            "source": "mini-signs" if k % 3 else "mini-clips",
            "score": (None, 0.0, 0.5, 1.0)[k % 4],
            "is_operating": k % 5 != 0,
            "media": clip if k % 3 == 0 else Media(sha("x"), "image", 8, 8),
        }
        trace = make_trace(
            f"Question {k}?",
            answer=f"answer{k % 4}",
            policy=facts["policy"],
            is_operating=facts["is_operating"],
            media=facts["media"],
        )
        record = store.traces.record(
            trace,
            author="tiny",
            example=replace(trace.example, source=f"{facts['source']}/test/{k}"),
            score=facts["score"],
        )
        if k % 6 == 0:
            store.reviews.record(record.head_id, "ann", "accepted")
        known[record.item.number] = facts | {"status": store.traces.get(record.id).status, "answer": trace.answer}
    return known


@pytest.mark.parametrize("order", ["newest", "oldest", "updated"])
def test_filters_find_exactly_what_fits(store: Store, order: Any) -> None:
    known = _fill(store)
    outcomes = {None: "unscored", 0.0: "wrong", 0.5: "partial", 1.0: "right"}
    for status in (None, "new", "accepted"):
        for policy in (None, "tiny", "tiny+adapter 1", "TINY", "nobody"):
            for has_operation in (None, True, False):
                for outcome in (None, "right", "unscored"):
                    for source, kind in ((None, None), ("mini-signs", None), (None, "video"), ("mini-clips", "image")):
                        query = Query(
                            status=status,
                            policy=policy,
                            source=source,
                            kind=kind,
                            has_operation=has_operation,
                            outcome=outcome,
                            order=order,
                        )
                        wanted = {
                            number
                            for number, f in known.items()
                            if status in (None, f["status"])
                            and policy in (None, f["policy"])
                            and source in (None, f["source"])
                            and kind in (None, f["media"].kind)
                            and has_operation in (None, f["is_operating"])
                            and outcome in (None, outcomes[f["score"]])
                        }
                        page = store.queue.page(query)
                        assert {listed.item.number for listed in page.items} == wanted
                        assert (page.total, page.is_total_exact) == (len(wanted), True)


@pytest.mark.parametrize("order", ["newest", "oldest", "updated"])
@pytest.mark.parametrize("search", [None, "question", "answer1"])
@pytest.mark.parametrize("status", [None, "new"])
def test_pages_follow_each_other_without_gap_or_overlap(store: Store, order: Any, search: Any, status: Any) -> None:
    _fill(store)

    def page(**place: Any) -> list[QueueItem]:
        query = Query(search=search or "", status=status, order=order)
        return [listed.item for listed in store.queue.page(query, **place).items]

    whole = page(limit=1000)
    by_offset = [item for k in range(0, 30, 5) for item in page(limit=5, offset=k)]
    by_cursor, after = [], None
    while items := page(limit=5, after=after):
        by_cursor.extend(items)
        after = items[-1].id
    assert list(whole) == by_offset == by_cursor
    key = {"newest": lambda i: -i.number, "oldest": lambda i: i.number}.get(order)
    if key:
        assert list(whole) == sorted(whole, key=key)
    else:
        assert [(i.updated_at, i.number) for i in whole] == sorted((i.updated_at, i.number) for i in whole)[::-1]


def test_search_finds_words_of_questions_thoughts_and_answers(store: Store) -> None:
    one = store.traces.record(make_trace("What is on the Café sign?", "KX7421", "It hangs high."), author="tiny")
    two = store.traces.record(make_trace("Which frame?", "blue", "Nothing yet, so zoom."), author="tiny")

    def found(text: str, **more: Any) -> list[str]:
        return [listed.item.id for listed in store.queue.page(Query(search=text, **more)).items]

    assert found("cafe") == found("CAFÉ sign") == found("kx74") == found("hangs") == [one.id]
    assert found('"hangs high"') == [one.id] and found('"high hangs"') == [] and found("high hangs") == [one.id]
    assert found("zoom frame") == [two.id] and found("zoom café") == []
    assert found("— café") == found("café !") == found("café - ") == found("'café'") == [one.id]
    assert found("!!!") == [], "something was typed, and no text has it"
    assert found("zoo") == [two.id], "the last word may be a beginning"
    assert found("zoo ") == [], "a space ends it"
    assert found("  ") == [two.id, one.id], "no words, no filter"
    assert found("statusnew") == [] and found("6e6577") == [], "the filters' words are not text"
    assert found("kx7421", status="new") == [one.id] and found("kx7421", status="accepted") == []


def test_search_follows_the_head(store: Store) -> None:
    record = store.traces.record(make_trace(answer="before", thought="first idea"), author="tiny")
    store.revisions.append(record.id, make_trace(answer="after", thought="second idea"), "ann", record.head_id)
    assert store.queue.page(Query(search="before")).total == 0
    assert store.queue.page(Query(search="after second")).total == 1
    assert store.queue.page(Query(status="edited", search="idea")).total == 1


HOSTILE = [
    '"', '""', '"""', "'", "''", "*", "**", "(", ")", "()", "AND", "OR", "NOT", "NEAR", "NEAR(", "NEAR(a b, 3)",
    "a AND", "AND b", "a OR", "-a", "^a", "a:b", "question:", "question : x", "{question} : x", "facets:statusnew",
    "a*", "*a", "a**", "a + b", "+", "\\", "\0", "a\0b", ";", "'; DROP TABLE traces; --", "%", "_", "<script>",
    "\ud800", "日本語", "🙂", "é", "e\u0301", "\u200b", "\n\t", "a" * 100_000, "a " * 5_000, '" OR "" : "', "!!!",
    "-- ",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_search_text_raises(store: Store, text: str) -> None:
    store.traces.record(make_trace("AND question x"), author="tiny")
    for order in ("newest", "updated"):
        page = store.queue.page(Query(search=text, order=order, status="new"))
        assert page.total in (0, 1)
    assert store.queue.page().total == 1


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.characters(), max_size=30) | st.text('"*()^:{}+-ANDORT \0', max_size=30))
def test_no_generated_search_text_raises(shared_store: Store, text: str) -> None:
    shared_store.queue.page(Query(search=text), limit=1)


@settings(max_examples=40, deadline=None)
@given(word=st.text("abcdefghijKLMN0123456789", min_size=4, max_size=12), before=texts)
def test_a_word_is_found_wherever_it_stands(shared_store: Store, word: str, before: str) -> None:
    record = shared_store.traces.record(
        make_trace(thought=f"{before.replace(chr(0), '')} {word}, and on"), author="tiny"
    )
    assert record.id in [listed.item.id for listed in shared_store.queue.page(Query(search=word), limit=1000).items]


def test_hostile_text_in_a_trace_is_kept_and_found(store: Store) -> None:
    trace = make_trace('"; DROP TABLE traces', "a\0b", "<script>\ud800</script> findme", policy="x' OR 1=1")
    known = replace(trace.example, answer="\ud800", source="\udfff/1")
    record = store.traces.record(trace, author="'\"\ud800", example=known)
    assert store.revisions.head(record.id).trace == trace
    assert store.queue.page(Query(search="findme", policy="x' OR 1=1")).total == 1
    assert store.verify(None).problems == ()


def test_bad_pages_are_refused_in_a_sentence(store: Store) -> None:
    for bad in ({"limit": 0}, {"limit": 1001}, {"offset": -1}):
        with pytest.raises(InvalidInput):
            store.queue.page(**bad)
    for query in (Query(order="random"), Query(status="nice")):  # type: ignore[arg-type]
        with pytest.raises(InvalidInput):
            store.queue.page(query)
    with pytest.raises(NotFound):
        store.queue.page(after="nothing")
    with pytest.raises(NotFound):
        store.traces.get("nothing")


def test_counts_policies_and_sources(store: Store) -> None:
    assert store.traces.counts() == {"new": 0, "edited": 0, "accepted": 0, "rejected": 0, "flagged": 0}
    _fill(store)
    assert store.traces.counts() == {"new": 20, "edited": 0, "accepted": 4, "rejected": 0, "flagged": 0}
    assert store.traces.policies() == ["tiny", "tiny+adapter 1"]
    assert store.traces.sources() == ["mini-clips", "mini-signs"]


def test_ids_sort_by_time_and_do_not_repeat(store: Store) -> None:
    from engine.store.identity import new_id

    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000 and all(len(i) == 32 and i[12] == "7" for i in ids)
    assert [i[:12] for i in ids] == sorted(i[:12] for i in ids)
