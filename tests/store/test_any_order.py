"""Whatever people do, in whatever order: the store stays sound, and a trace's status is what its head's verdicts say."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, multiple, rule, run_state_machine_as_test

from engine.errors import InvalidInput
from engine.store import StaleRevision, Store, target_of

from .samples import make_trace

people = st.sampled_from(["ann", "bob"])
answers = st.sampled_from([None, "KX7421", "red"])
verdicts = st.sampled_from(["accepted", "rejected", "skipped", "flagged"])


class Work(RuleBasedStateMachine):
    """The model holds, for each trace, its head and the answers of its versions, and the reviews in order."""

    revisions = Bundle("revisions")

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.before = {item.item.id for item in store.queue.page(limit=1000).items}
        self.heads: dict[str, str] = {}
        self.edited: set[str] = set()
        self.reviews: list[tuple[str, str, str, str]] = []
        self.tags: dict[str, set[str]] = defaultdict(set)
        # One store for all examples: each has people of its own, whose reviews nobody else takes back.
        self.crew = f" {len(self.before)}"

    @rule(target=revisions, question=st.sampled_from(["Which?", "Where?"]), answer=answers, is_operating=st.booleans())
    def record(self, question: str, answer: str | None, is_operating: bool) -> tuple[str, str]:
        trace = make_trace(question, answer, is_operating=is_operating)
        record = self.store.traces.record(trace, author="tiny", confidence=0.5, score=1.0)
        self.heads[record.id] = record.head_id
        return record.id, record.head_id

    @rule(target=revisions, revision=revisions, person=people, answer=answers, thought=st.sampled_from("xy"))
    def edit(self, revision: tuple[str, str], person: str, answer: str | None, thought: str) -> object:
        trace_id, parent = revision
        head = self.store.revisions.head(trace_id).trace
        changed = make_trace(head.question, answer, thought, is_operating=head.has_operation)
        saved = {one.id for one in self.store.revisions.list(trace_id)}
        try:
            made = self.store.revisions.append(trace_id, changed, person, parent)
        except StaleRevision as stale:
            assert parent != self.heads[trace_id] and stale.head.id == self.heads[trace_id]
            made = stale.kept
        else:
            if made.id != self.heads[trace_id]:
                assert parent == self.heads[trace_id]
                self.heads[trace_id] = made.id
        return multiple() if made.id in saved else (trace_id, made.id)

    @rule(revision=revisions, person=people, verdict=verdicts)
    def review(self, revision: tuple[str, str], person: str, verdict: str) -> None:
        self.store.reviews.record(revision[1], person + self.crew, verdict)
        self.reviews.append((person, *revision, verdict))

    @rule(person=people)
    def undo(self, person: str) -> None:
        mine = [one for one in self.reviews if one[0] == person]
        taken = self.store.reviews.undo(person + self.crew)
        assert (taken is None) == (not mine)
        if mine:
            last = len(self.reviews) - 1 - self.reviews[::-1].index(mine[-1])
            del self.reviews[last]

    @rule(revision=revisions, tag=st.sampled_from(["glare", "far away"]), is_on=st.booleans(), person=people)
    def tag(self, revision: tuple[str, str], tag: str, is_on: bool, person: str) -> None:
        if is_on:
            self.store.tags.add(revision[0], tag, person)
            self.tags[revision[0]].add(tag)
        else:
            self.store.tags.remove(revision[0], tag, person)
            self.tags[revision[0]].discard(tag)

    @rule(revision=revisions, is_changed=st.booleans())
    def blank(self, revision: tuple[str, str], is_changed: bool) -> None:
        self.store.history.record_blank_check(revision[1], 0, "red", "KX7421", is_changed)

    @rule(revision=revisions, person=people, is_last_first=st.booleans())
    def delete_and_restore(self, revision: tuple[str, str], person: str, is_last_first: bool) -> None:
        put = []
        for target in (target_of("person", [person + self.crew]), target_of("trace", [revision[0]])):
            with suppress(InvalidInput):  # the person has said nothing yet
                put.append(self.store.bin.put(target, "eve").id)
        for deletion_id in reversed(put) if is_last_first else put:
            self.store.bin.restore(deletion_id)

    def teardown(self) -> None:
        assert self.store.verify(None).problems == ()
        for listed in self.store.queue.page(limit=1000).items:
            trace_id = listed.item.id
            if trace_id in self.before:
                continue
            head = self.store.revisions.head(trace_id)
            decided = [r[3] for r in self.reviews if r[2] == head.id and r[3] != "skipped"]
            undecided = "new" if head.parent_id is None else "edited"
            assert head.id == self.heads[trace_id]
            assert listed.item.status == (decided[-1] if decided else undecided)
            assert set(listed.tags) == self.tags[trace_id]


def test_the_store_stays_sound_in_any_order_of_work(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db") as store:
        run_state_machine_as_test(
            lambda: Work(store), settings=settings(max_examples=25, stateful_step_count=20, deadline=None)
        )
        assert store.queue.page().total > 0 and store.verify(None).problems == ()
