"""The kind "collect": what is asked, what is kept, and that nothing is asked twice, whatever happens on the way."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.evaluation.sources import source_named
from engine.jobs.asking import Asked, attempt_seed
from engine.jobs.collect import CollectKind
from engine.jobs.running import queue_job, resume_job, run_in_foreground, run_job, unfinished
from engine.media import MediaFolder
from engine.store import Store
from tests.drivers.asking import awaited
from tests.jobs.attempting import WORDS, AwaitedPolicy, GuessingPolicy, examples_file, services_of, what_was_made

ROOT = Path(__file__).parents[2]
FOUR = Asked(attempts=4, temperature=1.0)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "annotations.db") as store:
        yield store


def collected(store, folder, asked=FOUR, policy=None, count=3, answer="red", **more):
    """(the job as it ended, the policy)."""
    policy = policy or GuessingPolicy()
    kind = CollectKind(services_of(store, folder, policy))
    source = source_named(str(examples_file(folder / "mine", count, answer)), store)
    return run_in_foreground(store, folder / "artifacts", kind, kind.plan(source, asked), **more), policy


def test_every_example_is_attempted_from_seeds_of_its_own_and_recorded(store, tmp_path):
    job, policy = collected(store, tmp_path)
    assert job.state == "done", job.message
    assert policy.asked == [attempt_seed(0, position, number) for position in range(3) for number in range(4)]
    assert len(set(policy.asked)) == 12
    made = [(one, store.traces.get(one.trace_id)) for one in store.attempts.of(job.id)]
    assert [(one.position, one.number) for one, _ in made] == [(p, n) for p in range(3) for n in range(4)]
    for one, record in made:
        seed = attempt_seed(0, one.position, one.number)
        assert record.policy_settings["seed"] == seed
        assert record.item.answer == random.Random(seed).choice(WORDS)
        assert record.score == one.score == (1.0 if record.item.answer == "red" else 0.0)
        assert (record.gold, record.item.question) == ("red", f"Which colour, {one.position}?")
    assert {record.item.answer for _, record in made} == set(WORDS)
    right = sum(one.score for one, _ in made) / 12
    assert job.message == f"12 attempts at 3 examples; {right:.1%} right"
    assert store.verify(MediaFolder(tmp_path / "artifacts" / "media")).is_sound


def test_the_same_traces_come_from_a_policy_that_is_awaited_even_where_a_loop_runs(store, tmp_path):
    async def in_a_notebook():
        return collected(store, tmp_path / "other", policy=AwaitedPolicy())[0]

    one, _ = collected(store, tmp_path / "one")
    other = awaited(in_a_notebook())
    assert other.state == "done", other.message
    assert what_was_made(store, one.id) == what_was_made(store, other.id) != []


@pytest.mark.parametrize("keep", ["all", "disagreeing"])
def test_a_job_that_is_stopped_goes_on_and_asks_nothing_twice(store, tmp_path, keep, monkeypatch):
    monkeypatch.setattr("engine.jobs.report._ASK_AGAIN_S", 0.0)
    whole, _ = collected(store, tmp_path / "whole", replace(FOUR, keep=keep, at_once=2))

    def stop() -> None:
        store.jobs.request_stop(store.jobs.list()[0].id)

    policy = GuessingPolicy(fatal=7, die=stop)
    job, _ = collected(store, tmp_path / "stopped", replace(FOUR, keep=keep, at_once=2), policy)
    assert job.state == "stopped" and "of 12 attempts" in job.message
    running_then = policy.asked[-2:]  # dropped where they were
    policy.asked.clear()
    kind = CollectKind(services_of(store, tmp_path / "stopped", policy))
    resume_job(store, job.id)
    ended = run_job(store, tmp_path / "stopped" / "artifacts", {kind.name: kind}, store.jobs.claim(job.id))
    assert ended.state == "done", ended.message
    every = [attempt_seed(0, position, number) for position in range(3) for number in range(4)]
    assert policy.asked == [seed for seed in every if seed in policy.asked or seed in running_then]
    assert len(policy.asked) <= 12 - 4
    assert what_was_made(store, job.id) == what_was_made(store, whole.id)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.jobs.test_collect import collected, replace, FOUR, GuessingPolicy, Store
home = Path(sys.argv[1])
with Store(home / "annotations.db") as store:
    policy = GuessingPolicy(fatal=6, die=lambda: os.kill(os.getpid(), signal.SIGKILL))
    collected(store, home, replace(FOUR, keep=sys.argv[2], at_once=1), policy)
"""


@pytest.mark.parametrize("keep", ["all", "disagreeing"])
def test_a_killed_process_lost_only_what_was_on_its_way(store, tmp_path, keep):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), keep], cwd=ROOT, env=os.environ, timeout=120, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    policy = GuessingPolicy()
    kind = CollectKind(services_of(store, tmp_path, policy))
    source = source_named(str(tmp_path / "mine" / "EXAMPLES.jsonl"), store)
    going_on = unfinished(store, kind, kind.plan(source, replace(FOUR, keep=keep, at_once=1)))
    ended = run_in_foreground(store, tmp_path / "artifacts", kind, going_on)
    assert ended.state == "done", ended.message
    # Five had ended: the sixth was the one that it died at.
    assert policy.asked == [attempt_seed(0, position, number) for position in range(3) for number in range(4)][5:]
    whole, _ = collected(store, tmp_path / "whole", replace(FOUR, keep=keep))
    assert what_was_made(store, ended.id) == what_was_made(store, whole.id)


def test_only_what_is_right_is_kept_and_the_rest_leaves_nothing_but_numbers(store, tmp_path):
    every, _ = collected(store, tmp_path / "all", count=1)
    right = [one for one in what_was_made(store, every.id) if one[2] == "red"]
    with Store(tmp_path / "other.db") as other:
        job, _ = collected(other, tmp_path / "right", replace(FOUR, keep="right"), count=1)
        assert what_was_made(other, job.id) == right
        assert sum(other.traces.counts().values()) == len(right) < 4
        assert f"{len(right)} kept, {4 - len(right)} not" in job.message
        wrong, _ = collected(other, tmp_path / "wrong", replace(FOUR, keep="right"), answer="blue", count=1)
        assert what_was_made(other, wrong.id) == []
        assert other.attempts.counts(wrong.id).made == 4
    media = tmp_path / "wrong" / "artifacts" / "media"
    assert not [file for file in media.rglob("*.png")]
    assert not (tmp_path / "wrong" / "artifacts" / "checkpoints" / wrong.id).exists()


def test_only_questions_at_which_attempts_disagree_are_kept(store, tmp_path):
    every, _ = collected(store, tmp_path / "all", count=6, asked=replace(FOUR, attempts=2))
    said = {}
    for position, _, answer in what_was_made(store, every.id):
        said.setdefault(position, set()).add(answer)
    mixed = {position for position, answers in said.items() if len(answers) > 1}
    assert 0 < len(mixed) < 6
    job, _ = collected(store, tmp_path / "some", count=6, asked=replace(FOUR, attempts=2, keep="disagreeing"))
    assert [one for one in what_was_made(store, every.id) if one[0] in mixed] == what_was_made(store, job.id)


def test_a_limit_on_tokens_begins_no_further_example(store, tmp_path):
    job, policy = collected(store, tmp_path, replace(FOUR, max_tokens=1, at_once=1))
    assert job.state == "done"
    assert store.attempts.counts(job.id).examples == 1 and len(policy.asked) == 4
    assert job.message.endswith("ended by the limit of 1 tokens")


def test_what_was_imported_and_what_was_accepted_can_be_asked(store, tmp_path):
    job, _ = collected(store, tmp_path)
    media = MediaFolder(tmp_path / "artifacts" / "media")
    heads = [store.traces.get(one.trace_id) for one in store.attempts.of(job.id) if one.number == 0]
    for record in heads[:2]:
        store.examples.record("team", record.example)
        store.reviews.record(record.head_id, "ana", "accepted")
    policy = GuessingPolicy()
    kind = CollectKind(replace(services_of(store, tmp_path, policy), media=media))
    for name in ("team", "accepted"):
        source = source_named(name, store)
        again = run_in_foreground(store, tmp_path / "artifacts", kind, kind.plan(source, Asked()))
        assert (again.state, source.size) == ("done", 2), again.message
        asked = [store.traces.get(one.trace_id).example for one in store.attempts.of(again.id)]
        assert [(one.question, one.answer) for one in asked] == [(f"Which colour, {k}?", "red") for k in range(2)]
        assert {record.item.group_id for record in map(store.traces.get, traces_of(store, again))} == {None}


def traces_of(store, job):
    return [one.trace_id for one in store.attempts.of(job.id)]


def test_what_cannot_be_says_why(store, tmp_path):
    for wrong, why in (
        ({"attempts": 0}, "1 to 64 times"),
        ({"attempts": 2}, "greedy attempts are all alike"),
        ({"keep": "disagreeing"}, "one attempt cannot disagree"),
        ({"temperature": 0.0}, "above 0"),
    ):
        with pytest.raises(InvalidInput, match=why):
            Asked(**wrong)
    with pytest.raises(InvalidInput, match="neither a benchmark nor a data set nor a file"):
        source_named("nowhere", store)
    path = examples_file(tmp_path / "mine", 2)
    kind = CollectKind(services_of(store, tmp_path, GuessingPolicy()))
    with pytest.raises(InvalidInput, match="no adapters to choose from"):
        kind.plan(source_named(str(path), store), Asked(), "one")
    job = queue_job(store, kind, kind.plan(source_named(str(path), store), Asked()))
    examples_file(tmp_path / "mine", 1)
    ended = run_job(store, tmp_path / "artifacts", {kind.name: kind}, store.jobs.claim(job.id))
    assert ended.state == "failed" and "has changed since the job was begun" in ended.message
