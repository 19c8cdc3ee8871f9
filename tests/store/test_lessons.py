"""What would be learned from is counted from an index, and is what reading every accepted head would come to."""

from __future__ import annotations

import dataclasses

from engine.lessons import is_plain_lesson
from engine.store import LessonCounts, Store
from engine.store.lessons import _DOUBTFUL, _PLAIN
from engine.trace import Step

from .samples import make_trace


def counted_by_reading(store: Store) -> LessonCounts:
    found = LessonCounts()
    for head in store.reviews.accepted():
        if is_plain_lesson(head.trace):
            is_clip = head.trace.media[0].kind == "video"
            found += LessonCounts(1, is_clip, head.trace.has_operation, head.parent_id is not None)
    return found


def test_counts_are_what_reading_every_head_comes_to(store: Store) -> None:
    for k in range(4):
        record = store.traces.record(make_trace(answer=f"K{k}"), author="tiny")
        store.reviews.record(record.head_id, "ann", "accepted")
    assert store.lessons.plain() == counted_by_reading(store) != LessonCounts()
    before = store.lessons.last_change()

    # One is corrected, one loses its verdict, and one gets an answer that a protocol may be unable to write.
    first, second, third, _ = (store.traces.get(head.trace_id) for head in store.reviews.accepted())
    for record, answer in ((first, "KX"), (third, "{")):
        trace = store.revisions.get(record.head_id).trace
        steps = (*trace.steps[:-1], Step("I read it.", answer=answer))
        head = store.revisions.append(record.id, dataclasses.replace(trace, steps=steps), "ann", record.head_id)
        store.reviews.record(head.id, "ann", "accepted")
    store.reviews.undo("ann", second.id)
    assert store.lessons.plain() == counted_by_reading(store)
    assert (store.lessons.plain().total, store.lessons.plain().corrected) == (2, 1)
    (doubtful,) = store.lessons.doubtful()
    assert (doubtful.trace_id, doubtful.number, doubtful.counts.corrected) == (third.id, third.item.number, 1)
    assert doubtful.head_id == store.revisions.head(third.id).id
    assert store.lessons.last_change() > before


def test_equal_attempts_are_one_lesson_whoever_made_them(store: Store) -> None:
    """Of the same words at the same looks; another order of options, or a step that is marked, is another lesson."""
    trace = make_trace()
    asked = dataclasses.replace(trace.example, options=("KX7421", "KX7422"))
    marked = dataclasses.replace(
        trace, steps=(dataclasses.replace(trace.steps[0], is_erroneous=True), *trace.steps[1:])
    )
    for made, example in (
        (trace, None),
        (dataclasses.replace(trace, policy="server"), None),
        (trace, asked),
        (trace, dataclasses.replace(asked, options=asked.options[::-1])),
        (marked, None),
        (make_trace(answer="{"), None),
        (make_trace(answer="{"), None),
    ):
        record = store.traces.record(made, author="tiny", example=example)
        store.reviews.record(record.head_id, "ann", "accepted")
    keys = [store.lessons.key_of(head) for head in store.reviews.accepted()]
    assert [keys.index(key) for key in keys] == [0, 0, 2, 3, 4, 5, 5]
    assert (store.lessons.plain().total, len(store.lessons.doubtful())) == (4, 1)
    assert store.lessons.doubtful()[0].number == 6
    # An edit that comes to the same is the same lesson; what was corrected stays counted as such.
    fifth = store.reviews.accepted()[4]
    head = store.revisions.append(fifth.trace_id, trace, "ann", fifth.id)
    store.reviews.record(head.id, "ann", "accepted")
    assert (store.lessons.plain().total, store.lessons.plain().corrected) == (3, 1)
    assert store.verify(None).problems == ()


def plan(store: Store, sql: str) -> list[str]:
    return [row["detail"] for row in store.connections.rows(f"EXPLAIN QUERY PLAN {sql}")]


def test_no_trace_is_read_to_count_the_lessons(store: Store) -> None:
    counting = plan(store, _PLAIN)
    assert any("USING COVERING INDEX traces_accepted (status=? AND is_plain_lesson=?)" in line for line in counting)
    assert not any("TEMP B-TREE" in line for line in counting)
    judged = plan(store, _DOUBTFUL)
    assert "USING INDEX traces_accepted (status=? AND is_plain_lesson=?)" in judged[0]
    (touched,) = plan(store, "SELECT max(updated_at) FROM traces")
    assert "COVERING INDEX traces_by_update" in touched
