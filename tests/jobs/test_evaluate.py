"""The kind "evaluate": the score of a run that was stopped is that of one that was not, and says what it depends on."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from dataclasses import replace

import pytest

from engine.__main__ import main
from engine.commands.evaluate import table
from engine.errors import InvalidInput
from engine.evaluation.comparing import is_looking_between
from engine.evaluation.conventions.projects import following
from engine.evaluation.options import agree, chance, shuffled
from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import summarise
from engine.evaluation.sources import offered, source_named
from engine.jobs.asking import Asked
from engine.jobs.evaluate import EvaluateKind, prompt_sha256
from engine.jobs.running import resume_job, run_in_foreground, run_job
from engine.operations import cut
from engine.protocols import protocol_named, studio
from engine.store import Store
from engine.trace import Box, Example, Media, Step, View
from tests.jobs.attempting import AwaitedPolicy, GuessingPolicy, examples_file, services_of


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


def test_as_another_project_does_it_is_asked_scored_and_said(store, tmp_path):
    """Of "Blue" lmms-eval reads a B, which ours does not; its question holds the options and its instruction."""

    class Blue(GuessingPolicy):
        def converse(self, pictures, seed):
            conversation = super().converse(pictures, seed)
            add = conversation.add

            class Listening:
                def __getattr__(self, name):
                    return getattr(conversation, name)

                def add(self, said):
                    heard.extend(
                        part.text for one in said for part in getattr(one, "parts", ()) if hasattr(part, "text")
                    )
                    add(said)

            return Listening()

        def _turns(self, seed):
            return (studio.render(Step("I see.", answer="Blue"), (), ()),)

    heard: list[str] = []
    services = services_of(store, tmp_path, Blue())
    path = examples_file(tmp_path / "mine", 1, "B", options=["red", "green", "blue", "white"])
    kind, ended = EvaluateKind(services), []
    for protocol_of in (None, "lmms-eval"):
        source = source_named(str(path), store)
        job = run_in_foreground(store, tmp_path / "artifacts", kind, kind.plan(source, Asked(protocol_of=protocol_of)))
        assert job.state == "done", job.message
        ended.append(store.evaluations.get(job.id))
    ours, theirs = ended
    assert (ours.summary["accuracy"], theirs.summary["accuracy"]) == (0.0, 1.0)
    assert "(B) green" in heard[0] and "B. green\nD" not in heard[0]
    assert "Which colour, 0?\nA. red\nB. green\nC. blue\nD. white\nAnswer with the option's letter" in heard[1]
    assert ours.provenance["protocol_of"] is None and theirs.provenance["scorers"] == {"lmms-eval first letter": 1}
    told = theirs.provenance["protocol_of"]
    assert (told["project"], told["version"]) == ("lmms-eval", "0.7.3") and len(told["differs"]) == 2
    assert ours.provenance["prompt_sha256"] != theirs.provenance["prompt_sha256"]
    assert theirs.provenance["denominator"] == {"scored": 1, "empty_wrong": 0, "empty_left_out": 0}
    (first,), (second,) = (list(store.attempts.of(one.id)) for one in ended)
    assert first.example_key == second.example_key  # so the two are compared example by example
    trace = store.revisions.head(second.trace_id).trace
    assert trace.question == "Which colour, 0?"
    assert store.traces.get(second.trace_id).policy_settings["protocol_of"] == "lmms-eval"


def test_an_empty_answer_leaves_the_denominator_where_it_does_there(store, tmp_path):
    clip = Example("Which?", (Media("b" * 64, "video", 8, 8),), "A", ("red", "green"))
    by = following("lmms-eval", "mvbench")
    assert (by.score("", clip), by.score(None, clip), by.score("B", clip)) == (None, None, 0.0)
    assert following("vlmevalkit", "mvbench").score("", clip) == 1.0  # "" is a piece of "(a)"


def test_what_looks_were_worth_stands_beside_the_score(store, tmp_path):
    class Sure(GuessingPolicy):
        def converse(self, pictures, seed):
            conversation = super().converse(pictures, seed)
            turns = [0]

            class Weighing:
                def __getattr__(self, name):
                    return getattr(conversation, name)

                def add(self, said):
                    turns[0] += len(said)
                    conversation.add(said)

                def weigh(self, given, text):
                    return math.log(0.25 if turns[0] < 3 else 0.75)

            return Weighing()

    kind = EvaluateKind(services_of(store, tmp_path, Sure()))
    source = source_named(str(examples_file(tmp_path / "mine", 2)), store)
    job = run_in_foreground(store, tmp_path / "artifacts", kind, kind.plan(source, Asked(is_weighing_looks=True)))
    assert job.state == "done", job.message
    looks = store.evaluations.get(job.id).summary["looks"]
    assert looks == {"attempts": 2, "looks": 2, "before": pytest.approx(0.25), "after": pytest.approx(0.75)}
    head = store.revisions.head(next(store.attempts.of(job.id)).trace_id)
    (kept,) = store.history.weighed_looks(head.id)
    assert (kept.step, kept.answer, kept.before, kept.after) == (0, "red", pytest.approx(0.25), pytest.approx(0.75))
    told = table(summarise("mine", store.attempts.of(job.id)), {"looks": looks})
    assert "the answer's probability  25.0% before, 75.0% after (2 looks)" in told
    for policy in (GuessingPolicy(), AwaitedPolicy()):
        kind = EvaluateKind(services_of(store, tmp_path, policy))
        job = run_in_foreground(store, tmp_path / "artifacts", kind, kind.plan(source, Asked(is_weighing_looks=True)))
        assert job.state == "failed" and "does not tell how likely an answer is" in job.message
    with pytest.raises(InvalidInput, match="crops have to be real"):
        Asked(is_weighing_looks=True, crops="black")


def test_the_same_run_without_operations_tells_what_looking_won(store, tmp_path):
    services = services_of(store, tmp_path, GuessingPolicy())
    source = source_named(str(examples_file(tmp_path / "mine", 1)), store)
    kind, ran = EvaluateKind(services), []
    for is_operating in (False, True):
        plan = kind.plan(source, Asked(is_operating=is_operating))
        job = run_in_foreground(store, tmp_path / "artifacts", kind, plan)
        ran.append(store.evaluations.get(job.id).provenance)
    without, with_them = ran
    assert is_looking_between(without, with_them)
    assert not is_looking_between(with_them, without) and not is_looking_between(with_them, with_them)
    assert not is_looking_between(without | {"policy": "another"}, with_them)
