"""Running a policy over examples: an oracle, a guesser, stopping, and what is measured."""

from __future__ import annotations

import dataclasses

import pytest
from PIL import Image

from engine.evaluation.examples import Posed
from engine.evaluation.runner import attempt, evaluate
from engine.evaluation.scoring import summarise
from engine.media import LoadedMedia
from engine.policies.scripted import ScriptedPolicy
from engine.protocols import studio
from engine.reasoning import Limits
from engine.trace import Box, Evidence, Example, Media, Step, ZoomIn

IMAGE = Media("a" * 64, "image", 400, 300)
LOADED = LoadedMedia(IMAGE, (Image.new("RGB", (400, 300)),))
TARGET = Box(0.2, 0.2, 0.4, 0.4)


def posed(answer: str | None, evidence: Evidence | None = None) -> Posed:
    return Posed(Example("?", (IMAGE,), answer, evidence=evidence), {IMAGE.sha256: LOADED})


def oracle(box: Box = TARGET) -> ScriptedPolicy:
    steps = (Step("Look.", ZoomIn(1, box)), Step("Seen.", answer="KX7421"))
    return ScriptedPolicy(tuple(studio.render(step, (), ()) for step in steps))


def test_a_policy_that_looks_and_reads():
    examples = [posed("kx7421", Evidence(boxes=(TARGET,))), posed("other", Evidence(boxes=(TARGET,))), posed(None)]
    results = list(evaluate(oracle(), iter(examples)))
    assert [result.score for result in results] == [1.0, 0.0, None]
    assert [result.hit for result in results] == [True, True, None]
    assert all(result.cpu_s >= 0 for result in results)
    summary = summarise("mine", results)
    assert (summary.accuracy, summary.hit_rate, summary.rapr, summary.error_rate) == (0.5, 1.0, 1.0, 0.0)


def test_looking_elsewhere_is_no_hit():
    (result,) = evaluate(oracle(Box(0.5, 0.5, 0.9, 0.9)), [posed("KX7421", Evidence(boxes=(TARGET,)))])
    assert (result.score, result.hit) == (1.0, False)


def test_without_operations_a_call_is_an_error_and_no_operation():
    (result,) = evaluate(oracle(), [posed("KX7421", Evidence(boxes=(TARGET,)))], is_operating=False)
    summary = summarise("mine", [result])
    assert (result.hit, summary.rapr, summary.error_rate) == (False, 0.0, 1.0)


def test_an_example_is_scored_by_its_own_rule_and_reported_apart():
    """KX7421 for KX7422: 1 of 6 letters wrong is 5/6 by ANLS and nothing as text."""
    other = posed("KX7422")
    example = dataclasses.replace(other.example, rule="anls", category="table", difficulty="hard")
    one = Posed(example, other.pictures)
    results = list(evaluate(oracle(), [one, posed("KX7422")]))
    assert [result.score for result in results] == [pytest.approx(5 / 6), 0.0]
    parts = [(part.by, part.name, part.accuracy) for part in summarise("mine", results).parts]
    assert parts == [("category", "table", pytest.approx(5 / 6)), ("difficulty", "hard", pytest.approx(5 / 6))]


def test_results_come_one_by_one():
    asked = []

    def examples():
        for k in range(3):
            asked.append(k)
            yield posed("KX7421")

    results = evaluate(oracle(), examples(), at_once=1)
    next(results)
    assert asked == [0]


def test_results_of_attempts_that_run_together_come_in_order():
    """Every second one answers at once, and is ready before the one that was asked first."""

    @dataclasses.dataclass(frozen=True)
    class Uneven(ScriptedPolicy):
        made: list = dataclasses.field(default_factory=list)

        def converse(self, pictures, seed):
            looking = oracle()
            self.made.append(
                looking if len(self.made) % 2 == 0 else dataclasses.replace(looking, turns=looking.turns[1:])
            )
            return self.made[-1].converse(pictures, seed)

    golds = ["KX7421", "other", None, "KX7421"]
    together = list(evaluate(Uneven(), map(posed, golds), at_once=3))
    assert [result.score for result in together] == [1.0, 0.0, None, 1.0]
    assert [len(result.trace.steps) for result in together] == [2, 1, 2, 1]
    asked = iter([False] * 30)
    stopped = evaluate(Uneven(), [posed("KX7421")] * 9, at_once=3, is_cancelled=lambda: next(asked, True))
    assert 0 < len(list(stopped)) < 9


def test_an_attempt_without_an_answer_is_wrong():
    (result,) = evaluate(oracle(), [posed("KX7421")], Limits(max_steps=1))
    assert result.trace.stop_reason == "max_steps"
    assert result.score == 0.0


def test_cancelling_drops_the_running_attempt():
    done = []

    def is_cancelled() -> bool:
        return len(done) == 2

    for result in evaluate(oracle(), [posed("KX7421")] * 5, is_cancelled=is_cancelled, at_once=1):
        done.append(result)
    assert len(done) == 2


def test_a_failing_policy_ends_the_evaluation():
    nothing_loaded = dataclasses.replace(posed("KX7421"), pictures={})
    with pytest.raises(Exception, match="not loaded"):
        list(evaluate(oracle(), [nothing_loaded]))


def test_an_attempt_is_the_loop_s_trace():
    trace = attempt(oracle(), posed("KX7421"))
    assert trace.stop_reason == "answered"
    assert len(trace.views) == 2


def test_the_time_of_drawing_and_loading_is_not_the_policy_s():
    def slow():
        sum(k * k for k in range(2_000_000))
        yield posed("KX7421")

    import time

    started_s = time.process_time()
    (result,) = evaluate(oracle(), slow())
    assert result.cpu_s < (time.process_time() - started_s) / 2
