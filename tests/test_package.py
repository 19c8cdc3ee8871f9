"""What `pip install .` puts into an environment, and what it says of itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from engine import __version__

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed: apt-get install git")
def test_everything_tracked_below_engine_and_ui_is_installed_and_nothing_else(monkeypatch):
    setuptools = pytest.importorskip("setuptools")
    listed = subprocess.run(["git", "ls-files", "app.py", "engine", "ui"], capture_output=True, text=True, cwd=ROOT)
    if listed.returncode:
        pytest.skip(f"not a git checkout: {listed.stderr.strip()}")
    monkeypatch.chdir(ROOT)
    distribution = setuptools.Distribution({"script_name": "setup.py"})
    distribution.parse_config_files(["pyproject.toml"])
    build = distribution.get_command_obj("build_py")
    build.ensure_finalized()
    installed = {os.path.relpath(path) for _, _, path in build.find_all_modules()}
    installed |= {os.path.join(folder, name) for _, folder, _, names in build.data_files for name in names}
    # What Gradio writes beside a component, and what was never committed, is in no clone.
    assert {path for path in listed.stdout.splitlines() if (ROOT / path).exists()} == {
        path for path in installed if not path.endswith((".pyc", ".pyi"))
    }
    assert distribution.metadata.version == __version__
    needed = [
        line
        for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if line.strip() and line[0] != "#"
    ]
    assert len(distribution.install_requires) == len(needed)


def test_the_version_is_told_from_another_folder(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "engine", "--version"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Pixel Reasoner Studio {__version__}\n", "")


def test_the_changelog_begins_with_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, flags=re.M)
    assert re.fullmatch(rf"{re.escape(__version__)} - \d{{4}}-\d\d-\d\d", headings[0])
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", heading) for heading in headings)
    kinds = set(re.findall(r"^### (.+)$", text, flags=re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_citation_names_the_paper_and_this_software():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["title"], citation["license"]) == ("Pixel Reasoner Studio", "Apache-2.0")
    assert citation["references"][0]["url"].endswith("2505.15966")
