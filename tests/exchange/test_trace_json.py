"""What is exported is what the store has: the head to the last digit, its labels, its reviews and its originals."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json

import pytest

from engine.__main__ import main
from engine.errors import InvalidInput
from engine.exchange.arriving import Arrival, arrive
from engine.exchange.leaving import export
from engine.exchange.sheet import Options
from engine.exchange.trace_json import EARLIER, FILE_NAME, TRACE_JSON
from engine.media import MediaFolder
from engine.store import StaleRevision, Store
from engine.trace import Step
from engine.trace_json import trace_from_json
from tests.browser.traces import clip_trace, picture_trace


@pytest.fixture
def home(tmp_path):
    with Store(tmp_path / "annotations.db") as store:
        yield store, MediaFolder(tmp_path / "artifacts" / "media"), tmp_path


def lines(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / FILE_NAME).read_text(encoding="utf-8").splitlines()]


def test_every_head_comes_back_with_its_labels_reviews_and_media(home, tmp_path):
    store, media, _ = home
    media.sampling = "index"
    first, second = picture_trace(store, media, 1), clip_trace(store, media)
    trace = store.revisions.head(first.id).trace
    said = dataclasses.replace(trace.steps[0], thought="In the cropped image I can see a disc.")
    edited = dataclasses.replace(trace, steps=(said, *trace.steps[1:]))
    head = store.revisions.append(first.id, edited, "ann", first.head_id)
    store.reviews.record(head.id, "ann", "rejected", "it pretends")
    store.reviews.record(second.head_id, "ann", "accepted")
    store.reviews.undo("ann", second.id)
    store.tags.add(first.id, "disc", "ann")
    store.history.record_blank_check(head.id, 0, "nothing", "KX0001", True)

    written = export(store, media, TRACE_JSON, tmp_path / "out")
    assert (written.traces, written.is_whole, written.lost) == (2, True, {EARLIER: 1})
    one, two = lines(tmp_path / "out")
    assert trace_from_json(one) == (edited, first.id)
    assert trace_from_json(two) == (store.revisions.head(second.id).trace, second.id)
    known = one["studio"]
    assert (known["status"], known["revision"], known["revision_hash"]) == ("rejected", 2, head.hash)
    assert (known["gold"], known["score"], known["tags"]) == ("KX0001", 1.0, ["disc"])
    assert [(r["reviewer"], r["verdict"], r["reason"]) for r in known["reviews"]] == [
        ("ann", "rejected", "it pretends")
    ]
    labels = known["faithfulness"]
    assert (labels["trajectory"], labels["pretended"], labels["ignored"]) == ("single_pass", [0], [])
    assert labels["evidence_shares"] == [1.0, None]
    (check,) = labels["blanking"]
    assert (check["step"], check["is_changed"], check["answer"], check["expected"]) == (0, True, "nothing", "KX0001")
    assert (known["names"], known["tagged"][0]["author"]) == (["scene-1.png"], "ann")
    assert two["studio"]["reviews"] == [] and two["studio"]["faithfulness"]["evidence_shares"] == [None, None]
    copied = MediaFolder(tmp_path / "out" / "media")
    for line in (one, two):
        for medium in line["media"]:
            assert copied.path(medium["sha256"]).read_bytes() == media.path(medium["sha256"]).read_bytes()
            assert copied.sampling_of(medium["sha256"]) == {"image": None, "video": "index"}[medium["kind"]]


def test_a_status_narrows_it_and_an_export_is_never_overwritten(home, tmp_path):
    store, media, _ = home
    kept, _ = picture_trace(store, media, 1), picture_trace(store, media, 2)
    store.reviews.record(kept.head_id, "ann", "accepted")
    assert export(store, media, TRACE_JSON, tmp_path / "out", "accepted").traces == 1
    assert [line["id"] for line in lines(tmp_path / "out")] == [kept.id]
    with pytest.raises(InvalidInput, match="is there already"):
        export(store, media, TRACE_JSON, tmp_path / "out")


def test_the_command(home, tmp_path, capsys):
    store, media, root = home
    picture_trace(store, media, 1)
    out = io.StringIO()
    assert main(["export", "trace-json", "--out", str(tmp_path / "out")], {"STUDIO_HOME": str(root)}, out) == 0
    assert out.getvalue() == f"1 trace in {tmp_path / 'out' / FILE_NAME}\n"
    assert isinstance(trace_from_json(lines(tmp_path / "out")[0])[0].steps[0], Step)
    elsewhere = {"STUDIO_HOME": str(tmp_path / "nowhere")}
    assert main(["export", "trace-json", "--out", str(tmp_path / "other")], elsewhere, out) == 2
    assert "there is no store at" in capsys.readouterr().err


def everything_known(store: Store, media: MediaFolder) -> list[str]:
    """Two attempts at one question and one at a clip, with all that people do to them; their ids."""
    edited, other, clip = picture_trace(store, media, 1), picture_trace(store, media, 1), clip_trace(store, media)
    trace = store.revisions.head(edited.id).trace
    said = dataclasses.replace(trace.steps[0], thought="One line\u2028and the same: \ud800 <image>")
    head = store.revisions.append(
        edited.id, dataclasses.replace(trace, steps=(said, *trace.steps[1:])), "ann", edited.head_id
    )
    with contextlib.suppress(StaleRevision):
        store.revisions.append(edited.id, trace, "bob", edited.head_id, score=0.5)
        late = dataclasses.replace(said, thought="A branch.")
        store.revisions.append(
            edited.id, dataclasses.replace(trace, steps=(late, *trace.steps[1:])), "bob", edited.head_id
        )
    store.rounds.ask(edited.id, 2, "lead")
    store.reviews.record(edited.head_id, "ann", "skipped")
    store.reviews.record(head.id, "ann", "accepted", "good")
    store.reviews.record(head.id, "bob", "rejected", "no")
    store.rounds.adjudicate(head.id, "lead", "accepted", "it is")
    store.reviews.record(clip.head_id, "ann", "flagged", "look\u2028here")
    store.tags.add(clip.id, "blurred", "bob")
    store.history.record_blank_check(head.id, 0, "nothing", "KX0001", True)
    store.history.record_weighed_look(head.id, 0, "KX0001", 0.12, 0.93, "tiny")
    store.preferences.record(head.id, other.head_id, "ann", reason="it looks closer")
    return [edited.id, other.id, clip.id]


def test_another_store_knows_the_same_and_a_second_time_adds_nothing(home, tmp_path):
    store, media, _ = home
    ids = everything_known(store, media)
    written = export(store, media, TRACE_JSON, tmp_path / "out", options=Options(has_versions=True))
    assert written.lost == {}
    with Store(tmp_path / "other.db") as other:
        into = Arrival(other, MediaFolder(tmp_path / "other-media"), "me", "set")
        arrived, is_whole = arrive(TRACE_JSON.read(tmp_path / "out"), into)
        assert (arrived.traces, arrived.refused, is_whole) == (3, [], True)
        again, _ = arrive(TRACE_JSON.read(tmp_path / "out"), into)
        assert (again.traces, again.known) == (0, 3)
        here = {"created_at": "", "updated_at": ""}
        for trace_id in ids:
            known, found = (one.dossiers.get(trace_id, has_versions=True) for one in (store, other))
            assert dataclasses.replace(found, **here) == dataclasses.replace(known, **here)
        assert other.verify(into.media).problems == ()
        assert len(other.preferences.list()) == 1
        assert [event.kind for event in other.history.of(ids[2])] == ["recorded", "flagged", "tagged"]
        # And out again: the same lines, but for when they were recorded here.
        export(other, into.media, TRACE_JSON, tmp_path / "again", options=Options(has_versions=True))
    first, second = (untimed(lines(tmp_path / name)) for name in ("out", "again"))
    assert first == second


def untimed(found: list[dict]) -> list[dict]:
    return [one | {"studio": one["studio"] | {"created_at": "", "updated_at": ""}} for one in found]


def test_bad_lines_are_told_and_the_rest_comes_in_whole(home, tmp_path):
    store, media, _ = home
    everything_known(store, media)
    export(store, media, TRACE_JSON, tmp_path / "out")
    file = tmp_path / "out" / FILE_NAME
    good = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    assert len(good) == 3

    def changed(**studio) -> dict:
        return good[1] | {"id": None, "studio": good[1]["studio"] | studio}

    lost = good[0] | {"media": [good[0]["media"][0] | {"width": 3}]}
    bad = [
        b"{",
        b"\xff{}",
        json.dumps(changed(status="fine")).encode(),
        json.dumps(changed(score=2)).encode(),
        json.dumps(changed(reviews=[{"reviewer": "ann"}])).encode(),
        json.dumps(changed(revision_hash="0" * 64)).encode(),
        json.dumps(lost).encode(),
        json.dumps(good[2] | {"id": "me"}).encode(),
    ]
    file.write_bytes(b"\n".join([*bad, b"", *map(_line, good)]) + b"\n")
    with Store(tmp_path / "other.db") as other:
        into = Arrival(other, MediaFolder(tmp_path / "other-media"), "me", "set")
        arrived, _ = arrive(TRACE_JSON.read(file), into)
        assert arrived.traces == 3 and other.traces.counts()["new"] == 1
        assert [one.place for one in arrived.refused] == [f"line {number}" for number in range(1, 9)]
        reasons = [one.reason for one in arrived.refused]
        for reason, words in zip(
            reasons,
            ("no JSON", "no UTF-8", "studio.status", "studio.score", "studio.reviews[0].revision_hash", "no version has the hash",
             "is not what the trace says", "32 hexadecimal digits"),
            strict=True,
        ):  # fmt: skip
            assert words in reason
        assert other.verify(into.media).problems == ()


def _line(one: dict) -> bytes:
    return json.dumps(one).encode()


def test_the_command_takes_them_in(home, tmp_path, capsys):
    store, media, root = home
    everything_known(store, media)
    words = ["export", "trace-json", "--revisions", "--out", str(tmp_path / "out")]
    assert main(words, {"STUDIO_HOME": str(root)}, io.StringIO()) == 0
    out, elsewhere = io.StringIO(), {"STUDIO_HOME": str(tmp_path / "elsewhere")}
    for _ in range(2):
        assert main(["import", "trace-json", str(tmp_path / "out")], elsewhere, out) == 0
    assert out.getvalue() == "3 traces came in\nnothing came in, 3 were there already\n"
    assert main(["import", "trace-json", str(tmp_path / "nowhere")], elsewhere, out) == 2
    assert "there is no file or folder" in capsys.readouterr().err
