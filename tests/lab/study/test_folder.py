"""A study on disk: whole files, no mixing, and numbers that survive a kill."""

from __future__ import annotations

import pytest

from engine.errors import IntegrityError, InvalidInput, Unavailable
from engine.lab.study.folder import Folder
from engine.lab.study.plan import Sizes
from engine.settings import Settings


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path / "study")


def test_a_study_is_gone_on_with_and_another_one_is_refused_by_what_differs(folder):
    from engine.lab.study.identity import identity_of

    settings = Settings.from_environment({})
    folder.claim(identity_of(Sizes(), settings))
    folder.claim(identity_of(Sizes(), settings))
    with pytest.raises(InvalidInput, match=f"sizes rl_steps is {Sizes().rl_steps} there and 7 here"):
        folder.claim(identity_of(Sizes(rl_steps=7), settings))
    other = identity_of(Sizes(), settings)
    other["base"] = other["base"] | {"hash": "f" * 64}
    with pytest.raises(InvalidInput, match="base hash is"):
        folder.claim(other)
    other = identity_of(Sizes(), settings)
    other["versions"] = other["versions"] | {"torch": "1.0"}
    with pytest.raises(InvalidInput, match="versions torch"):
        folder.claim(other)


def test_a_folder_with_something_else_in_it_is_left_alone(folder):
    folder.root.mkdir()
    (folder.root / "thesis.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="neither empty nor a study"):
        folder.claim({"version": 1})
    assert [path.name for path in folder.root.iterdir()] == ["thesis.txt"]


def test_a_study_is_run_by_one_process_at_a_time(folder):
    folder.claim({"version": 1})
    other = Folder(folder.root)
    with folder.alone(), pytest.raises(Unavailable, match="another process is running the study"):
        other.alone().__enter__()
    with other.alone():
        pass


def test_weights_have_one_name_wherever_they_lie(tmp_path):
    from engine.lab.study.identity import model_hash

    for name, weights in (("a", b"same"), ("b", b"same"), ("c", b"other")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(weights)
    (tmp_path / "b" / "README.md").write_text("a card changes nothing")
    one, two, three = (model_hash(str(tmp_path / name)) for name in "abc")
    assert one == two != three


def test_a_result_is_there_whole_or_not_at_all(folder, monkeypatch):
    assert not folder.is_done("sft")
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        folder.finish("sft", {"seconds": 1.0})
    assert not folder.is_done("sft")
    monkeypatch.undo()
    folder.finish("sft", {"seconds": 1.0})
    assert folder.is_done("sft") and folder.result("sft") == {"seconds": 1.0}


def test_a_damaged_result_says_which_file_it_is(folder):
    folder.finish("sft", {})
    (folder.root / "parts" / "sft.json").write_text("{")
    with pytest.raises(IntegrityError, match=r"sft\.json"):
        folder.result("sft")


def test_steps_that_ran_again_count_once_and_a_line_cut_off_not_at_all(folder):
    for step, rapr in ((1, 0.1), (2, 0.2), (3, 0.3), (2, 0.25)):
        folder.add_metric("grpo", step, {"rapr": rapr})
    with (folder.root / "parts" / "grpo.metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "ra')
    assert [(one["step"], one["rapr"]) for one in folder.metrics("grpo")] == [(1, 0.1), (2, 0.25), (3, 0.3)]
    assert folder.metrics("other") == []


def test_an_adapter_that_could_not_be_saved_is_not_there(folder):
    def fails(path):
        path.mkdir(parents=True)
        (path / "half").write_text("")
        raise Unavailable("the disk is full")

    with pytest.raises(Unavailable):
        folder.save_adapter("sft", fails)
    assert not folder.adapter("sft").exists()
    folder.save_adapter("sft", lambda path: path.mkdir(parents=True))
    assert folder.adapter("sft").is_dir() and len(list(folder.adapter("sft").parent.iterdir())) == 1
