"""The workbench over a real store and real pictures: drafts that survive anything, conflicts that lose nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import ImageChops

from engine.blanking import blank_out, would_answer_change
from engine.editing import SetThought, continuation, diff, undo
from engine.errors import InvalidInput
from engine.lab.bench.people import WorkbenchDesk, losses, work_together
from engine.media import MediaFolder
from engine.operations import cut
from engine.policies.scripted import ScriptedPolicy
from engine.reasoning import Limits
from engine.store import StaleDraft, Store
from engine.store.revisions import StaleRevision
from engine.trace import Step
from engine.workbench import Workbench
from tests.editing.samples import policy_saying
from tests.test_worth import ONE, THREE, TWO, Weighing

from .conftest import nested


def test_from_drag_to_accepted(home) -> None:
    bench, store, media, medium = home
    trace_id = store.traces.record(nested(medium), author="tiny", score=1.0).id
    opened = bench.open(trace_id, "ann")
    assert opened.counter == 0 and not opened.draft.is_changed
    drag = {"edit": "set_box", "step": 0, "box": [0.5, 0.5, 1.0, 1.0], "view": None}
    dragged = bench.edit(trace_id, "ann", drag, opened.counter)
    view = dragged.draft.trace.view(2)
    pictures = bench.pictures(dragged.draft.trace)
    expected = media.load(medium.sha256).frames[0].crop((60, 45, 120, 90))
    assert ImageChops.difference(cut(view, pictures), expected).getbbox() is None
    assert dragged.draft.stale[1:] != (None, None) and dragged.model.trace == nested(medium)
    with pytest.raises(InvalidInput, match="stale"):
        bench.review(trace_id, "ann", "accepted")
    policy = policy_saying(Step("kept"), Step("I read XK.", answer="XK"))
    asking = Workbench(store, media, lambda: policy)
    trace = list(asking.continue_from(trace_id, "ann", 0).notices)[-1].trace
    taken = bench.edit(trace_id, "ann", continuation(0, trace), dragged.counter)
    record = bench.review(trace_id, "ann", "accepted")
    after = bench.open(trace_id, "ann")
    assert record.status == "accepted" and after.head.trace == taken.draft.trace
    assert record.head_id == after.head.id and after.head.parent_id == after.model.id
    assert [e["edit"] for e in store.drafts.edits(after.head.id)] == ["set_box", "take_steps"]
    assert record.score is None  # the answer changed, and no gold answer is known
    assert store.verify(media).problems == ()
    # Undo reaches back to before the acceptance; the next save is a new revision on top.
    back = bench.undo(trace_id, "ann", after.counter)
    back = bench.undo(trace_id, "ann", back.counter)
    assert back.draft.trace == nested(medium) and back.draft.is_changed
    restored = bench.commit(trace_id, "ann", back.counter)
    assert restored.head.number == 3 and restored.record.status == "edited"
    assert [step.kind for step in diff(after.head.trace, restored.head.trace)].count("changed") >= 1


def test_undo_across_a_restart(home, tmp_path: Path) -> None:
    bench, store, media, medium = home
    trace_id = store.traces.record(nested(medium), author="tiny").id
    first = bench.edit(trace_id, "ann", SetThought(0, "one"), 0)
    second = bench.edit(trace_id, "ann", SetThought(0, "two"), first.counter)
    with Store(tmp_path / "annotations.db") as again:
        reopened = Workbench(again, MediaFolder(tmp_path / "media"), ScriptedPolicy).open(trace_id, "ann")
        assert reopened.draft == second.draft
        assert undo(reopened.draft).state == first.draft.state


def test_two_tabs_and_an_edit_that_is_sent_twice(home) -> None:
    bench, store, _, medium = home
    trace_id = store.traces.record(nested(medium), author="tiny").id
    once = bench.edit(trace_id, "ann", SetThought(0, "tab one"), 0, key="a1")
    with pytest.raises(StaleDraft):
        bench.edit(trace_id, "ann", SetThought(0, "tab two"), 0, key="b1")
    assert bench.open(trace_id, "ann").draft.trace.steps[0].thought == "tab one"
    again = bench.edit(trace_id, "ann", SetThought(0, "tab one"), 0, key="a1")  # the reply was lost, it is sent again
    assert again.counter == once.counter and again.draft == once.draft


def test_the_second_of_two_people_gets_both_versions(home) -> None:
    bench, store, media, medium = home
    trace_id = store.traces.record(nested(medium), author="tiny").id
    ann = bench.edit(trace_id, "ann", SetThought(0, "Ann's"), 0)
    bob = bench.edit(trace_id, "bob", SetThought(0, "Bob's"), 0)
    bench.commit(trace_id, "ann", ann.counter)
    with pytest.raises(StaleRevision) as caught:
        bench.commit(trace_id, "bob", bob.counter)
    assert caught.value.kept.trace.steps[0].thought == "Bob's"
    assert caught.value.head.trace.steps[0].thought == "Ann's"
    behind = bench.open(trace_id, "bob")
    assert behind.is_behind and behind.draft.trace.steps[0].thought == "Bob's"
    mine = bench.rebase(trace_id, "bob", behind.counter)
    assert mine.draft.trace.steps[0].thought == "Bob's" and not mine.is_behind
    saved = bench.commit(trace_id, "bob", mine.counter)
    assert saved.head.trace.steps[0].thought == "Bob's" and saved.head.parent_id == caught.value.head.id
    assert len(store.revisions.list(trace_id)) == 4 and store.verify(media).problems == ()


def test_twenty_people_edit_for_seconds_and_no_update_is_lost(home) -> None:
    """The same work as `python -m engine bench people`, without HTTP and for five seconds."""
    bench, store, media, medium = home
    traces = [store.traces.record(nested(medium, str(k)), author="tiny").id for k in range(4)]
    accounts = work_together([WorkbenchDesk(bench, f"p{k}") for k in range(20)], traces, 5)
    assert losses(store, media, accounts) == []
    assert all(account.edits for account in accounts) and any(account.accepted for account in accounts)


def test_what_was_promised_and_is_not_there_is_found(home) -> None:
    bench, store, media, medium = home
    trace_id = store.traces.record(nested(medium), author="tiny").id
    [ann, ben] = work_together([WorkbenchDesk(bench, "ann"), WorkbenchDesk(bench, "ben")], [trace_id], 0.2)
    assert losses(store, media, [ann, ben]) == []
    ann.kept[trace_id] = "never sent"
    ann.accepted.append((trace_id, "no revision"))
    ben.late.append((trace_id, "never saved"))
    ben.error = RuntimeError("database is locked")
    found = losses(store, media, [ann, ben])
    assert len(found) == 4 and all(any(word in line for line in found) for word in ("gone", "chain", "kept", "locked"))
    store.drafts.discard(trace_id, "ben", store.drafts.find(trace_id, "ben").counter)
    ben.error, ben.late, ben.accepted = None, [], []
    is_saved = ben.kept[trace_id] in {r.trace.steps[0].thought for r in store.revisions.list(trace_id)}
    assert len(losses(store, media, [ben])) == (0 if is_saved else 1)


_CHILD = """
import sys
from pathlib import Path
from engine.editing import SetThought
from engine.media import MediaFolder
from engine.store import Store
from engine.workbench import Workbench
home, trace_id = Path(sys.argv[1]), sys.argv[2]
bench = Workbench(Store(home / "annotations.db"), MediaFolder(home / "media"), policy=None)
at = bench.open(trace_id, "ann")
for k in range(1, 100_000):
    at = bench.edit(trace_id, "ann", SetThought(0, str(k)), at.counter)
    print(k, flush=True)
"""


def test_a_server_killed_in_the_middle_of_an_edit_keeps_every_edit_that_it_confirmed(home, tmp_path: Path) -> None:
    bench, store, media, medium = home
    trace_id = store.traces.record(nested(medium), author="tiny").id
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path), trace_id],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
    )
    confirmed = 0
    assert child.stdout is not None
    while confirmed < 8:
        confirmed = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    confirmed = max([confirmed, *(int(line) for line in child.stdout.read().split())])
    child.wait()
    after = bench.open(trace_id, "ann")
    assert int(after.draft.trace.steps[0].thought) in (confirmed, confirmed + 1)  # one may have had no time to be told
    assert undo(after.draft).trace.steps[0].thought == str(int(after.draft.trace.steps[0].thought) - 1)
    assert store.verify(media).problems == ()


def test_blanking_hides_the_crop_and_nothing_else(home) -> None:
    bench, store, media, medium = home
    trace = nested(medium)
    pictures = bench.pictures(trace)
    blanked = blank_out(pictures, trace.view(2))
    assert len(cut(trace.view(2), blanked).getcolors()) == 1
    for number in (1, 3):
        assert (
            ImageChops.difference(cut(trace.view(number), blanked), cut(trace.view(number), pictures)).getbbox() is None
        )
    with pytest.raises(InvalidInput, match="whole picture"):
        blank_out(pictures, trace.view(1))


def test_whether_the_answer_would_change_is_asked_of_the_policy(home) -> None:
    bench, _, _, medium = home
    trace = nested(medium)
    pictures = bench.pictures(trace)
    deaf = policy_saying(Step("kept"), Step("kept"), Step("", answer="KX"))
    found = would_answer_change(trace, 1, deaf, pictures)
    assert (found.expected, found.answer, found.is_changed) == ("KX", "KX", False)

    class Seeing:
        """Answers by whether the crop has any colours."""

        name, protocol = "seeing", deaf.protocol

        def settings(self):
            return {}

        def shown_sizes(self, views, pictures):
            return deaf.shown_sizes(views, pictures)

        def converse(self, shown, seed):
            colours = cut(trace.view(3), shown).getcolors()
            answer = "blank" if colours is not None and len(colours) == 1 else "KX"
            return policy_saying(Step("kept"), Step("kept"), Step("", answer=answer)).converse(shown, seed)

    changed = would_answer_change(trace, 1, Seeing(), pictures)
    assert (changed.expected, changed.answer, changed.is_changed) == ("KX", "blank", True)
    with pytest.raises(InvalidInput):
        would_answer_change(trace, 2, deaf, pictures)


def test_blanking_keeps_to_the_limits_and_can_be_stopped(home) -> None:
    _, store, media, medium = home
    trace_id = store.traces.record(nested(medium), author="tiny").id
    wordy = ScriptedPolicy(("kept", "kept", "word " * 100 + "\\boxed{KX}"))
    with pytest.raises(InvalidInput, match="no answer"):
        Workbench(store, media, lambda: wordy, Limits(max_tokens=20)).blank(trace_id, "ann", 1)
    bench = Workbench(store, media, lambda: wordy)
    asked = iter(range(1000))
    stopped = bench.blank(trace_id, "ann", 1, is_cancelled=lambda: next(asked) > 20)
    assert stopped.blank_checks == () and next(asked) < 50
    assert [check.is_changed for check in bench.blank(trace_id, "ann", 1).blank_checks] == [False]


def test_what_looks_are_worth_is_kept_with_the_version_until_it_is_asked_again(home) -> None:
    _, store, media, medium = home
    trace_id = store.traces.record(nested(medium), author="tiny").id
    bench, policy = Workbench(store, media, lambda: policy), Weighing()
    opened = bench.weigh(trace_id, "ann")
    kept = [(one.step, one.answer, one.before, one.after, one.policy) for one in opened.weighed_looks]
    assert kept == [(0, "KX", ONE, TWO, "weighing"), (1, "KX", TWO, THREE, "weighing")]
    assert len(bench.weigh(trace_id, "ann", is_cancelled=lambda: True).weighed_looks) == 2
    assert len(policy.asked) == 3 + 2  # the second time it was left after the first look
    bench.edit(trace_id, "ann", SetThought(0, "Elsewhere."), opened.counter)
    with pytest.raises(InvalidInput, match="Save your changes"):
        bench.weigh(trace_id, "ann")
    assert bench.commit(trace_id, "ann", 1).weighed_looks == ()
