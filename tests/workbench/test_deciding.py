"""Verdicts at the door: nothing that stands against a trace is approved, one by one, in bulk or by the last word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.access import Access
from engine.editing import SetAnswer, SetBox, SetThought
from engine.errors import Conflict, InvalidInput, NotAllowed, NotFound
from engine.settings import Settings
from engine.store import Reserved, Store
from engine.trace import Box, Media, Observation, Step, Trace
from engine.workbench import Workbench

from .conftest import Home, nested

CALL = '{"name": "zoom_in", "arguments": {"bbox_2d": [0, 0, 1, 1]}}'


def record(store: Store, trace: Trace, **known) -> str:
    return store.traces.record(trace, author="tiny", **known).id


def unfit(medium: Media) -> dict[str, Trace]:
    """Traces that must not be approved, by what their refusal says."""
    whole = nested(medium)
    looked, answered = whole.steps[:-1], whole.steps[-1]
    unread = Step(f"<tool_call>{CALL}", observation=Observation(error="not valid JSON"))
    return {
        "no answer": replace(whole, steps=looked, stop_reason="max_steps"),
        "is empty": replace(whole, steps=(*looked, replace(answered, answer=" "))),
        "neither looks": replace(whole, steps=(*looked, Step("Cut off"), answered)),
        "was not read": replace(whole, steps=(*looked, replace(answered, thought=f"So {CALL}."))),
        "Step 1 holds": replace(whole, steps=(unread, *whole.steps)),
    }


def test_what_one_approval_refuses_bulk_and_the_last_word_refuse_too(home: Home) -> None:
    bench, store, _, medium = home
    good = record(store, nested(medium))
    ids = {said: record(store, trace) for said, trace in unfit(medium).items()}
    for said, trace_id in ids.items():
        with pytest.raises(InvalidInput, match=said):
            bench.review(trace_id, "ann", "accepted")
    action = bench.review_many([*ids.values(), good, "nowhere"], "ann", "accepted")
    why = {one.trace_id: one.why for one in action.passed_over}
    assert action.reviewed == 1 and store.traces.get(good).status == "accepted"
    assert all(said in why[trace_id] for said, trace_id in ids.items()) and why["nowhere"] == "It is not there."
    assert bench.review_many(list(ids.values()), "ann", "rejected").passed_over == ()
    disputed = ids["no answer"]
    bench.ask_reviews(disputed, 2, "eve")
    bench.review(disputed, "bob", "flagged")
    head = store.traces.get(disputed).head_id
    with pytest.raises(InvalidInput, match="no answer"):
        bench.settle(disputed, head, "eve", "accepted")
    assert bench.settle(disputed, head, "eve", "rejected").status == "rejected"


def test_an_unreadable_step_that_is_marked_as_erroneous_or_mended_stands_in_nobodys_way(home: Home) -> None:
    bench, store, _, medium = home
    trace_id = record(store, unfit(medium)["Step 1 holds"])
    at = bench.edit(trace_id, "ann", {"edit": "mark_erroneous", "step": 0, "is_erroneous": True}, 0)
    bench.edit(trace_id, "ann", {"edit": "confirm", "step": None}, at.counter)
    assert bench.review(trace_id, "ann", "accepted").status == "accepted"
    other = record(store, unfit(medium)["was not read"])
    bench.edit(other, "ann", SetThought(2, "So."), 0)
    assert bench.review(other, "ann", "accepted").status == "accepted"


def test_in_bulk_a_trace_that_is_not_as_it_stands_or_not_free_is_passed_over(home: Home) -> None:
    bench, store, _, medium = home
    mine, theirs, free = (record(store, nested(medium, str(k))) for k in range(3))
    bench.edit(mine, "ann", SetThought(0, "mine"), 0)
    bench.hold(theirs, "bob")
    action = bench.review_many([mine, theirs, free], "ann", "rejected", "blurred")
    assert [one.trace_id for one in action.passed_over] == [mine, theirs]
    assert "did not save" in action.passed_over[0].why and "bob" in action.passed_over[1].why


def test_an_answer_that_changed_is_scored_by_gold_and_rule(home: Home) -> None:
    bench, store, _, medium = home
    trace = nested(medium, "seven")
    known = replace(trace.example, answer="9", other_answers=("7",), rule="number")
    trace_id = record(store, trace, example=known, score=0.0)
    at = bench.edit(trace_id, "ann", SetAnswer(2, "seven of them"), 0)
    assert at.score == 1.0 and at.record.score == 0.0  # of the draft, of the head
    assert bench.commit(trace_id, "ann", at.counter).record.score == 1.0
    at = bench.edit(trace_id, "ann", SetAnswer(2, "8"), bench.open(trace_id, "ann").counter)
    at = bench.commit(trace_id, "ann", at.counter)
    assert at.record.score == 0.0
    # A score that does not follow from the gold answer stays while the answer does.
    other = record(store, trace, example=known, score=0.5)
    at = bench.edit(other, "ann", SetThought(0, "else"), 0)
    assert bench.commit(other, "ann", at.counter).record.score == 0.5


def test_what_another_person_works_on_is_theirs_unless_one_insists(home: Home) -> None:
    bench, store, _, medium = home
    trace_id = record(store, nested(medium))
    bench.hold(trace_id, "bob")
    at = bench.edit(trace_id, "ann", SetThought(0, "ann's"), 0)  # a draft takes nothing from anybody
    for act in (
        lambda: bench.commit(trace_id, "ann", at.counter),
        lambda: bench.review(trace_id, "ann", "rejected", "no"),
        lambda: bench.settle(trace_id, at.head.id, "ann", "rejected"),
    ):
        with pytest.raises(Reserved, match="bob"):
            act()
    bench.review(trace_id, "ann", "skipped")
    assert store.traces.get(trace_id).status == "new"
    assert bench.review(trace_id, "ann", "rejected", "no", is_insisting=True).status == "rejected"


def test_a_verdict_is_on_what_was_seen_and_one_that_is_repeated_is_one(home: Home) -> None:
    bench, store, _, medium = home
    trace_id = record(store, nested(medium))
    seen = store.traces.get(trace_id).head_id
    bench.review(trace_id, "ann", "rejected", seen=seen)
    bench.review(trace_id, "ann", "rejected", "blurred", seen=seen)
    assert [r.reason for r in store.reviews.list(trace_id) if r.undone_at is None] == ["blurred"]
    bench.edit(trace_id, "bob", SetBox(0, Box(0.5, 0.5, 1, 1)), 0)
    bench.commit(trace_id, "bob", 1)
    with pytest.raises(Conflict, match="bob saved version 2"):
        bench.review(trace_id, "ann", "rejected", seen=seen)
    with pytest.raises(NotFound):
        bench.review("nowhere", "ann", "rejected")


def test_only_who_decided_takes_it_back_and_once(home: Home) -> None:
    bench, store, _, medium = home
    ids = [record(store, nested(medium, str(k))) for k in range(2)]
    action = bench.review_many(ids, "ann", "rejected")
    with pytest.raises(NotAllowed, match="ann"):
        bench.take_back_many(action.id, "bob")
    assert bench.take_back_many(action.id, "ann") == 2
    with pytest.raises(InvalidInput, match="already"):
        bench.take_back_many(action.id, "ann")
    heads = [store.traces.get(trace_id).head_id for trace_id in ids]
    preference = bench.prefer(*heads, "ann")
    with pytest.raises(NotAllowed):
        bench.take_back_preference(preference.id, "bob")
    assert bench.take_back_preference(preference.id, "ann").undone_at is not None
    with pytest.raises(InvalidInput, match="already"):
        bench.take_back_preference(preference.id, "ann")
    for act in (bench.take_back_many, bench.take_back_preference, bench.take_back):
        with pytest.raises(NotFound):
            act("nowhere", "ann")
    with pytest.raises(InvalidInput, match="no verdict of yours"):
        bench.take_back(ids[0], "ann")


def test_every_act_asks_for_the_right_first(home: Home) -> None:
    _, store, media, medium = home
    trace_id = record(store, nested(medium))
    visiting = Settings.from_environment({"STUDIO_ACCESS": "accounts"})
    bench = Workbench(store, media, lambda: None, access=Access(visiting, store))  # type: ignore[arg-type, return-value]
    acts = (
        lambda: bench.edit(trace_id, "guest", SetThought(0, "x"), 0),
        lambda: bench.undo(trace_id, "guest", 0),
        lambda: bench.redo(trace_id, "guest", 0),
        lambda: bench.discard(trace_id, "guest", 0),
        lambda: bench.rebase(trace_id, "guest", 0),
        lambda: bench.commit(trace_id, "guest", 0),
        lambda: bench.continue_from(trace_id, "guest", 0),
        lambda: bench.blank(trace_id, "guest", 0),
        lambda: bench.weigh(trace_id, "guest"),
        lambda: bench.review(trace_id, "guest", "accepted"),
        lambda: bench.review_many([trace_id], "guest", "accepted"),
        lambda: bench.take_back(trace_id, "guest"),
        lambda: bench.take_back_many("a", "guest"),
        lambda: bench.settle(trace_id, "r", "guest", "accepted"),
        lambda: bench.prefer("a", "b", "guest"),
        lambda: bench.take_back_preference("a", "guest"),
        lambda: bench.tag(trace_id, "x", "guest"),
        lambda: bench.assign(trace_id, "bob", "guest"),
        lambda: bench.ask_reviews(trace_id, 2, "guest"),
        lambda: bench.hold(trace_id, "guest"),
        lambda: bench.release([trace_id], "guest"),
        lambda: bench.keep_view("x", None, "guest"),
    )
    for act in acts:
        with pytest.raises(NotAllowed):
            act()
    with pytest.raises(NotFound):
        bench.open(trace_id, "guest")
    own = store.traces.record(nested(medium), author="guest").id
    assert bench.open(own, "guest").record.id == own
    assert bench.send_to_review(own, "guest").status == "flagged"
    public = {name for name in dir(Workbench) if not name.startswith("_")}
    named = {name for act in acts for name in act.__code__.co_names} | {"open", "send_to_review"}
    # The first reads what somebody has opened; the others are the checks themselves.
    checks = {"may_see", "may_see_media", "require_seen", "require_media_seen", "seer_of"}
    assert public - named == {"pictures"} | checks
