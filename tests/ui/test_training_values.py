"""What the Train screen reads from a person and tells them: knobs, curves, before and after. No browser, no model."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.evaluation.held_out import HeldOut
from engine.jobs.expected import Expected
from engine.jobs.report import duration
from engine.store import Adapter, Job, JobEvent, Store
from engine.training.grpo_config import GrpoConfig
from engine.training.sft_config import SftConfig
from tests.store.samples import make_trace
from ui.studio import Studio
from ui.training import knobs
from ui.training.attempts import MOST, attempts_value
from ui.training.board import Board, Seen, has_changed, read_board
from ui.training.comparing import comparison_value, read_comparison
from ui.training.curves import MAX_POINTS, curves_value, thinned
from ui.training.expecting import expectation, newest_probe
from ui.training.run_values import job_value, run_value

TURNED = (3.0, 0, 1e-4, 16)
HELD_OUT = ("share", 20, 100)
MOMENT = "2026-11-23T17:00:00.000Z"
JOB = Job(
    id="j",
    kind="sft",
    state="running",
    message="step 2 of 3, about 4 s left",
    progress=0.6,
    config={"sft": {"steps": 3}, "evaluation": {"benchmark": "mini-signs", "count": 2, "seed": 7}},
    seeds={},
    versions={},
    revision_count=1,
    owner=None,
    heartbeat_at=None,
    created_at=MOMENT,
    updated_at=MOMENT,
    started_at=MOMENT,
    finished_at=None,
)


def event(kind: str, step: int | None = None, **data: object) -> JobEvent:
    return JobEvent(1, "j", step, kind, data, MOMENT)


def measured(when: str, *scores: float) -> JobEvent:
    examples = [{"question": "?", "gold": "A", "answer": "A", "score": score} for score in scores]
    accuracy = sum(scores) / len(scores)
    return event("evaluation", when=when, n=len(scores), accuracy=accuracy, stderr=0.1, examples=examples)


def test_the_knobs_begin_where_the_engine_does() -> None:
    assert SftConfig.from_json(knobs.read_run(*TURNED)) == SftConfig()
    kind, config, held_out = knobs.read_knobs("grpo", *TURNED, *HELD_OUT, 50, 8, 8, "paper")
    assert (kind, held_out) == ("grpo", HeldOut())
    assert GrpoConfig.from_json(config) == GrpoConfig(start_from="live")
    assert knobs.read_knobs("sft", *TURNED, *HELD_OUT, 50, 8, 8, "paper")[:2] == ("sft", knobs.read_run(*TURNED))


def test_variants_are_sfts_alone() -> None:
    kind, config, _ = knobs.read_knobs("sft", *TURNED, *HELD_OUT, 50, 8, 8, "paper", None, "", 15)
    assert kind == "sft" and SftConfig.from_json(config).box_variants == 15
    assert "box_variants" not in knobs.read_knobs("dpo", *TURNED, *HELD_OUT, 50, 8, 8, "paper", None, "", 15)[1]
    with pytest.raises(
        InvalidInput, match=r"^The number of variants must be a whole number from 0 to 100, such as 3, not 2.5"
    ):
        knobs.read_knobs("sft", *TURNED, *HELD_OUT, 50, 8, 8, "paper", None, "", 2.5)


@pytest.mark.parametrize(("queries", "rollouts"), [(1, 2), (3, 5), (7, 8), (256, 64)])
@pytest.mark.parametrize("reward", list(knobs.REWARDS))
def test_whatever_the_knobs_of_rl_allow_the_engine_takes(queries: int, rollouts: int, reward: str) -> None:
    config = knobs.read_rl(3, queries, rollouts, 1e-4, 16, reward)
    made = GrpoConfig.from_json(config)
    assert made.is_curious == (reward != "plain")
    assert made.variant == ("paper" if reward == "plain" else reward)
    assert made.advantage == ("centred" if reward == "released-code" else "normalised")
    by_prefix = knobs.read_rl(3, queries, rollouts, 1e-4, 16, reward, "by-prefix")
    assert GrpoConfig.from_json(by_prefix).advantage == "by-prefix"
    assert knobs.total_steps(99, config) == made.total_steps(99) == 3
    assert f"{3 * queries * rollouts:,} rollouts" in knobs.rl_sentence(5, config)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"steps": 0}, "Steps must be a whole number from 1 to 1,000,000, not 0."),
        ({"queries": None}, "Questions a step must be a whole number from 1 to 256, such as 8, not empty."),
        ({"rollouts": 1}, "Rollouts must be a whole number from 2 to 64, such as 8, not 1."),
        ({"reward": "x"}, "The reward must be one of paper, released-code, credit, plain, not 'x'."),
        (
            {"advantage": "y"},
            "The advantages must be one of normalised, centred, by-prefix, centred-by-prefix, not 'y'.",
        ),
    ],
)
def test_a_wrong_knob_of_rl_gets_one_sentence(changed: dict[str, object], sentence: str) -> None:
    right = {"steps": 50, "queries": 8, "rollouts": 8, "learning_rate": 1e-4, "rank": 16, "reward": "paper"}
    with pytest.raises(InvalidInput) as caught:
        knobs.read_rl(**(right | changed))
    assert str(caught.value) == sentence


RL_JOB = dataclasses.replace(
    JOB, kind="grpo", config={"grpo": {"steps": 30, "threshold": 0.3, "variant": "paper", "is_curious": True}}
)


def test_rl_has_its_own_curves_and_the_threshold() -> None:
    events = [event("metric", 1, reward=-0.05, rapr=0.5, operation_errors=0.25, uniform_share=0.5, loss=0.0)]
    value = curves_value(RL_JOB, events)
    assert [(one["name"], one["threshold"]) for one in value["series"]] == [
        ("reward", None),
        ("rapr", 0.3),
        ("operation_errors", None),
        ("uniform_share", None),
    ]
    assert value["series"][0]["points"] == [[1, -0.05]]
    assert value["steps"] == 30


def test_an_alarm_stands_until_it_is_over_or_the_run_ends() -> None:
    begun, alarm = event("log", text="rolling out"), event("alarm", 9, text="the learning trap: RaPR fell")
    over = event("log", 14, text="the alarm is over")
    shown = job_value(RL_JOB, [begun, alarm], is_chosen=False)
    assert shown["alarm"] == "The learning trap: RaPR fell."
    assert shown["title"] == "Curiosity-driven RL on 1 question"
    assert "The learning trap: RaPR fell." in [line["text"] for line in shown["log"]]
    assert job_value(RL_JOB, [begun, alarm, over], is_chosen=False)["alarm"] == ""
    assert not any("taken up" in part for part in job_value(RL_JOB, [begun, alarm, over], is_chosen=False)["foot"])
    ended = dataclasses.replace(RL_JOB, state="done")
    assert job_value(ended, [begun, alarm], is_chosen=False)["alarm"] == ""


@given(st.integers(1, 500), st.floats(0.1, 20), st.none() | st.integers(1, 1000))
def test_the_plan_counts_steps_as_the_engine_does(examples: int, passes: float, steps: int | None) -> None:
    config = knobs.read_run(passes, steps, 1e-4, 16)
    assert knobs.total_steps(examples, config) == SftConfig.from_json(config).total_steps(examples)
    assert f"{knobs.total_steps(examples, config):,} step" in knobs.plan_sentence(examples, config)


@pytest.mark.parametrize(
    ("position", "value", "sentence"),
    [
        (0, 0, "Passes must be a number above 0, such as 3, not 0."),
        (0, None, "Passes must be a number above 0, such as 3, not empty."),
        (1, 2.5, "Steps must be a whole number up to 1,000,000, not 2.5."),
        (2, 5, "The learning rate must be between 0 and 1, such as 0.0001, not 5."),
        (2, float("nan"), "The learning rate must be between 0 and 1, such as 0.0001, not nan."),
        (3, 0, "The rank must be a whole number from 1 to 1,024, such as 16, not 0."),
        (3, "x", "The rank must be a whole number from 1 to 1,024, such as 16, not 'x'."),
    ],
)
def test_a_wrong_knob_gets_one_sentence(position: int, value: object, sentence: str) -> None:
    turned = [*TURNED]
    turned[position] = value
    with pytest.raises(InvalidInput) as caught:
        knobs.read_run(*turned)
    assert str(caught.value) == sentence


def test_what_is_measured_is_read_from_three_knobs() -> None:
    assert knobs.read_held_out("share", 25, 40) == HeldOut("share", 0.25, 40)
    assert knobs.read_held_out("mini-signs", None, 16) == HeldOut("mini-signs", count=16)
    assert knobs.read_held_out("", None, None) is None
    assert knobs.read_held_out("file", None, 9, " /data/e.jsonl ") == HeldOut("/data/e.jsonl", count=9)
    with pytest.raises(InvalidInput, match="Say where the examples file lies"):
        knobs.read_held_out("file", None, 9, " ")
    for name, percent, count, words in (
        ("share", 0, 16, "The held-out share must be from 1 to 90 percent, such as 20, not 0."),
        (
            "share",
            20,
            2.5,
            "The number of held-out examples must be a whole number from 1 to 2,000, such as 100, not 2.5.",
        ),
    ):
        with pytest.raises(InvalidInput) as caught:
            knobs.read_held_out(name, percent, count)
        assert str(caught.value) == words


@given(st.lists(st.floats(0, 10), min_size=1, max_size=3000))
def test_a_thinned_curve_keeps_its_ends_and_extremes(values: list[float]) -> None:
    points = [[step, value] for step, value in enumerate(values)]
    kept = thinned(points, MAX_POINTS)
    assert len(kept) <= MAX_POINTS + 2
    assert [kept[0][0], kept[-1][0]] == [0, len(values) - 1]
    assert max(p[1] for p in kept) == pytest.approx(max(values), rel=1e-4)
    assert min(p[1] for p in kept) == pytest.approx(min(values), rel=1e-4)


def test_a_step_that_ran_again_counts_once_and_a_lost_number_breaks_the_line() -> None:
    events = [event("metric", 1, loss=3.0), event("metric", 2, loss=2.0), event("metric", 2, loss=None)]
    loss = curves_value(JOB, events)["series"][0]
    assert loss["points"] == [[1, 3.0], [2, None]]


def test_runs_beside_each_other_tell_in_what_they_differ() -> None:
    other = dataclasses.replace(JOB, id="k", config={"name": "b", "sft": {"steps": 3, "rank": 8}}, revision_count=1)
    mine = dataclasses.replace(JOB, config={"name": "a", "sft": {"steps": 3, "rank": 16}})
    told = [event("metric", 1, loss=2.0)]
    value = curves_value(mine, [event("metric", 1, loss=3.0)], [(other, told)])
    assert value["series"][0]["points"] == [[1, 3.0]]
    assert value["series"][0]["others"] == [{"tone": 1, "points": [[1, 2.0]]}]
    assert value["names"] == ["a", "b"] and value["differences"] == [{"name": "rank", "values": ["16", "8"]}]
    assert curves_value(mine, [])["names"] == []


def test_a_run_that_was_taken_up_again_says_so() -> None:
    events = [event("log", text="training"), event("metric", 2, loss=2.0, left_s=4.0)]
    assert job_value(JOB, events, is_chosen=False)["foot"][:2] == ["Step 2 of 3", "about 4 s left"]
    again = job_value(JOB, [*events, event("log", text="training")], is_chosen=False)
    assert again["foot"][-1] == "taken up again once"
    stopped = job_value(dataclasses.replace(JOB, state="stopped"), events, is_chosen=False)
    assert not any("left" in part for part in stopped["foot"])


@pytest.mark.parametrize(
    ("before", "after", "tone", "words"),
    [
        ([0] * 8 + [1] * 2, [1] * 10, "good", "Better by 50 to 110 points."),
        ([1] * 10, [0] * 8 + [1] * 2, "bad", "Worse by 50 to 110 points."),
        ([0, 1, 1, 1], [1, 1, 1, 1], "plain", "Cannot be told apart with 4 examples: use about 32."),
        ([0, 1, 1, 1], [0, 1, 1, 1], "plain", "The same on all 4 examples."),
    ],
)
def test_only_what_could_hardly_be_chance_is_called_better(
    tmp_path: Path, before: list[float], after: list[float], tone: str, words: str
) -> None:
    with Store(tmp_path / "annotations.db") as store:  # as builds without attempts at held-out examples told of it
        value = read_comparison(store, JOB, [measured("before", *before), measured("after", *after)])
    assert (value["tone"], value["verdict"]) == (tone, words)
    assert [bar["share"] for bar in value["bars"]] == [sum(one) / len(one) for one in (before, after)]
    assert "mini-signs, drawn from seed 7" in value["note"]


def test_before_the_end_there_is_no_verdict() -> None:
    value = comparison_value(JOB, [measured("before", 1, 0)], None, [])
    assert [bar["label"] for bar in value["bars"]] == ["Before"]
    assert value["verdict"] == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (99, "99 s"), (100, "2 min"), (3600, "1 h 0 min"), (5000, "1 h 23 min")]
)
def test_durations_are_said_as_a_person_would(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def attempted(step: int, question: str = "What is written?") -> JobEvent:
    zoom = {
        "thought": "It is small.",
        "operation": {"name": "zoom_in", "view": 1, "box": [0.31, 0.4, 0.455, 0.5]},
        "observation": {"views": [2], "error": None},
    }
    frames = {
        "thought": "",
        "operation": {"name": "select_frames", "frames": [3, 40]},
        "observation": {"views": [], "error": "there is no frame 40"},
    }
    right = {"correctness": 1.0, "bonus": 0.0875, "penalty": 0.0, "total": 1.0875, "advantage": 1.2}
    wrong = {"correctness": 0.0, "bonus": 0.0, "penalty": -0.05, "total": -0.05, "advantage": -1.2}
    attempts = [
        right | {"steps": [zoom, {"thought": "I read it.", "answer": "KX7421"}], "stop_reason": "answered"},
        wrong | {"steps": [frames], "stop_reason": "max_steps"},
    ]
    media = {"sha256": "a" * 64, "kind": "image"}
    return event("rollouts", step, question=question, gold="KX7421", media=media, rapr=0.5, attempts=attempts)


def test_attempts_are_told_with_their_rewards_in_parts() -> None:
    job = dataclasses.replace(JOB, kind="grpo")
    value = attempts_value(job, [attempted(1), attempted(3, "old"), attempted(3, "And now?")])
    assert [(one["step"], one["question"]) for one in value["items"]] == [(3, "And now?"), (1, "What is written?")]
    right, wrong = value["items"][1]["attempts"]
    assert (right["total"], right["parts"], right["tone"]) == ("1.09", "right 1.00, bonus +0.087", "good")
    assert [line["text"] for line in right["lines"]] == [
        "It is small.",
        "zoom_in on [0.31, 0.40, 0.46, 0.50] of view 1",
        "I read it.",
    ]
    assert (right["answer"], right["has_answer"]) == ("KX7421", True)
    assert (wrong["parts"], wrong["tone"]) == ("right 0.00, penalty -0.050", "bad")
    assert [line["kind"] for line in wrong["lines"]] == ["operation", "error"]
    assert (wrong["answer"], wrong["has_answer"]) == ("no answer (max steps)", False)


def test_a_page_gets_the_newest_attempts_and_sft_has_none() -> None:
    job = dataclasses.replace(JOB, kind="grpo")
    many = attempts_value(job, [attempted(step) for step in range(1, 41)])
    assert [one["step"] for one in many["items"]] == list(range(40, 40 - MOST, -1))
    assert attempts_value(job, [])["empty"].startswith("Attempts of this run will be shown")
    assert attempts_value(dataclasses.replace(job, state="done"), [])["empty"] == "This run kept no attempts."
    for one in (None, JOB):
        assert attempts_value(one, [attempted(1)]) == {"items": [], "empty": ""}


def test_a_page_is_told_of_runs_and_reviews_and_of_nothing_else(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db") as store:
        studio = cast(
            Studio,
            SimpleNamespace(
                store=store,
                jobs=None,
                untrainable=None,
                unready=None,
                problem=None,
                policy=lambda: SimpleNamespace(name="script"),
                settings=SimpleNamespace(artifacts=tmp_path),
            ),
        )
        trace = store.traces.record(make_trace(), author="tiny")
        job = store.jobs.create("sft", {}, {}, {})
        store.jobs.claim(job.id)

        def changed(act: Callable[[], object]) -> bool:
            seen = read_board(studio).seen
            assert not has_changed(studio, None, seen)
            act()
            return has_changed(studio, None, seen)

        assert changed(lambda: store.jobs.heartbeat(job.id, 0.5, "step 1 of 2"))
        assert changed(lambda: store.reviews.record(trace.head_id, "ann", "accepted"))
        assert changed(lambda: store.adapters.record("one", "adapters/one", job.id, "tiny", "hash", {}))
        assert changed(lambda: store.adapters.promote(None))
        assert changed(lambda: store.jobs.set_state(job.id, "done"))
        export = store.jobs.create("export", {}, {}, {})
        assert not changed(lambda: store.jobs.set_state(export.id, "stopped"))
        board = read_board(studio)
        assert board.job == store.jobs.get(job.id) and [one["id"] for one in board.runs["items"]] == [job.id]
        assert read_board(studio, export.id).job == board.job  # an export is no run of this screen
        again = read_board(studio, seen=board.seen)
        assert again.basis is None and again.seen == board.seen  # what is known is not counted again


def test_what_a_run_will_take_is_said_for_the_settings_it_was_measured_for(tmp_path: Path) -> None:
    config, held_out = knobs.read_run(3, 0, 1e-4, 16), HeldOut()
    with Store(tmp_path / "annotations.db") as store:
        trace = store.traces.record(make_trace(), author="tiny")

        def said(kind: str = "sft", **turned: Any) -> dict[str, str]:
            return expectation(store, newest_probe(store), kind, {**config, **turned}, held_out, 9)

        assert said()["text"] == ""
        settings = {"sft": SftConfig.from_json(config).as_json(), "held_out": dataclasses.asdict(held_out)}
        job = store.jobs.create("probe", settings | {"probed": "sft"}, {}, {})
        store.jobs.claim(job.id)
        store.jobs.heartbeat(job.id, 0.3, "trying 3 steps")
        assert said()["text"] == "Measuring: trying 3 steps (30%)."
        found = Expected(
            items=8,
            too_long=({"name": trace.head_id, "tokens": 20_000},),
            step_s=2.5,
            measuring_s=30,
            memory_bytes=2 * 10**9,
            free_bytes=10**9,
        )
        store.jobs.add_event(job.id, None, "probe", found.as_json())
        store.jobs.set_state(job.id, "done")
        told = said()
        # 8 traces, 3 passes, 4 a step: 6 steps of 2.5 s and 30 s
        assert told["text"].startswith(
            "About 45 s here: 6 steps of 2.5 s, 30 s to measure. 2.0 GB more memory (1.0 GB free)."
        )
        assert "may not fit" in told["text"] and told["tone"] == "warn"
        assert told["text"].endswith("Too long, and left out: #1 (20,000 tokens).")
        assert "About 55 s here: 10 steps" in said(steps=10)["text"]
        for other in (said("dpo"), said(rank=4), expectation(store, newest_probe(store), "sft", config, None, 9)):
            assert "measure again" in other["text"]


def test_what_nobody_could_judge_while_the_model_was_loading_is_judged_once_it_is_there(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db") as store:
        trace = make_trace()
        steps = tuple(dataclasses.replace(step, is_erroneous=True) for step in trace.steps)
        spoilt = store.traces.record(dataclasses.replace(trace, steps=steps), author="tiny")
        store.reviews.record(spoilt.head_id, "ann", "accepted")

        def board(unready: str | None, desk: object, seen: Seen | None = None) -> Board:
            told = {
                "untrainable": unready,
                "unready": unready,
                "problem": None,
                "reasoner": SimpleNamespace(name="tiny"),
            }
            return read_board(cast(Studio, SimpleNamespace(store=store, jobs=desk, **told)), seen=seen)

        judged = SimpleNamespace(
            model_name="tiny", live_name=None, objections=lambda heads: dict.fromkeys(heads, "each one is erroneous")
        )
        first = board("tiny is loading", None)
        assert board("tiny is loading, 40%", None, first.seen).basis is None
        then = board(None, judged, first.seen)
        assert then.basis is not None and [one["reason"] for one in then.basis["objections"]] == [
            "each one is erroneous"
        ]
        assert then.seen.usable == 0 and board(None, judged, then.seen).basis is None


def test_a_promoted_adapter_that_could_not_be_loaded_is_not_said_to_answer(tmp_path: Path) -> None:
    with Store(tmp_path / "annotations.db") as store:
        adapter = store.adapters.record("sft 1", "adapters/a", None, "tiny", "hash", {})
        store.adapters.promote(adapter.id, "ann")
        for live_name, name in (("sft 1", "tiny + sft 1"), (None, "tiny")):
            problem = None if live_name else "the adapter 'sft 1' cannot be read; tiny answers without it"
            desk = SimpleNamespace(
                model_name="tiny", live_name=live_name, problem=problem, objections=lambda revisions: {}
            )
            board = read_board(
                cast(
                    Studio,
                    SimpleNamespace(store=store, jobs=desk, untrainable=None, unready=None, problem=desk.problem),
                )
            )
            assert board.who["name"] == name
            assert (board.live is None) == (live_name is None)
            assert board.promoted is not None
        assert board.who["detail"] == "The adapter 'sft 1' cannot be read; tiny answers without it."


def test_a_run_says_how_many_of_its_traces_were_deleted() -> None:
    adapter = Adapter("a", "first", "adapters/a", "j", "tiny", "cd" * 32, {"steps": 3}, MOMENT, deleted_traces=2)
    assert run_value(JOB, adapter, None)["detail"].endswith("3 steps · 2 of its traces deleted since")
