"""`synthesize` from examples on disk to lines, to the store, and to what `train sft` would take."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest
from PIL import Image

from engine.__main__ import main
from engine.errors import InvalidInput
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import benchmark_named
from engine.evaluation.sources import question_of
from engine.evaluation.writing import write_examples
from engine.media import MediaFolder
from engine.store import Store
from engine.synthesis.recording import AUTHOR, FILE_NAME, read_trajectories, recorded
from engine.trace_json import trace_from_json


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """Ten pictures of the bundled world."""
    return write_examples(draw(benchmark_named("mini-signs"), 10, seed=11), tmp_path_factory.mktemp("signs"))


def call(home, *words) -> tuple[int, str]:
    out = io.StringIO()
    status = main(words, {"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted"}, out)
    return status, out.getvalue()


def test_lines_are_traces_and_know_what_they_were_made_of(examples, tmp_path):
    status, told = call(tmp_path / "home", "synthesize", str(examples), "--out", str(tmp_path / "out"), "--json")
    assert status == 0
    counts = json.loads(told)
    assert (counts["n"], counts["left_out"]) == (10, 0)
    assert counts["kinds"]["text"] == 3  # 10 * 2,000 / 7,500 = 2.67
    trajectories = read_trajectories(tmp_path / "out" / FILE_NAME)
    assert Counter(one.kind for one in trajectories) == counts["kinds"]
    media = MediaFolder(tmp_path / "out" / "media")
    for line, one in zip((tmp_path / "out" / FILE_NAME).read_text().splitlines(), trajectories, strict=True):
        assert trace_from_json(json.loads(line)) == (one.trace, None)
        assert one.trace.answer == one.example.answer
        assert media.has(one.trace.media[0].sha256)
        assert one.example.source.startswith("mini-signs/mini-signs-11-")
    assert not (tmp_path / "home").exists()  # nothing was asked of the studio's own store


def test_the_same_seed_writes_the_same_file_and_another_another(examples, tmp_path):
    texts = []
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        call(tmp_path / "home", "synthesize", str(examples), "--out", str(tmp_path / name), "--seed", str(seed))
        texts.append((tmp_path / name / FILE_NAME).read_text())
    assert texts[0] == texts[1] != texts[2]


def test_recorded_trajectories_are_traces_by_synthesis_that_verify(examples, tmp_path):
    home = tmp_path / "home"
    options = ("--out", str(tmp_path / "out"), "--count", "12", "--text-share", "0", "--record")
    status, told = call(home, "synthesize", str(examples), *options)
    assert status == 0
    assert told.startswith("12 trajectories in ")
    with Store(home / "annotations.db") as store:
        revisions = recorded(store)
        assert len(revisions) == 12
        assert {revision.author for revision in revisions} == {AUTHOR}
        made = read_trajectories(tmp_path / "out" / FILE_NAME)
        assert [revision.trace for revision in revisions] == [one.trace for one in made]
        records = [store.traces.get(revision.trace_id) for revision in revisions]
        assert [record.gold for record in records] == [one.example.answer for one in made]
        assert [record.example.evidence for record in records] == [one.example.evidence for one in made]
        assert {record.status for record in records} == {"new"}
        # Every crop cut again from the stored originals.
        assert store.verify(MediaFolder(home / "artifacts" / "media")).problems == ()
        store.reviews.record(revisions[0].id, "ada", "rejected", "not this one")
        assert len(recorded(store)) == 11


@pytest.mark.parametrize(("name", "rule"), [("mini-tally", "number"), ("mini-info", "anls"), ("mini-signs", None)])
def test_the_rule_of_a_benchmark_comes_along_to_rls_questions(tmp_path, name, rule):
    """From the benchmark through the examples' file, the trajectories and the store to what RL rewards."""
    split = None if name == "mini-signs" else "train"
    path = write_examples(draw(benchmark_named(name), 1, seed=11, split=split), tmp_path / "examples")
    assert call(tmp_path / "home", "synthesize", str(path), "--out", str(tmp_path / "out"), "--record")[0] == 0
    (made,) = read_trajectories(tmp_path / "out" / FILE_NAME)
    assert made.example.rule == rule
    with Store(tmp_path / "home" / "annotations.db") as store:
        (revision,) = recorded(store)
        assert question_of(store, revision).rule == rule


def test_what_cannot_be_used_is_told_and_left_out(tmp_path, capsys):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    lines = [
        {"question": "What?", "media": "a.png", "answer": None, "evidence": {"boxes": [[0.4, 0.4, 0.5, 0.5]]}},
        {"question": "What?", "media": "a.png", "answer": "x", "evidence": {"frames": [3]}},
        {"question": "What?", "media": "a.png", "answer": "x", "evidence": {"boxes": [[0.4, 0.4, 0.5, 0.5]]}},
    ]
    path = tmp_path / "EXAMPLES.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(SystemExit):
        call(tmp_path, "synthesize", str(path))  # --out is missing
    capsys.readouterr()
    status, _ = call(tmp_path, "synthesize", str(path), "--out", str(tmp_path / "out"), "--text-share", "0")
    assert status == 2  # line 2 says frames of a picture, which the file's own reader refuses
    assert "evidence has frames" in capsys.readouterr().err
    path.write_text("\n".join(json.dumps(lines[k]) for k in (0, 2)))
    status, told = call(tmp_path, "synthesize", str(path), "--out", str(tmp_path / "out"), "--text-share", "0")
    assert (status, told.split(" ")[0]) == (0, "1")
    assert "line 1: left out: it has no answer" in capsys.readouterr().err
    status, _ = call(tmp_path, "synthesize", str(path), "--out", str(tmp_path / "out"))
    assert status == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option", [("--text-share", "2"), ("--count", "0"), ("--protocol", "mine"), ("--teacher", " ")]
)
def test_impossible_options_are_refused(examples, tmp_path, option, capsys):
    assert call(tmp_path, "synthesize", str(examples), "--out", str(tmp_path / "out"), *option)[0] == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_file_that_is_none_names_its_line(tmp_path):
    path = tmp_path / FILE_NAME
    path.write_text('{"version": 1}\n')
    with pytest.raises(InvalidInput, match="line 1: this is no synthesised trace"):
        read_trajectories(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_trajectories(tmp_path / "nothing")
