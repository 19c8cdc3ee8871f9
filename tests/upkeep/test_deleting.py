"""Out of the house: after emptying, no file of the home holds a word or a byte of what was deleted."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.errors import Conflict, NotAllowed, NotFound, Unavailable
from engine.jobs.running import resume_job
from engine.media import MediaFolder
from engine.store import Target, target_of
from engine.upkeep import told

from .homes import MARK, House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "home")
    yield house
    house.store.close()


TARGETS = {
    "trace": lambda house: target_of("trace", [house.goes]),
    "picture": lambda house: target_of("picture", [house.goes_media]),
    "person": lambda house: target_of("person", ["guest-0000000a"]),
    "annotator": lambda house: target_of("person", [MARK + "person"]),
}


@pytest.mark.parametrize("name", TARGETS)
def test_after_emptying_no_file_holds_a_word_of_it(house: House, name: str) -> None:
    assert len(house.files_with(MARK)) > 3 and MARK.lower() in house.terms()
    if name == "picture":
        example = house.store.traces.get(house.goes).example
        house.store.examples.record(MARK + "set", example, original_id=MARK + "row", file_names=[MARK + "name"])
    target: Target = TARGETS[name](house)
    house.deleting.put(target, "eve", "admin")
    emptied = house.deleting.empty("admin")
    assert (emptied.traces, emptied.revisions, emptied.media) == (1, 2, 1)
    assert house.files_with(MARK) == [] and MARK.lower() not in house.terms()
    if name != "picture":  # a picture's hash says nothing of it but to who has it
        assert house.files_with(house.goes_media) == []
    # What jobs counted stays as numbers alone.
    attempts = [one for job in house.store.jobs.list(kinds=["collect"]) for one in house.store.attempts.of(job.id)]
    assert sorted((one.trace_id is None, one.category, one.score) for one in attempts) == [
        (False, "Remainingkind", 0.0),
        (True, None, 0.0),
    ]
    # What stays is as it was.
    assert house.store.verify(MediaFolder(house.media.root)).problems == ()
    assert len(house.files_with("Remaining")) > 3 and "remainingquestion" in house.terms()
    assert house.store.traces.get(house.stays).status == "accepted"


def test_in_the_bin_it_is_nowhere_and_links_say_so(house: House) -> None:
    store = house.store
    head = store.traces.get(house.goes).head_id
    deletion = house.deleting.put(target_of("trace", [house.goes]), "eve", "admin")
    for look in (store.traces.get, store.revisions.head, store.revisions.first):
        with pytest.raises(NotFound, match="in the bin: eve deleted it on 20"):
            look(house.goes)
    with pytest.raises(NotFound, match="in the bin"):
        store.revisions.get(head)
    with pytest.raises(NotFound, match="in the bin"):
        store.media.get(house.goes_media)
    assert store.bin.holds_media(house.goes_media) and not store.bin.holds_media(house.stays_media)
    assert [one.item.id for one in store.queue.page().items] == [house.stays]
    assert sum(store.traces.counts().values()) == 1 and store.traces.sources() == ["Remainingsource"]
    assert [one.trace_id for one in store.reviews.accepted()] == [house.stays]
    assert len(store.preferences.list()) == 1 and list(store.tags.all()) == ["Remainingother"]
    house.deleting.restore(deletion.id, "admin")
    assert store.traces.get(house.goes).head_id == head
    house.deleting.put(target_of("trace", [house.goes]), "eve", "admin")
    house.deleting.empty("admin")
    with pytest.raises(NotFound, match="was deleted on 20.* cannot be restored"):
        store.traces.get(house.goes)
    with pytest.raises(NotFound, match="the bin was emptied|no deletion"):
        house.deleting.restore(deletion.id, "admin")


def test_what_learned_from_it_is_named_and_jobs_cannot_go_on(house: House) -> None:
    store = house.store
    target = target_of("trace", [house.goes])
    plan = house.deleting.plan(target, "admin")
    [learned] = plan.learned
    said = " ".join(told(plan, house.deleting.media_bytes(plan.media)))
    assert "1 trace, 2 revisions, 1 review, 1 draft, 1 preference, 1 picture or clip (" in said
    assert f"The grpo job {learned.job_id} learned from 1 of these traces and made the adapter “adapter of" in said
    probe = store.jobs.create("probe", {}, {}, {}, [store.traces.get(house.goes).head_id])
    store.jobs.request_stop(probe.id)
    plan = house.deleting.plan(target, "admin")
    assert len(plan.learned) == 2 and " ".join(told(plan, house.deleting.media_bytes(plan.media))) == said
    resume_job(store, learned.job_id)
    with pytest.raises(Conflict, match="is queued and holds 1 of these traces"):
        house.deleting.put(target, "eve", "admin")
    store.jobs.request_stop(learned.job_id)
    deletion = house.deleting.put(target, "eve", "admin")
    with pytest.raises(Conflict, match="1 of the traces that this job learns from were deleted"):
        resume_job(store, learned.job_id)
    house.deleting.restore(deletion.id, "admin")
    resume_job(store, learned.job_id)
    store.jobs.request_stop(learned.job_id)
    house.deleting.put(target, "eve", "admin")
    house.deleting.empty("admin")
    [adapter] = [one for one in store.adapters.list() if one.job_id == learned.job_id]
    [other] = [one for one in store.adapters.list() if one.job_id != learned.job_id]
    assert (adapter.deleted_traces, other.deleted_traces) == (1, 0)


def test_only_an_admin_deletes(house: House) -> None:
    target = target_of("trace", [house.goes])
    for act in (
        lambda: house.deleting.plan(target, "trainer"),
        lambda: house.deleting.put(target, "ann", "trainer"),
        lambda: house.deleting.restore("x", "trainer"),
        lambda: house.deleting.empty("trainer"),
    ):
        with pytest.raises(NotAllowed, match="needs admin"):
            act()


def call(home: Path, *words: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(words, {"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted"}, out), out.getvalue()


def test_the_command_plans_deletes_restores_and_empties(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    home = house.home
    assert call(home, "delete", "bin") == (0, "The bin is empty.\n")
    status, said = call(home, "delete", "trace", "2", "--plan")
    assert status == 0 and "This takes 1 trace" in said and call(home, "delete", "bin")[1] == "The bin is empty.\n"
    status, said = call(home, "delete", "trace", house.goes)
    deletion_id = said.partition("delete restore ")[2].partition("`")[0]
    assert call(home, "delete", "bin")[1].startswith(f"{deletion_id}  20")
    assert call(home, "delete", "trace", "2")[0] == 2 and "no trace number 2" in capsys.readouterr().err
    assert call(home, "delete", "trace", house.goes)[0] == 2 and "is in the bin" in capsys.readouterr().err
    assert call(home, "delete", "restore", deletion_id) == (0, "restored 1 traces and 1 media\n")
    assert call(home, "delete", "before", "2026")[0] == 2 and "a date is written as" in capsys.readouterr().err
    assert call(home, "delete", "person", "nobody")[0] == 2 and "nothing of person nobody" in capsys.readouterr().err
    assert call(home, "delete", "picture", house.goes_media)[0] == 0
    # Only what was named is gone; the rest of the bin waits.
    assert call(home, "delete", "trace", house.stays, "--now")[0] == 0
    assert house.files_with("Remaining") == [] and house.files_with(MARK) != []
    assert call(home, "delete", "empty-bin") == (0, "gone for good: 1 traces, 2 revisions, 1 media\n")
    assert house.files_with(MARK) == []
    assert call(home, "verify")[0] == 0


def test_what_a_job_reads_is_not_deleted_under_it(house: House) -> None:
    store = house.store
    trace = store.revisions.head(house.goes).trace
    store.examples.record("signs", trace.example)
    questions = house.home / "artifacts" / "examples" / ("ab" * 32 + ".json")
    questions.write_text(house.goes_media)
    picture, other = target_of("picture", [house.goes_media]), target_of("trace", [house.stays])
    for kind, config, what in (
        ("export", {"out": "somewhere"}, "reads the store"),
        ("import", {"data_set": "signs"}, "works on a data set"),
        ("collect", {"source": {"kind": "imported", "name": "signs"}}, "works on a data set"),
        ("grpo", {"examples": {"sha256": "ab" * 32}}, "asks questions about this picture"),
    ):
        job = store.jobs.create(kind, config, [], {})
        with pytest.raises(Conflict, match=f"the {kind} job {job.id} is queued and {what}"):
            house.deleting.put(picture, "eve", "admin")
        if kind != "export":
            house.deleting.restore(house.deleting.put(other, "eve", "admin").id, "admin")
        store.jobs.request_stop(job.id)
    assert house.deleting.put(picture, "eve", "admin").traces == 1


def test_a_database_that_is_being_read_is_compacted_later(house: House) -> None:
    reader = sqlite3.connect(house.store.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM traces").fetchone()
    house.store.connections.database().conn.execute("PRAGMA busy_timeout = 10")
    house.deleting.put(target_of("trace", [house.goes]), "eve", "admin")
    with pytest.raises(Unavailable, match="in use by another process"):
        house.deleting.empty("admin")
    assert ["the database file still holds" in one for one in house.store.verify(None).problems] == [True]
    reader.close()
    assert call(house.home, "verify", "--repair")[0] == 0
    assert house.files_with(MARK) == [] and house.store.verify(None).problems == ()
