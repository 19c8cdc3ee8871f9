"""What the documents say is true: generated parts are current, commands and paths exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from engine.lab.study.report import markdown, pictures, report_of, table, write_report
from tests import docs
from tests.lab.study.samples import PARTS, finished_study

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def read(name: str) -> str:
    return (docs.ROOT / name).read_text(encoding="utf-8")


def test_generated_parts_of_the_readme_are_current():
    assert docs.rendered(read("README.md")) == read("README.md"), "run: python -m tests.docs"


def test_the_studys_part_is_its_report_and_nothing_without_one(tmp_path):
    assert docs.study(tmp_path) == ""
    report = report_of(finished_study(tmp_path / "study"), PARTS, "tiny")
    write_report(tmp_path, report)
    assert table(report) in docs.study(tmp_path)
    assert docs.study(tmp_path).count("Held: ") == len(report["hypotheses"])
    report["rows"][-1]["benchmarks"]["mini-mv"]["accuracy"] = 0.123
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    assert "12.3 ±" in docs.study(tmp_path)


def test_the_studys_documents_are_those_of_its_figures():
    """Where a study was run and kept: nobody has written a figure by hand."""
    if not (docs.STUDY / "report.json").is_file():
        assert not docs.STUDY.exists(), "docs/experiment without report.json"
        return
    report = json.loads((docs.STUDY / "report.json").read_text(encoding="utf-8"))
    assert (docs.STUDY / "report.md").read_text(encoding="utf-8") == markdown(report)
    assert "has not been run at full size" not in read("README.md")
    for name, svg in pictures(report).items():
        assert (docs.STUDY / f"{name}.svg").read_text(encoding="utf-8") == svg


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_that_documents_name_exist(name):
    named = set(re.findall(r"`((?:engine|ui|tests|docs|\.ci)/[\w./-]*\w/?)`", read(name)))
    missing = {path for path in named if not (docs.ROOT / path).exists()}
    assert not missing
    pictures = set(re.findall(r"!\[[^\]]*\]\(([^)]+)\)", read(name)))
    assert all((docs.ROOT / path).is_file() for path in pictures)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_that_documents_name_exist(name):
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.M))
    assert set(re.findall(r"`make ([a-z]+)`", read(name))) <= targets


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed: apt-get install git")
def test_nothing_that_is_tracked_names_a_place_of_one_machine():
    places = "|".join(("work", "farm", "root", "home")) + "|tmp"
    done = subprocess.run(
        ["git", "grep", "-nIE", rf"(^|[^A-Za-z0-9._/])/({places})/[A-Za-z0-9._-]+", "--", ".", ":!*.svg"],
        capture_output=True,
        text=True,
        cwd=docs.ROOT,
    )
    if done.returncode > 1:
        pytest.skip(f"not a git checkout: {done.stderr.strip()}")
    assert done.stdout == ""


def test_the_licence_of_everything_shipped_is_told():
    assets = docs.ROOT / "engine" / "lab" / "world" / "assets"
    texts = " ".join(path.read_text(encoding="utf-8") for path in assets.rglob("*") if path.suffix in {".md", ".txt"})
    for path in assets.rglob("*"):
        if path.suffix in {".ttf", ".otf", ".woff2", ".jpg", ".png"}:
            assert path.name in texts or path.stem in texts or path.parent.name in texts, path
