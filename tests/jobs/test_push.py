"""Traces as a data set on a stand-in of the Hub: private, whole, with a card, and without the token anywhere."""

from __future__ import annotations

import io
import logging
from dataclasses import replace

import pytest
from PIL import Image

from engine.__main__ import main
from engine.errors import InvalidInput, InvalidSetting
from engine.jobs.push import PushKind
from engine.jobs.running import run_in_foreground
from engine.media import MediaFolder
from engine.store import Store
from tests.browser.traces import clip_trace, picture_trace
from tests.exchange.hub_server import TOKEN, hub_in_use


@pytest.fixture
def hub(tmp_path, monkeypatch):
    from huggingface_hub import constants

    with hub_in_use(tmp_path / "hub", monkeypatch) as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)  # where a card is validated
        yield server


@pytest.fixture
def home(tmp_path):
    """Two accepted attempts, one of them corrected and reviewed by two, and one that nobody has looked at."""
    media = MediaFolder(tmp_path / "artifacts" / "media")
    with Store(tmp_path / "annotations.db") as store:
        first, second = picture_trace(store, media, 1, is_nested=True), clip_trace(store, media)
        picture_trace(store, media, 2)
        trace = store.revisions.head(first.id).trace
        steps = (replace(trace.steps[0], thought="Closer."), *trace.steps[1:])
        head = store.revisions.append(first.id, replace(trace, steps=steps), "ann", first.head_id)
        for one in (head.id, second.head_id):
            store.reviews.record(one, "ann", "accepted")
        store.reviews.record(head.id, "bob", "accepted")
        yield store, media, tmp_path


def pushed(home, *words, **plan):
    store, media, root = home
    kind = PushKind(store, media)
    return run_in_foreground(store, root / "artifacts", kind, kind.plan(*words, **plan))


def test_a_private_data_set_with_its_pictures_and_a_card(home, hub, tmp_path, caplog):
    from datasets import load_dataset

    for name in ("huggingface_hub", "httpx", "httpcore", "engine"):
        caplog.set_level(logging.DEBUG, name)
    store, media, _ = home
    job = pushed(home, "ann/signs", "cc-by-4.0", title="Signs, read closely")
    assert (job.state, job.message) == ("done", f"pushed to {hub.endpoint}/datasets/ann/signs")
    assert hub.repos == {"ann/signs": {"private": True}} and len(hub.commits) == 1
    files = hub.files("ann/signs")
    rows = load_dataset(
        "parquet", data_files=str(files / "train.parquet"), split="train", cache_dir=str(tmp_path / "c")
    )
    assert rows["status"] == ["accepted", "accepted"] and rows["is_edited"] == [True, False]
    assert rows[0]["gold"] == rows[0]["answer"] == "KX0001" and rows[0]["trajectory"] == "further_zoom"
    assert rows[0]["trace"]["steps"][0]["thought"] == "Closer."
    head = store.revisions.head(rows[0]["id"]).trace
    for picture, view in zip(rows[0]["images"], head.views, strict=True):
        assert picture.convert("RGB").tobytes() == Image.open(io.BytesIO(media.crop_png(view))).tobytes()
    card = (files / "README.md").read_text(encoding="utf-8")
    for line in (
        "license: cc-by-4.0", "# Signs, read closely", '    rows = load_dataset("ann/signs", split="train")',
        "| traces | 2 |", "| media, counted with each trace | picture 1, clip 1 |", "| status | accepted 2 |",
        "| changed after the model's own version | 50.0% of 2 |",
        "| agreement | 1 of 1 traces that several people reviewed have one verdict |",
        "| evidence that operations show | 62.5% of 2 operations |", "| tiny | studio | 2 |",
    ):  # fmt: skip
        assert line in card, card
    assert "ann" not in card.replace("ann/signs", "") and "bob" not in card
    kept = [store.jobs.get(job.id).config, *(event.data for event in store.jobs.events(job.id))]
    assert TOKEN not in repr(kept) + caplog.text + card


def test_what_is_there_and_public_is_left_alone_unless_that_was_asked_for(home, hub):
    hub.repos["ann/signs"] = {"private": False}
    job = pushed(home, "ann/signs", "other")
    assert job.state == "failed" and "everybody can read it" in job.message and not hub.commits
    assert pushed(home, "ann/signs", "other", is_public=True).state == "done"
    hub.repos["ann/mine"] = {"private": True}
    assert pushed(home, "ann/mine", "other").state == "done"


def test_a_refused_token_and_a_broken_hub_say_so_and_it_goes_on(home, hub, monkeypatch):
    from huggingface_hub.utils import _http

    monkeypatch.setattr(_http.time, "sleep", lambda seconds: None)
    store, media, root = home
    hub.token = "another"
    job = pushed(home, "ann/signs", "other")
    assert job.state == "failed" and "401" in job.message and "may not write there" in job.message
    assert TOKEN not in job.message
    hub.token, hub.broken = TOKEN, {"/commit/": 500}
    job = run_in_foreground(store, root / "artifacts", PushKind(store, media), job)
    assert job.state == "failed" and "the Hub answered 500" in job.message
    written = root / "artifacts" / "checkpoints" / job.id / "data_set" / "train.parquet"
    stamp = written.stat().st_mtime_ns
    hub.broken = {}
    hub_job = run_in_foreground(store, root / "artifacts", PushKind(store, media), job)
    assert hub_job.state == "done" and len(hub.commits) == 1 and stamp and not written.exists()


def test_what_cannot_be_pushed_is_said_before_it_is_tried(home, monkeypatch):
    store, media, _ = home
    kind = PushKind(store, media)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for words, complaint in (
        (("signs", "other"), "OWNER/NAME"),
        (("ann/signs", "CC BY 4.0"), "cc-by-4.0"),
        (("ann/signs", "other", "rejected"), "there are no rejected traces"),
    ):
        with pytest.raises(InvalidInput, match=complaint):
            kind.plan(*words)
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(InvalidSetting, match="HF_TOKEN is not set"):
        kind.plan("ann/signs", "other")


def test_the_command(home, hub, capsys):
    _, _, root = home
    out = io.StringIO()
    words = [
        "push",
        "ann/signs",
        "--licence",
        "apache-2.0",
        "--status",
        "all",
        "--protocol",
        "pixel-reasoner",
        "--public",
    ]
    assert main(words, {"STUDIO_HOME": str(root)}, out) == 0
    assert out.getvalue() == f"pushed to {hub.endpoint}/datasets/ann/signs\n"
    assert hub.repos == {"ann/signs": {"private": False}}
    assert "| traces | 3 |" in (hub.files("ann/signs") / "README.md").read_text(encoding="utf-8")
    assert "gold answers" in capsys.readouterr().err.lower()
