"""What is known of an example comes along: from a benchmark through recording, review, files and synthesis to a reward."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from engine.evaluation.examples import Unposed, pose, read_examples
from engine.evaluation.scoring import score_answer
from engine.evaluation.sources import question_of
from engine.evaluation.writing import write_examples
from engine.exchange.trace_json import trace_line
from engine.media import MediaFolder
from engine.protocols import protocol_named
from engine.store import Store
from engine.synthesis.recording import Trajectory, read_trajectories, record_trajectory, trajectory_line
from engine.synthesis.trajectories import synthesize
from engine.synthesis.wording import templates
from engine.trace import Box, Evidence, Example, Step, Trace, first_views
from engine.training.grpo_config import GrpoConfig


@pytest.fixture
def poster() -> Unposed:
    """A question with two right answers, as InfographicsVQA has them; U+2028 is a character of the question."""
    content = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(content, "PNG")
    example = Example(
        "How many\u2028people?",
        (),
        "1 million",
        evidence=Evidence(boxes=(Box(0.4, 0.4, 0.5, 0.5),)),
        other_answers=("1,000,000",),
        rule="anls",
        category="numbers",
        difficulty="hard",
        source="infographicsvqa/7",
    )
    return Unposed("poster-7", example, (content.getvalue(),))


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "annotations.db") as store:
        yield store


def saying(example: Example, answer: str) -> Trace:
    step = Step("I see.", answer=answer)
    return Trace(example.question, example.media, first_views(example.media), (step,), "answered", "p", "studio")


def reward(example: Example, answer: str) -> float:
    from engine.training.episodes import reward_group

    (found,) = reward_group(GrpoConfig(is_curious=False), lambda trace, example: 0.0)(
        [saying(example, answer)], example
    )
    return found.total


def test_files_carry_all_that_is_known(poster, tmp_path):
    (read,) = read_examples(write_examples([poster], tmp_path / "out"))
    assert read.example == poster.example
    assert pose(read).example == pose(poster).example
    (again,) = read_examples(write_examples([read], tmp_path / "again"))
    assert again.example == read.example


def test_an_accepted_trace_rewards_every_right_answer(poster, store):
    from engine.training.snapshot import example_of

    example = pose(poster).example
    record = store.traces.record(saying(example, "two million"), author="tiny", example=example)
    store.reviews.record(record.head_id, "ada", "accepted")
    (revision,) = store.reviews.accepted()
    question = question_of(store, revision)
    assert question == example_of(store, revision).example == example
    assert reward(question, "1,000,000") == reward(question, "1 million") == 1.0
    assert reward(question, "two") == 0.0
    assert score_answer("1,000,000", store.traces.get(record.id).example) == 1.0
    known = trace_line(store.dossiers.get(record.id))["studio"]
    assert (known["gold"], known["other_answers"], known["category"]) == ("1 million", ["1,000,000"], "numbers")


def test_without_a_gold_answer_the_accepted_one_is_right(poster, store):
    example = replace(pose(poster).example, answer=None, other_answers=())
    record = store.traces.record(saying(example, "17"), author="tiny", example=example)
    assert reward(question_of(store, store.revisions.get(record.head_id)), "17") == 1.0


def test_synthesis_carries_all_that_is_known(poster, store, tmp_path):
    media = MediaFolder(tmp_path / "media")
    media.take(poster.files[0])
    posed = pose(poster)
    trace = synthesize(posed.example, posed.pictures, "single_pass", 0, protocol_named("studio"), templates)
    path = tmp_path / "TRACES.jsonl"
    path.write_text(trajectory_line(Trajectory(trace, "single_pass", posed.example)) + "\n", encoding="utf-8")
    (read,) = read_trajectories(path)
    assert read == Trajectory(trace, "single_pass", posed.example)
    record = record_trajectory(store, media, read)
    assert record.example == replace(posed.example, source="synthesis/single_pass/infographicsvqa/7")
    assert reward(question_of(store, store.revisions.get(record.head_id)), "1,000,000") == 1.0


def test_trajectories_of_an_earlier_version_are_read(poster, tmp_path):
    example = replace(pose(poster).example, other_answers=(), category=None, difficulty=None)
    line = json.loads(trajectory_line(Trajectory(saying(example, "1 million"), "text", example)))
    boxes = [[0.4, 0.4, 0.5, 0.5]]
    line["synthesis"] = {"kind": "text", "gold": "1 million", "options": [], "source": example.source, "rule": "anls"}
    line["synthesis"]["evidence"] = {"boxes": boxes}
    path = tmp_path / "TRACES.jsonl"
    path.write_text(json.dumps(line), encoding="utf-8")
    assert read_trajectories(path)[0].example == example


def test_a_jobs_file_of_questions_carries_all_that_is_known(poster, store, tmp_path):
    from engine.training.snapshot import keep_examples, rl_examples_of

    example = pose(poster).example
    kept = keep_examples(tmp_path, [example])
    job = store.jobs.create("grpo", {"examples": kept}, {}, {}, [])
    assert rl_examples_of(store, tmp_path, job) == [example]
