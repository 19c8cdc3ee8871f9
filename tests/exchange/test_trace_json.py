"""What is exported is what the store has: the head to the last digit, its labels, its reviews and its originals."""

from __future__ import annotations

import dataclasses
import io
import json

import pytest

from engine.__main__ import main
from engine.errors import InvalidInput
from engine.exchange.leaving import export
from engine.exchange.trace_json import EARLIER, FILE_NAME, TRACE_JSON
from engine.media import MediaFolder
from engine.store import Store
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
