"""The kind "evaluate": the score of a run that was stopped is that of one that was not, and says what it depends on."""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import replace

import pytest

from engine.__main__ import main
from engine.errors import InvalidInput
from engine.evaluation.options import agree, chance, shuffled
from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import summarise
from engine.evaluation.sources import offered, source_named
from engine.jobs.asking import Asked
from engine.jobs.evaluate import EvaluateKind, prompt_sha256
from engine.jobs.running import resume_job, run_in_foreground, run_job
from engine.operations import cut
from engine.protocols import protocol_named
from engine.store import Store
from engine.trace import Box, Example, View
from tests.jobs.attempting import GuessingPolicy, examples_file, services_of


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "annotations.db") as store:
        yield store


def test_it_is_the_summary_of_its_attempts_and_each_is_a_trace(store, tmp_path):
    policy = GuessingPolicy()
    services = services_of(store, tmp_path, policy)
    kind = EvaluateKind(services)
    path = examples_file(tmp_path / "mine", 4, "A", options=["red", "green", "blue", "white"], category="colour")
    source = source_named(str(path), store, limit=3)
    job = run_in_foreground(store, tmp_path / "artifacts", kind, kind.plan(source, Asked()))
    assert job.state == "done", job.message
    (evaluation,) = store.evaluations.list()
    posed = [one.pose() for one in offered(source, store, services.media, "time")]
    direct = dataclasses.asdict(summarise("EXAMPLES.jsonl", evaluate(policy, posed)))
    found = evaluation.summary
    assert {name: found[name] for name in ("accuracy", "stderr", "rapr", "n", "tokens", "empty", "scored")} == {
        name: direct[name] for name in ("accuracy", "stderr", "rapr", "n", "tokens", "empty", "scored")
    }
    assert (found["n"], found["accuracy"], found["parts"][0]["name"]) == (3, 1.0, "colour")
    known = evaluation.provenance
    assert (known["chance"], known["scorers"], known["options"]) == (0.25, {"letter": 3}, "as shipped")
    assert known["source"]["sha256"] and len(known["data_sha256"]) == len(known["prompt_sha256"]) == 64
    traces = [store.traces.get(one.trace_id) for one in store.attempts.of(job.id)]
    assert [record.score for record in traces] == [1.0] * 3
    assert store.evaluations.get(job.id) == evaluation


def test_after_a_stop_it_comes_to_the_same(store, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.jobs.report._ASK_AGAIN_S", 0.0)
    asked = Asked(attempts=3, temperature=1.0, at_once=2)
    source = source_named(str(examples_file(tmp_path / "mine", 3)), store)

    def stop() -> None:
        store.jobs.request_stop(store.jobs.list()[0].id)

    ended = []
    for policy in (GuessingPolicy(), GuessingPolicy(fatal=5, die=stop)):
        kind = EvaluateKind(services_of(store, tmp_path, policy))
        job = run_in_foreground(store, tmp_path / "artifacts", kind, kind.plan(source, asked))
        if job.state == "stopped":
            half = store.evaluations.get(job.id)
            assert half.summary is not None and 0 < half.summary["n"] < 9
            resume_job(store, job.id)
            job = run_job(store, tmp_path / "artifacts", {kind.name: kind}, store.jobs.claim(job.id))
        assert job.state == "done", job.message
        ended.append(store.evaluations.get(job.id))
    one, other = ended
    timed = {"seconds": 0, "cpu_s_median": 0}
    assert one.summary | timed == other.summary | timed
    assert one.provenance["data_sha256"] == other.provenance["data_sha256"]
    assert [evaluation.id for evaluation in store.evaluations.list()] == [other.id, one.id]


def test_options_are_shuffled_from_a_seed_and_the_answer_goes_with_them():
    example = Example("?", (), "B", ("a", "b", "c", "d"), other_answers=("d",))
    orders = set()
    for seed in range(20):
        moved = shuffled(example, seed, 3)
        assert moved == shuffled(example, seed, 3)
        assert moved.options[ord(moved.answer) - ord("A")] == "b"
        assert moved.options[ord(moved.other_answers[0]) - ord("A")] == "d"
        orders.add(moved.options)
    assert len(orders) > 10
    assert (chance(example), chance(moved), chance(Example("?", (), "7"))) == (0.5, 0.5, None)
    plain = Example("?", (), "7")
    assert shuffled(plain, 1, 0) is plain
    assert agree(["B", "b"], example) and not agree(["A", "b"], example)
    assert agree(["7", "seven"], replace(plain, rule="number")) and not agree(["7", None], plain)


def test_the_prompt_is_named_by_its_words():
    protocols = [protocol_named(name) for name in ("studio", "pixel-reasoner", "qwen3-vl")]
    names = {prompt_sha256(one, is_operating) for one in protocols for is_operating in (True, False)}
    assert len(names) == 6


def test_the_command_records_and_says_it_again(tmp_path):
    path = examples_file(tmp_path / "mine", 2, "scripted")
    environment = {"STUDIO_HOME": str(tmp_path / "home"), "STUDIO_MODEL": "scripted"}
    out = io.StringIO()
    assert main(["evaluate", str(path), "--record", "--json"], environment, out) == 0
    *traces, summary = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [trace["answer"] for trace in traces] == ["scripted", "scripted"]
    assert (summary["n"], summary["accuracy"], summary["provenance"]["attempts"]) == (2, 1.0, 1)
    with Store(tmp_path / "home" / "annotations.db") as store:
        assert store.evaluations.get(summary["evaluation"]).summary["n"] == 2
        assert store.traces.get(traces[0]["id"]).score == 1.0
    out = io.StringIO()
    assert main(["collect", str(path), "--attempts", "2", "--limit", "1", "--json"], environment, out) == 0
    collected = json.loads(out.getvalue())
    assert (collected["made"], collected["kept"], collected["accuracy"]) == (2, 2, 1.0)
    assert main(["evaluate", str(path), "--seed", "1"], environment, out) == 2


def test_crops_that_show_something_else_are_scored_but_never_become_traces(store, tmp_path):
    """The policy reads a colour from its crop: red where it is real, nothing where it is black."""

    class Reading(GuessingPolicy):
        def converse(self, pictures, seed):
            ((sha256, _),) = pictures.items()
            seen = cut(View(2, sha256, None, Box(0.2, 0.2, 0.6, 0.6)), pictures).getextrema()
            shown.append(max(high for _, high in seen))
            return GuessingPolicy.converse(self, pictures, seed)

    shown: list[int] = []
    services = services_of(store, tmp_path, Reading())
    source = source_named(str(examples_file(tmp_path / "mine", 2)), store)
    for crops in ("black", "random"):
        kind = EvaluateKind(services)
        job = run_in_foreground(store, tmp_path / "artifacts", kind, kind.plan(source, Asked(crops=crops)))
        assert job.state == "done", job.message
        evaluation = store.evaluations.get(job.id)
        assert (evaluation.provenance["crops"], evaluation.summary["n"], evaluation.summary["rapr"]) == (crops, 2, 1.0)
        assert [one.trace_id for one in store.attempts.of(job.id)] == [None, None]
    assert sum(store.traces.counts().values()) == 0 and shown[:2] == [0, 0] and min(shown[2:]) > 0
    with pytest.raises(InvalidInput, match="real, black, random"):
        Asked(crops="white")
