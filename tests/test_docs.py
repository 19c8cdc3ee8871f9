"""What the documents say is true: generated parts are current, commands and paths exist."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tests import docs

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def read(name: str) -> str:
    return (docs.ROOT / name).read_text(encoding="utf-8")


def test_generated_parts_of_the_readme_are_current():
    assert docs.rendered(read("README.md")) == read("README.md"), "run: python -m tests.docs"


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
    assets = docs.ROOT / "engine" / "tiny" / "assets"
    texts = " ".join(path.read_text(encoding="utf-8") for path in assets.rglob("*") if path.suffix in {".md", ".txt"})
    for path in assets.rglob("*"):
        if path.suffix in {".ttf", ".otf", ".woff2", ".jpg", ".png"}:
            assert path.name in texts or path.stem in texts or path.parent.name in texts, path
