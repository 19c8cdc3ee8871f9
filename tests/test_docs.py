"""What the documents say is true: generated parts are current, commands and paths exist."""

from __future__ import annotations

import ast
import io
import json
import re
import shutil
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.lab.study.report import charts, markdown, report_of, write_report
from tests import docs
from tests.lab.study.samples import PARTS, finished_study

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "NOTICE",
    "engine/embedded/weights/README.md",
    *sorted(str(path.relative_to(docs.ROOT)) for path in (docs.ROOT / "docs").rglob("*.md")),
)
SOURCES = sorted(
    path
    for top in ("app.py", "engine", "ui", "tests", "Makefile", "spaces.yaml")
    for path in ([docs.ROOT / top] if (docs.ROOT / top).is_file() else (docs.ROOT / top).rglob("*"))
    if path.suffix in {"", ".py", ".js", ".css", ".html", ".toml", ".yaml"} and path.is_file()
)


def read(name: str) -> str:
    return (docs.ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", docs.DOCUMENTS)
def test_generated_parts_are_current(document):
    assert docs.rendered(document, read(document)) == read(document), "run: python -m tests.docs"


def test_the_studys_sentence_is_its_report_and_nothing_without_one(tmp_path):
    assert docs.study(tmp_path) == ""
    report = report_of(finished_study(tmp_path / "study"), PARTS, "tiny")
    write_report(tmp_path, report)
    count = len(report["hypotheses"])
    assert f"{count} of {count} things" in docs.study(tmp_path)
    report["rows"][-1]["mean"]["accuracy"] = 0.1234
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    assert "brought 12.3%" in docs.study(tmp_path)


def test_the_studys_documents_are_those_of_its_figures():
    """Nobody has written a figure by hand."""
    report = json.loads((docs.STUDY / "report.json").read_text(encoding="utf-8"))
    assert (docs.STUDY / "report.md").read_text(encoding="utf-8") == markdown(report)
    for name, svg in charts(report).items():
        assert (docs.STUDY / f"{name}.svg").read_text(encoding="utf-8") == svg


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_that_documents_name_exist(name):
    text, beside = read(name), (docs.ROOT / name).parent
    named = set(re.findall(r"`((?:engine|ui|tests|docs|\.ci)/[\w./-]*\w/?)`", text))
    assert not {path for path in named if "NAME" not in path and not (docs.ROOT / path).exists()}
    linked = set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text))
    assert not {path for path in linked if not (beside / path).exists()}


def spoken(path: Path) -> Iterator[str]:
    """What a source says to its readers: comments and docstrings of Python, all of anything else."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield text
        return
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    yield from (token.string for token in tokens if token.type == tokenize.COMMENT)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def test_documents_that_sources_name_exist():
    """By their path from the root; only what a command writes is named as it writes it."""
    written = {"report.md", "tour.md"}
    missing = {
        f"{path.relative_to(docs.ROOT)}: {name}"
        for path in SOURCES
        for text in spoken(path)
        for name in re.findall(r"[\w./-]*\w\.md\b", text)
        if not (docs.ROOT / name).is_file() and name.rpartition("/")[2] not in written
    }
    assert not missing


@pytest.mark.parametrize("name", DOCUMENTS)
def test_make_targets_that_documents_name_exist(name):
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.M))
    assert set(re.findall(r"`make ([a-z]+)`", read(name))) <= targets


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed: apt-get install git")
def test_nothing_that_is_tracked_names_a_place_of_one_machine():
    places, design = "|".join(("work", "farm", "root", "home", "tmp")), "shared" + "/design"
    done = subprocess.run(
        ["git", "grep", "-nIE", rf"(^|[^A-Za-z0-9._/])/({places})/[A-Za-z0-9._-]+|{design}", "--", ".", ":!*.svg"],
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
