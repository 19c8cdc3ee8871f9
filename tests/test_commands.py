"""The commands as people run them: through a process, with the scripted policy and a home of their own."""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from engine.__main__ import main
from engine.commands.evaluate import Progress, table
from engine.evaluation.scoring import Breakdown, Summary
from engine.media import MediaFolder
from engine.store import Store
from engine.trace_json import trace_from_json

ROOT = Path(__file__).parent.parent
TRACE_KEYS = ["version", "id", "question", "answer", "stop_reason", "policy", "protocol", "media", "views", "steps"]
SUMMARY_KEYS = ["benchmark", "n", "accuracy", "stderr", "hit_rate", "rapr", "error_rate", "cpu_s_median", "parts"]
SUMMARY_KEYS += ["scored", "empty", "operation_errors", "tokens"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.new("RGB", (640, 480), "red").save(path)
    return path


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted", **more}


def run(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "engine", *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment(home, **more),
        timeout=300,
    )


def call(home: Path, *words: str, **more: str) -> tuple[int, str]:
    """The same within this process, which is faster: (exit status, what was printed)."""
    out = io.StringIO()
    return main(words, environment(home, **more), out), out.getvalue()


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_comes_at_once_and_loads_nothing_heavy(home):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run(home, "--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    assert done.stderr == ""
    for name in ("ask", "evaluate", "examples", "synthesize", "train", "verify"):
        assert f"\n    {name}" in done.stdout  # and its summary, beside it or, after a long name, below
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0
    assert not home.exists()


def test_without_a_command_help_is_printed(home):
    status, printed = call(home)
    assert status == 0
    assert "commands:" in printed


@pytest.mark.parametrize("name", ["ask", "evaluate", "examples", "synthesize", "train", "verify"])
def test_every_command_explains_itself(home, name, capsys):
    with pytest.raises(SystemExit) as ended:
        call(home, name, "--help")
    assert ended.value.code == 0
    assert f"python -m engine {name}" in capsys.readouterr().out


# --- ask ------------------------------------------------------------------------------------------------------------


def test_ask_prints_the_trace_that_it_recorded(home, picture):
    done = run(home, "ask", str(picture), "What is written on the red disc?", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    data = json.loads(line)
    assert list(data) == TRACE_KEYS
    trace, trace_id = trace_from_json(data)
    assert (trace.answer, trace.policy, trace.protocol) == ("scripted", "scripted", "studio")
    assert trace.view(2).box.as_list() == [0.25, 0.25, 0.75, 0.75]
    with Store(home / "annotations.db") as store:
        record = store.traces.get(trace_id)
        assert store.revisions.head(trace_id).trace == trace
        assert record.policy_settings == {"delay_s": 0.0, "is_default_script": True}
        (medium,) = store.media.list()
    assert (medium.media, medium.name) == (trace.media[0], "picture.png")
    assert medium.byte_size == picture.stat().st_size


def test_ask_tells_people_what_happens(home, picture):
    status, printed = call(home, "ask", str(picture), "What?")
    assert status == 0
    assert printed.splitlines()[:4] == [
        "I look at the middle of the picture.",
        "  zoom in on view 1 at [0.25, 0.25, 0.75, 0.75] -> view 2",
        "I am a script and cannot see.",
        "Answer: scripted",
    ]


def test_ask_speaks_the_protocol_that_is_named(home, picture):
    data = json.loads(call(home, "ask", str(picture), "What?", "--json", "--protocol", "pixel-reasoner")[1])
    assert data["protocol"] == "pixel-reasoner"
    assert data["views"][1]["box"] == pytest.approx([0.15, 0.15, 0.85, 0.85])


@pytest.mark.parametrize(("protocol", "sampling"), [("pixel-reasoner", "index"), ("studio", "time")])
def test_the_protocol_decides_which_frames_of_a_clip_are_asked_about(home, tmp_path, protocol, sampling):
    frames = [Image.new("RGB", (16, 8), (10 * k, 0, 0)) for k in range(21)]
    clip = tmp_path / "moving.gif"
    frames[0].save(clip, save_all=True, append_images=frames[1:], duration=[50] * 19 + [59_050, 100])
    data = json.loads(call(home, "ask", str(clip), "What?", "--json", "--protocol", protocol)[1])
    assert MediaFolder(home / "artifacts" / "media").sampling_of(data["media"][0]["sha256"]) == sampling


def test_ask_without_operations(home, picture):
    data = json.loads(call(home, "ask", str(picture), "What?", "--json", "--no-operations")[1])
    assert len(data["views"]) == 1
    assert "not allowed" in data["steps"][0]["observation"]["error"]
    assert "execution error: operations" in call(home, "ask", str(picture), "What?", "--no-operations")[1]


def test_ask_obeys_the_limits_of_the_settings(home, picture):
    status, printed = call(home, "ask", str(picture), "What?", "--json", STUDIO_MAX_STEPS="1")
    assert (status, json.loads(printed)["stop_reason"]) == (0, "max_steps")
    assert "No answer: max_steps" in call(home, "ask", str(picture), "What?", STUDIO_MAX_STEPS="1")[1]


def test_ask_a_model_in_a_folder(home, picture, random_model):
    """The quantised load of a real architecture, with all that its libraries have to say kept off standard output."""
    folder = str(random_model("qwen3_vl"))
    words = [
        "ask",
        str(picture),
        "What is written?",
        "--json",
        "--policy",
        folder,
        "--protocol",
        "studio",
        "--seed",
        "3",
    ]
    done = run(home, *words, STUDIO_MAX_TOKENS="8", STUDIO_DEVICE="cpu", STUDIO_THREADS="1")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    trace, trace_id = trace_from_json(json.loads(line))
    assert trace.policy == Path(folder).name
    assert trace.stop_reason in ("answered", "max_tokens")
    with Store(home / "annotations.db") as store:
        settings = store.traces.get(trace_id).policy_settings
    assert settings["quantization"] == "4bit"
    assert settings["pixel_budgets"]["crop"]["max_pixels"] > 0


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (["ask", "nothing.png", "What?"], {}, "nothing.png"),
        (["ask", "{picture}", "  "], {}, "the question is empty"),
        (["ask", "{picture}", "What?", "--protocol", "qwen9"], {}, "studio, pixel-reasoner"),
        (["ask", "{picture}", "What?", "--policy", "/no/such/folder"], {}, "/no/such/folder"),
        (["ask", "{picture}", "What?", "--policy", ""], {}, "--policy is empty"),
        (["ask", "{picture}", "What?"], {"STUDIO_MAX_STEPS": "0"}, "STUDIO_MAX_STEPS='0'"),
        (["evaluate", "maxi-signs"], {}, "mini-signs"),
        (["evaluate", "mini-signs", "--limit", "0"], {}, "--limit"),
        (["evaluate", "{picture}"], {}, "UTF-8"),
        (["examples", "maxi-signs", "--out", "{picture}"], {}, "mini-signs"),
        (["examples", "mini-signs", "--out", "{picture}"], {}, "cannot be written"),
        (["examples", "mini-signs", "--out", "out", "--count", "0"], {}, "1 to 90,000"),
        (["examples", "mini-signs", "--out", "out", "--split", "train"], {}, "no split 'train'"),
        (["evaluate", "vstar"], {}, "cannot be read from the Hugging Face Hub"),
        (["evaluate", "hr-bench-4k", "--limit", "1"], {}, "check the network"),
        (["verify"], {}, "no store"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_sentence_and_status_2(home, picture, words, variables, said, capsys):
    status, printed = call(home, *(word.replace("{picture}", str(picture)) for word in words), **variables)
    error = capsys.readouterr().err
    assert (status, printed) == (2, "")
    assert error.startswith("error: ")
    assert said in error
    assert error.count("\n") == 1
    assert not (home / "annotations.db").exists()


@pytest.mark.parametrize(
    "words", [["ask"], ["dance"], ["evaluate", "mini-signs", "--limit", "many"], ["examples", "x"]]
)
def test_bad_usage_is_status_2(home, words, capsys):
    with pytest.raises(SystemExit) as ended:
        call(home, *words)
    assert ended.value.code == 2
    assert "usage: python -m engine" in capsys.readouterr().err


def test_an_error_leaves_standard_output_empty(home):
    done = run(home, "ask", "nothing.png", "What?", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_nobody_else_reaches_standard_output():
    code = (
        "import os, sys; from engine.__main__ import _own_standard_output\n"
        "print('before'); own = _own_standard_output(); print('a library'); os.system('echo a C library')\n"
        "sys.stdout.flush(); own.write('ours\\n'); own.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "before\nours\n"
    assert sorted(done.stderr.split("\n")) == ["", "a C library", "a library"]


def test_ctrl_c_keeps_what_was_done(home, picture):
    """A slow script, so that there is time to interrupt: the trace is recorded as cancelled."""
    code = (
        "import dataclasses, sys, os; from engine.__main__ import main; from engine.policies import scripted\n"
        "slow = scripted.ScriptedPolicy(('one two three ' * 100,), delay_s=0.05)\n"
        "scripted.ScriptedPolicy = lambda **_: slow\n"
        f"sys.exit(main(['ask', {str(picture)!r}, 'What?'], os.environ, sys.stdout))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | environment(home),
    )
    assert process.stdout is not None
    assert process.stdout.read(3) == "one"
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(timeout=60) == 130
    assert "No answer: cancelled" in rest
    with Store(home / "annotations.db") as store:
        (item,) = (listed.item for listed in store.queue.page().items)
    assert item.stop_reason == "cancelled"


# --- examples and evaluate ------------------------------------------------------------------------------------------


def test_examples_and_evaluate_tell_the_same_story(home, tmp_path):
    folder = tmp_path / "signs"
    assert call(home, "examples", "mini-signs", "--count", "2", "--out", str(folder))[0] == 0
    own = run(home, "evaluate", str(folder / "EXAMPLES.jsonl"), "--json")
    bundled = call(home, "evaluate", "mini-signs", "--limit", "2", "--json")[1]
    assert own.returncode == 0
    lines = [json.loads(line) for line in own.stdout.splitlines()]
    *traces, summary = lines
    assert [list(trace) for trace in traces] == [TRACE_KEYS] * 2
    assert all(trace_from_json(trace)[0].answer == "scripted" for trace in traces)
    assert list(summary) == SUMMARY_KEYS
    assert (summary["n"], summary["accuracy"], summary["stderr"], summary["rapr"]) == (2, 0.0, None, 1.0)
    assert summary["benchmark"] == str(folder / "EXAMPLES.jsonl")
    assert [json.loads(line) for line in bundled.splitlines()[:2]] == traces
    assert json.loads(bundled.splitlines()[-1])["hit_rate"] == summary["hit_rate"]
    assert not (home / "annotations.db").exists()


def test_a_miniature_is_the_same_as_files_and_its_parts_are_told(home, tmp_path):
    folder = tmp_path / "tally"
    assert call(home, "examples", "mini-tally", "--count", "2", "--split", "test", "--out", str(folder))[0] == 0
    own = json.loads(call(home, "evaluate", str(folder / "EXAMPLES.jsonl"), "--json")[1].splitlines()[-1])
    bundled = json.loads(call(home, "evaluate", "mini-tally", "--limit", "2", "--json")[1].splitlines()[-1])
    assert own["parts"] == bundled["parts"]
    assert {part["by"] for part in own["parts"]} == {"category", "difficulty"}
    assert sum(part["n"] for part in own["parts"] if part["by"] == "difficulty") == 2


def test_evaluate_for_people(home, tmp_path, picture, capsys):
    path = tmp_path / "EXAMPLES.jsonl"
    right = {"question": "What?", "media": picture.name, "answer": "Scripted."}
    wrong, unscored = right | {"answer": "no", "evidence": {"boxes": [[0.4, 0.4, 0.6, 0.6]]}}, right | {"answer": None}
    path.write_text("\n".join(json.dumps(record) for record in (right, wrong, unscored)))
    status, printed = call(home, "evaluate", str(path))
    assert status == 0
    rows = dict(line.split("  ", 1) for line in printed.splitlines())
    values = {label: value.strip() for label, value in rows.items()}
    assert values["examples"] == "3"
    assert values["right"] == "50.0% (standard error 35.4 points)"
    assert values["evidence looked at"] == "100.0%"
    assert values["used an operation"] == "100.0% (RaPR)"
    assert "3/3  50.0% right  0:00 left" in capsys.readouterr().err


def test_evaluate_stops_at_the_first_line_that_is_wrong(home, tmp_path, picture, capsys):
    path = tmp_path / "EXAMPLES.jsonl"
    path.write_text(json.dumps({"question": "What?", "media": picture.name, "answer": "x"}) + "\n{}\n")
    assert call(home, "evaluate", str(path), "--json") == (2, "")
    assert "EXAMPLES.jsonl, line 2: the field 'question' is missing" in capsys.readouterr().err


def test_a_table_has_a_dash_where_nothing_was_counted():
    printed = table(Summary("mine", 1, None, None, None, 0.0, 0.0, 0.25), {})
    assert "right                   -\n" in printed
    assert "0.25 s (median)" in printed


def test_a_table_reports_categories_and_difficulties_apart():
    part = Breakdown("category", "direct_attributes", 115, 0.845, 0.034, None, 0.785)
    printed = table(
        Summary(
            "vstar",
            1,
            0.8,
            0.1,
            None,
            0.7,
            0.0,
            0.25,
            (part, Breakdown("difficulty", "hard", 3, None, None, None, 0.0)),
        ),
        {},
    )
    assert "\ndirect attributes       84.5% ± 3.4 right of 115, 78.5% RaPR\n" in printed
    assert printed.endswith("\nhard                    - right of 3, 0.0% RaPR")


def test_progress_of_unknown_length_says_how_far_it_is():
    stream = io.StringIO()
    Progress(None, stream, quiet_s=0).show(3, 0.5)
    assert stream.getvalue() == "3  50.0% right\n"


def test_progress_says_how_long_it_will_take():
    stream = io.StringIO()
    progress = Progress(10, stream, quiet_s=0)
    progress._started_s -= 30  # as if the first three had taken half a minute
    progress.show(3, 0.5)
    progress.end()
    assert stream.getvalue() == "3/10  50.0% right  1:10 left\n"


# --- verify ---------------------------------------------------------------------------------------------------------


def test_verify_finds_a_file_that_was_changed(home, picture):
    call(home, "ask", str(picture), "What?")
    assert call(home, "verify") == (0, "1 traces, 1 revisions, 1 media, 2 views: all sound\n")
    (stored,) = (home / "artifacts" / "media").glob("*/*.png")
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes() + b"\0")
    status, printed = call(home, "verify")
    assert status == 1
    assert "has changed" in printed
    assert "all sound" not in printed


# --- train ----------------------------------------------------------------------------------------------------------


def test_train_makes_an_adapter_of_what_was_accepted(home, tmp_path, picture, random_model):
    trace_id = json.loads(call(home, "ask", str(picture), "What?", "--json")[1])["id"]
    with Store(home / "annotations.db") as store:
        store.reviews.record(store.revisions.head(trace_id).id, "somebody", "accepted")
    config = tmp_path / "sft.json"
    config.write_text(json.dumps({"name": "first", "sft": {"steps": 1, "batch_size": 1}, "evaluation": None}))
    folder = str(random_model("qwen3_vl"))
    more = {"STUDIO_MODEL": folder, "STUDIO_DEVICE": "cpu", "STUDIO_PROTOCOL": "studio", "STUDIO_THREADS": "1"}
    status, printed = call(home, "train", "sft", "--config", str(config), **more)
    assert status == 0, printed
    assert "step 1: loss " in printed
    assert "adapter 'first'" in printed
    with Store(home / "annotations.db") as store:
        (job,) = store.jobs.list()
        (adapter,) = store.adapters.list()
    assert (job.state, adapter.job_id, adapter.name) == ("done", job.id, "first")
    assert (home / "artifacts" / adapter.path / "adapter_model.safetensors").is_file()


def test_train_grpo_rolls_out_the_questions_of_a_file(home, tmp_path, picture, random_model, capsys):
    examples = tmp_path / "EXAMPLES.jsonl"
    lines = [
        {"question": "How many?", "media": picture.name, "answer": answer, "rule": "number"} for answer in ("3", None)
    ]
    examples.write_text("\n".join(map(json.dumps, lines)))
    config = tmp_path / "grpo.json"
    small = {"steps": 1, "queries_a_step": 1, "rollouts": 2, "micro_batch_size": 2, "max_turns": 2, "max_tokens": 6}
    config.write_text(json.dumps({"name": "curious", "grpo": small, "evaluation": None}))
    more = {
        "STUDIO_MODEL": str(random_model("qwen3_vl")),
        "STUDIO_DEVICE": "cpu",
        "STUDIO_PROTOCOL": "studio",
        "STUDIO_THREADS": "1",
    }
    status, printed = call(home, "train", "grpo", "--examples", str(examples), "--config", str(config), **more)
    assert status == 0, printed
    assert "step 1: reward 0.000, RaPR 0.00, operation errors " in printed
    with Store(home / "annotations.db") as store:
        (job,) = store.jobs.list()
        (adapter,) = store.adapters.list()
    assert (job.kind, job.state, adapter.name) == ("grpo", "done", "curious")
    assert job.config["examples"]["count"] == 1  # the other has no answer
    assert call(home, "train", "sft", "--examples", str(examples), **more) == (2, "")
    assert "--examples goes with grpo" in capsys.readouterr().err


def test_train_on_synthesis_needs_some(home, picture, capsys):
    call(home, "ask", str(picture), "What?")
    assert call(home, "train", "sft", "--traces", "synthesis", STUDIO_MODEL="tiny") == (2, "")
    assert "synthesize EXAMPLES --record" in capsys.readouterr().err


def test_train_needs_weights_a_store_and_accepted_traces(home, picture, capsys):
    assert call(home, "train", "sft") == (2, "")
    assert "no weights" in capsys.readouterr().err
    assert call(home, "train", "sft", STUDIO_MODEL="tiny") == (2, "")
    assert "no store" in capsys.readouterr().err
    call(home, "ask", str(picture), "What?")
    assert call(home, "train", "sft", STUDIO_MODEL="tiny") == (2, "")
    assert "accept some traces" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "a JSON object"),
        ('{"steps": 3}', "no setting 'steps'; there are: name, sft, dpo, grpo, evaluation"),
        ('{"sft": 3}', "sft: an object is expected, not 3"),
        ('{"name": null}', "name: a text is expected"),
        ('{"evaluation": {"name": "mini-signs", "split": 1}}', "no 'split'"),
        ('{"evaluation": {"count": "many"}}', "evaluation.count"),
    ],
)
def test_a_configuration_that_cannot_be_used(home, tmp_path, capsys, text, said):
    config = tmp_path / "sft.json"
    config.write_text(text)
    assert call(home, "train", "sft", "--config", str(config), STUDIO_MODEL="tiny") == (2, "")
    assert said in capsys.readouterr().err


def test_a_configuration_that_is_not_there(home, capsys):
    assert call(home, "train", "sft", "--config", "nothing.json", STUDIO_MODEL="tiny") == (2, "")
    assert "nothing.json cannot be read" in capsys.readouterr().err
