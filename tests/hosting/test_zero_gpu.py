"""ZeroGPU against a stand-in of its package: attempts and jobs in forked children, what is asked for, what is refused."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from engine.drivers.streaming import stream
from engine.errors import InvalidSetting, Unavailable
from engine.hosting.zero_gpu import ZeroGpu, answer_seconds, begin
from engine.jobs.kinds import SFT, CutOff, Done, Ending, Plan
from engine.jobs.report import Report
from engine.jobs.running import queue_job
from engine.jobs.worker import Worker
from engine.media import MediaFolder
from engine.policies.scripted import ScriptedPolicy
from engine.reasoning import Finished, Limits, Thinking
from engine.store import Job, Store
from engine.trace import Example, Media
from tests.hosting.stand_in_spaces import StandInSpaces


@pytest.fixture
def media(tmp_path: Path) -> MediaFolder:
    return MediaFolder(tmp_path / "media")


@pytest.fixture
def example(media: MediaFolder, tmp_path: Path) -> Example:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    return Example("What is it?", (media.take(tmp_path / "red.png").media,))


def test_elsewhere_nothing_is_different() -> None:
    assert begin({}) is None and begin({"SPACES_ZERO_GPU": "false"}) is None
    with pytest.raises(InvalidSetting, match=r"add it to requirements\.txt"):
        begin({"SPACES_ZERO_GPU": "true"})


def test_the_time_asked_for_goes_by_what_is_shown_and_may_be_said(example: Example) -> None:
    """10 s, half a second a view, 40 tokens a second; a clip shows 16 views."""
    clip = Example("?", (Media("b" * 64, "video", 40, 30),))
    assert answer_seconds(example, Limits(max_tokens=400)) == 20  # 10 + 0.5 + 10, half to even
    assert answer_seconds(clip, Limits(max_tokens=400)) == 28
    assert answer_seconds(clip, Limits(max_tokens=1_000_000)) == 120


def test_an_attempt_is_one_call_and_tells_what_it_tells_here(media: MediaFolder, example: Example) -> None:
    spaces, limits = StandInSpaces(), Limits(max_tokens=400)
    policy = ZeroGpu(spaces).policy(ScriptedPolicy(), media)
    elsewhere = list(stream(policy, example, {}, limits))
    assert elsewhere == list(stream(ScriptedPolicy(), example, media.pictures(example.media), limits))
    assert spaces.asked_s == [20] and "20 s of your quota" in policy.asks_for(example, limits)
    with pytest.raises(Unavailable, match="whole questions"):
        policy.converse({}, None)


def test_who_cancels_gets_what_there_is_by_then(media: MediaFolder, example: Example) -> None:
    policy = ZeroGpu(StandInSpaces()).policy(ScriptedPolicy(delay_s=0.02), media)
    heard: list[object] = []
    for notice in stream(policy, example, {}, is_cancelled=lambda: any(isinstance(one, Thinking) for one in heard)):
        heard.append(notice)
    last = heard[-1]
    assert isinstance(last, Finished) and last.trace.stop_reason == "cancelled"


def test_a_refusal_is_one_sentence_of_ours(media: MediaFolder, example: Example) -> None:
    policy = ZeroGpu(StandInSpaces(quota_s=5)).policy(ScriptedPolicy(), media)
    with pytest.raises(Unavailable, match=r"gave no GPU: You have exceeded .* left\)\.$"):
        list(stream(policy, example, {}))


@dataclass(frozen=True, slots=True)
class Counting:
    """A job of five steps, each of which a checkpoint follows; `run` goes on from there."""

    name: str = SFT
    title: str = "Counting"

    def plan(self) -> Plan:
        return Plan({})

    def prepare(self, job: Job) -> Counting:
        return self

    def run(self, report: Report) -> Ending:
        report.folder.mkdir(parents=True, exist_ok=True)
        kept = report.folder / "steps"
        for step in range(int(kept.read_text()) if kept.exists() else 0, 5):
            time.sleep(0.02)
            kept.write_text(str(step + 1))
            report.say(step, "metric", {"process": os.getpid()})
            if step < 4 and report.should_stop():
                return CutOff(f"after {step + 1} of 5 steps")
        return Done("counted")


@pytest.mark.parametrize(("quota_s", "state", "steps"), [(1.0, "done", 5), (0.02, "stopped", 2)])
def test_a_job_goes_on_from_slice_to_slice(tmp_path: Path, quota_s: float, state: str, steps: int) -> None:
    """A slice of 10 ms is a step of 20."""
    spaces, kinds = StandInSpaces(quota_s), {SFT: Counting()}
    with Store(tmp_path / "annotations.db") as store:
        run = ZeroGpu(spaces).running(store, tmp_path, lambda: kinds, slice_s=0.01)
        job = queue_job(store, kinds[SFT], Counting().plan())
        worker = Worker(store, tmp_path, kinds, poll_s=0.01, run=run)
        worker.start()
        while (ended := store.jobs.get(job.id)).state in ("queued", "running", "interrupted"):
            time.sleep(0.02)
        assert worker.close(30)
        told = store.jobs.events(job.id, kind="metric")
    assert ended.state == state and [one.step for one in told] == list(range(steps))
    processes = {one.data["process"] for one in told}
    assert os.getpid() not in processes and len(processes) == len(spaces.asked_s) == steps
    if state == "stopped":
        assert ended.message.startswith("ZeroGPU gave no GPU") and ended.message.endswith("It can go on.")
