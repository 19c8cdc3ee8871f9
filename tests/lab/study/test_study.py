"""A whole study with the embedded reasoner at the least sizes, interrupted on its way and gone on with; and its processes."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.errors import Unavailable
from engine.lab.recipe.world_poses import own_pose
from engine.lab.study.folder import Folder
from engine.lab.study.plan import BENCHMARKS, ROWS, Draw, Grpo, Sizes, plan
from engine.lab.study.report import table
from engine.settings import Settings
from engine.synthesis.recording import read_trajectories
from engine.trace import SelectFrames

SIZES = {
    "test-examples": 1,
    "trajectories": 3,
    "practice-examples": 1,
    "sft-passes": 0.5,
    "sft-batch-size": 2,
    "rl-steps": 2,
    "queries-a-step": 1,
    "rollouts": 2,
    "seeds": 1,
    "max-turns": 2,
    "max-turn-tokens": 24,
}
LEAST = Sizes(**{name.replace("-", "_"): value for name, value in SIZES.items()})


def call(root: Path, out: io.StringIO, **more: object) -> int:
    words = [word for name, value in (SIZES | more).items() for word in (f"--{name}", str(value))]
    return main(["experiment", "miniature", "--out", str(root), "--json", *words], {"STUDIO_MODEL": "tiny"}, out)


class PressesCtrlC(io.StringIO):
    """A reader who presses Ctrl-C once, when an RL run has made its first step."""

    has_pressed = False

    def write(self, text: str) -> int:
        if '"grpo-full-0", "done": 1' in text and not self.has_pressed:
            self.has_pressed = True
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """(folder, events of the first session, files that were done then, events of the second)."""
    root = tmp_path_factory.mktemp("study") / "miniature"
    interrupted, whole = PressesCtrlC(), io.StringIO()
    assert call(root, interrupted) == 130
    done = {path.name: path.stat().st_mtime_ns for path in (root / "parts").glob("*.json")}
    assert call(root, whole) == 0
    read = [[json.loads(line) for line in out.getvalue().splitlines()] for out in (interrupted, whole)]
    return Folder(root), read[0], done, read[1]


def test_ctrl_c_stops_after_the_running_step_and_the_same_command_goes_on(study):
    folder, first, done, second = study
    assert (first[-1]["event"], first[-1]["part"]) == ("stopped", "grpo-full-0")
    assert set(done) >= {"sft.json", "sft-no-corrections.json"} and "grpo-full-0.json" not in done
    for name, written in done.items():
        assert (folder.root / "parts" / name).stat().st_mtime_ns == written, f"{name} was done again"
    started = [one["part"] for one in second if one["event"] == "started"]
    assert started == [part.name for part in plan(LEAST) if f"{part.name}.json" not in done]
    # The run went on at its second step, and its result knows both.
    steps = [one["done"] for one in second if one["event"] == "progress" and one["part"] == "grpo-full-0"]
    assert steps == [2]
    assert [one["step"] for one in folder.result("grpo-full-0")["metrics"]] == [1, 2]
    assert not any((folder.root / "checkpoints").iterdir())


def test_the_report_is_whole(study):
    folder, _, _, events = study
    report = json.loads((folder.root / "report.json").read_text(encoding="utf-8"))
    assert [one["row"] for one in report["rows"]] == list(ROWS)
    for row in report["rows"]:
        assert {cell["n"] for cell in row["benchmarks"].values()} == {1} and set(row["benchmarks"]) == set(BENCHMARKS)
    assert next(one for one in report["rows"] if one["row"] == "no-operations")["mean"]["rapr"] == 0
    assert {run["part"] for run in report["runs"]} == {part.name for part in plan(LEAST) if isinstance(part, Grpo)}
    assert all(run["steps"] == [1, 2] for run in report["runs"])
    assert {run["variant"] for run in report["runs"] if run["row"] == "no-curiosity"} == {"correctness alone"}
    assert len(report["hypotheses"]) == 5 and report["sessions"] == 2
    assert (events[-1]["event"], events[-1]["rows"]) == ("report", report["rows"])
    markdown = (folder.root / "report.md").read_text(encoding="utf-8")
    assert table(report) in markdown
    for name in re.findall(r"\]\((\w+\.svg)\)", markdown):
        assert (folder.root / name).is_file()
    text = markdown + json.dumps(report)
    assert str(folder.root) not in text and str(folder.root.parent) not in text
    assert socket.gethostname() not in re.findall(r"[\w.-]+", text)


def test_nothing_that_was_trained_on_is_in_the_test(study):
    folder = study[0]

    def media(purpose: str) -> set[str]:
        lists = [folder.examples(f"{purpose}-{name}").read_text(encoding="utf-8") for name in BENCHMARKS]
        return {
            medium["sha256"] for text in lists for line in text.splitlines() for medium in json.loads(line)["media"]
        }

    assert len(media("test")) == 4 and len(media("trajectories")) == 12
    assert not media("test") & (media("trajectories") | media("practice"))
    assert not media("trajectories") & media("practice")


def test_without_correction_data_only_the_errors_are_missing(study):
    """The same examples, the same ones in text space; and no step is erroneous."""
    folder = study[0]
    full, without = (read_trajectories(folder.trajectories(name)) for name in ("sft", "sft-no-corrections"))
    assert [one.example for one in full] == [one.example for one in without]
    assert [one.kind == "text" for one in full] == [one.kind == "text" for one in without]
    assert {one.kind for one in without} == {"text", "single_pass"}
    assert any(step.is_erroneous for one in full for step in one.trace.steps)
    assert not any(step.is_erroneous for one in without for step in one.trace.steps)


def test_a_warm_start_says_and_selects_only_what_the_recipe_teaches(study):
    from engine.lab.recipe import world_thoughts
    from engine.lab.recipe.world_wording import drawing_named

    folder = study[0]
    taught = (
        "Here it is.",
        "It is large enough.",
        "It is too small to read",
        world_thoughts.AGAIN,
        world_thoughts.CLOSER,
    )
    selected = 0
    for one in read_trajectories(folder.trajectories("sft-no-corrections")):
        drawing = drawing_named(one.example.source.rpartition("/")[2])
        assert drawing is not None
        for step in one.trace.steps:
            assert step.thought.startswith(taught)
            if isinstance(step.operation, SelectFrames):
                selected += 1
                assert step.operation.frames == own_pose(drawing).frames
    assert selected


def test_another_study_is_refused_and_a_finished_one_only_reports(study, capsys):
    folder = study[0]
    assert call(folder.root, io.StringIO(), **{"rl-steps": 3}) == 2
    assert "rl_steps is 2 there and 3 here" in capsys.readouterr().err
    again = io.StringIO()
    assert call(folder.root, again) == 0
    assert [json.loads(line)["event"] for line in again.getvalue().splitlines()] == ["report"]


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--jobs", "0"), "--jobs takes a whole number from 1"),
        (("--model", "scripted"), "has no weights to train"),
        (("--model", "./nowhere"), "there is no such folder"),
        (("--rl-learning-rate", "2"), "rl_learning_rate takes a rate between 0 and 1"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_made(tmp_path, words, told, capsys):
    assert main(["experiment", "miniature", "--out", str(tmp_path / "s"), *words], {}, io.StringIO()) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_the_plan_is_told_without_doing_anything(tmp_path):
    out = io.StringIO()
    words = ["experiment", "miniature", "--out", str(tmp_path / "s"), "--plan"]
    assert main([*words, "--json"], {}, out) == 0
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["part"] for one in told] == [part.name for part in plan(Sizes())]
    assert all(one["expected_s"] > 0 for one in told)
    out = io.StringIO()
    assert main([*words, "--jobs", "2"], {}, out) == 0
    assert out.getvalue().splitlines()[-1].startswith("in all ")
    assert not (tmp_path / "s").exists()


# --- processes --------------------------------------------------------------------------------------------------------


def test_parts_run_in_processes_of_their_own_and_a_failure_is_told_by_its_name(tmp_path):
    from engine.lab.study.schedule import run_in_processes

    folder, settings, events = Folder(tmp_path / "s"), Settings.from_environment({"STUDIO_THREADS": "1"}), []
    draws = (Draw("mini-info", "practice", 2), Draw("mini-tally", "practice", 2))
    assert run_in_processes(folder, draws, LEAST, settings, 2, events.append, lambda: False)
    assert [one.kind for one in events[:2]] == ["started", "started"]
    assert {(one.part, one.kind) for one in events if one.kind == "done"} == {(part.name, "done") for part in draws}
    assert folder.result("practice-mini-info")["count"] == 2
    assert run_in_processes(folder, draws, LEAST, settings, 2, events.append, lambda: True)  # nothing is left to stop
    # A folder lies where its list is to be written: it fails in its own process, and who waits is told which one.
    broken = Draw("mini-vstar", "practice", 1)
    folder.examples(broken.name).mkdir()
    with pytest.raises(Unavailable, match="the part practice-mini-vstar failed: IsADirectoryError"):
        run_in_processes(folder, (broken,), LEAST, settings, 2, events.append, lambda: False)


def test_a_killed_process_is_told_and_its_part_can_be_done_again(tmp_path):
    from engine.lab.study.schedule import run_in_processes

    folder, settings = Folder(tmp_path / "s"), Settings.from_environment({})
    part, killed = Draw("mini-info", "practice", 40), []

    def kill_at_first_progress(event):
        if event.kind == "progress" and not killed:
            children = [
                int(one) for one in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
            ]
            for child in children:
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    killed.append(child)
                    os.kill(child, signal.SIGKILL)

    with pytest.raises(Unavailable, match="practice-mini-info was ended from outside"):
        run_in_processes(folder, (part,), LEAST, settings, 2, kill_at_first_progress, lambda: False)
    assert len(killed) == 1 and not folder.is_done(part.name)
    small = Draw("mini-info", "practice", 2)
    assert run_in_processes(folder, (small,), LEAST, settings, 2, lambda event: None, lambda: False)
