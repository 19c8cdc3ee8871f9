"""Trajectories: what Harbor's models ask for, and the whole trace back, with its hash."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exchange import atif
from engine.exchange.arriving import Arrival, arrive
from engine.exchange.format import Brought, Refused
from engine.exchange.leaving import export
from engine.exchange.sheet import Sheet
from engine.exchange.writing import json_line
from engine.media import MediaFolder
from engine.operations import CropRule
from engine.protocols import pixel_reasoner
from engine.store import Store, first_hash
from engine.trace import Box, Observation, Step, ZoomIn
from tests.browser.traces import clip_trace, picture_trace
from tests.exchange.executed import executed, noise


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_what_is_written_is_read_to_the_letter(shown, data):
    media, known, root = shown
    dossier = data.draw(executed(media, known, data.draw(st.sampled_from((CropRule(), pixel_reasoner.CROP_RULE)))))
    thought, cut_off = (
        data.draw(st.sampled_from(("  spaces ", "\\boxed{}", "no", "<tool_call>{"))),
        data.draw(st.booleans()),
    )
    steps = dossier.trace.steps[:-1] if cut_off else dossier.trace.steps
    failed = Step(thought, observation=Observation(error="no <image>"))
    trace = replace(dossier.trace, steps=(failed, *steps), policy="tiny", protocol="pixel-reasoner", is_operating=False)
    trace = replace(trace, stop_reason="max_steps") if cut_off else trace
    dossier = replace(dossier, trace=trace, revision=first_hash(trace), score=0.5, names=("a b.png",))
    (row,) = atif.ATIF.rows(dossier, Sheet(media, root))
    assert [step["step_id"] for step in row["steps"]] == list(range(1, len(row["steps"]) + 1))
    for step in row["steps"]:
        assert step["source"] == "agent" or not {"tool_calls", "observation", "llm_call_count"} & set(step)
        for result in step.get("observation", {"results": []})["results"]:
            called = [call["tool_call_id"] for call in step.get("tool_calls", [])]
            assert result.get("source_call_id") in (called or [None])
    (root / atif.FILE_NAME).write_bytes(json_line(row))
    (read,) = atif.read(root)
    assert isinstance(read, Brought), read
    assert read.dossier == replace(dossier, blanked=(), versions=()) and not read.notes


def test_another_store_has_the_same_hashes_and_a_changed_one_is_another(tmp_path):
    with Store(tmp_path / "annotations.db") as store, Store(tmp_path / "other.db") as other:
        media = MediaFolder(tmp_path / "media")
        first, second = picture_trace(store, media, 1, is_nested=True), clip_trace(store, media, is_zoomed=True)
        store.reviews.record(first.head_id, "ann", "accepted", "good")
        export(store, media, atif.ATIF, tmp_path / "out")
        into = Arrival(other, MediaFolder(tmp_path / "other"), "me", "set")
        arrived, _ = arrive(atif.read(tmp_path / "out"), into)
        assert (arrived.traces, arrived.refused) == (2, [])
        for record in (first, second):
            assert other.revisions.head(record.id).hash == store.revisions.head(record.id).hash
        assert other.traces.get(first.id).status == "accepted"
        assert other.verify(into.media).problems == ()
        again, _ = arrive(atif.read(tmp_path / "out"), into)
        assert (again.traces, again.known) == (0, 2)
        file = tmp_path / "out" / atif.FILE_NAME
        rows = [json.loads(line) for line in file.read_bytes().splitlines()]
        rows[0]["steps"][2]["extra"]["thought"] = "Somebody else thought so."
        file.write_bytes(b"".join(map(json_line, rows)))
        changed, _ = arrive(atif.read(tmp_path / "out"), into)
        assert (changed.traces, changed.known, dict(changed.notes)) == (1, 1, {atif.CHANGED: 1})


def test_a_trajectory_of_somebody_else(tmp_path):
    picture = noise(5, (400, 300))
    picture.save(tmp_path / "a.png")
    picture.crop((0, 0, 200, 150)).save(tmp_path / "b.png")

    def shown(name: str) -> dict:
        return {"type": "image", "source": {"media_type": "image/png", "path": name}}

    call = {"tool_call_id": "1", "function_name": "crop_image", "arguments": {"bbox_2d": [0, 0, 0.5, 0.5]}}
    steps = [
        {"step_id": 1, "source": "user", "message": [shown("a.png"), {"type": "text", "text": "Which?"}]},
        {"step_id": 2, "source": "agent", "message": "Closer.", "tool_calls": [call],
         "observation": {"results": [{"source_call_id": "1", "content": [shown("b.png")]}]}},
        {"step_id": 3, "source": "agent", "message": "red"},
    ]  # fmt: skip
    agent = {"name": "somebody", "version": "1", "model_name": "their-model"}
    one = {"schema_version": "ATIF-v1.7", "agent": agent, "steps": steps}
    text_only = [{"step_id": 1, "source": "user", "message": "add a checkbox"}]
    (tmp_path / "1.json").write_text(json.dumps(one))
    (tmp_path / "2.json").write_text(json.dumps({"schema_version": "ATIF-v1.7", "agent": agent, "steps": text_only}))
    (tmp_path / "3.json").write_text(
        json.dumps({"trace_id": "1", "task": {}, "steps": []})
    )  # Potato's, of the same name
    good, no_picture, other = atif.read(tmp_path)
    assert isinstance(good, Brought) and not good.notes
    assert good.dossier.trace.policy == "their-model"
    zoom = Step("Closer.", ZoomIn(1, Box(0, 0, 0.5, 0.5)), Observation((2,)))
    assert good.dossier.trace.steps == (zoom, Step("", answer="red"))
    assert isinstance(no_picture, Refused) and "shows no picture" in no_picture.reason
    assert isinstance(other, Refused) and "schema_version" in other.reason and other.place == "3.json"
