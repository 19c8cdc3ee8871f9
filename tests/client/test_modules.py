"""The JavaScript of the screens: what its modules import, and their own tests, run by node."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "ui").rglob("*.js"))
_IMPORT = re.compile(r"^(?:import|export)\s+(?:\{([^}]*)\}|\*(?:\s+as\s+\w+)?)\s+from\s+'([^']+)';", re.M)
_EXPORT = re.compile(r"^export (?:async )?(?:function\*?|const|let|class) (\w+)", re.M)


def imports_of(path: Path, text: str) -> list[tuple[Path, list[str]]]:
    """What a module imports: the file, and the names as they stand there."""
    found = []
    for names, where in _IMPORT.findall(text):
        wanted = [name.split(" as ")[0].strip() for name in names.split(",") if name.strip()]
        found.append(((path.parent / where).resolve(), wanted))
    return found


def circle_among(edges: dict[Path, list[Path]]) -> list[Path]:
    """The modules of one circle of imports, in order; [] where there is none."""
    done: set[Path] = set()

    def walk(path: Path, trail: list[Path]) -> list[Path]:
        if path in trail:
            return trail[trail.index(path) :]
        if path in done:
            return []
        for target in edges.get(path, ()):
            if found := walk(target, [*trail, path]):
                return found
        done.add(path)
        return []

    return next((found for path in edges if (found := walk(path, []))), [])


def test_modules_import_in_no_circle():
    edges = {path: [target for target, _ in imports_of(path, path.read_text(encoding="utf-8"))] for path in MODULES}
    assert any(edges.values())
    assert [path.name for path in circle_among(edges)] == []


def test_a_circle_would_be_found():
    a, b, c = (Path(name) for name in "abc")
    assert circle_among({a: [b], b: [c], c: [b]}) == [b, c]
    assert circle_among({a: [b, c], b: [c], c: []}) == []


def test_every_import_names_a_module_and_something_that_it_exports():
    """A browser finds a wrong name only when the page is opened, and then shows nothing at all."""
    exported = {path: set(_EXPORT.findall(path.read_text(encoding="utf-8"))) for path in MODULES}
    missing = [
        f"{path.name} imports {name} from {target.name}"
        for path in MODULES
        for target, names in imports_of(path, path.read_text(encoding="utf-8"))
        for name in names
        if name not in exported.get(target, ())
    ]
    assert missing == []


def test_no_line_is_longer_than_120():
    long = [
        f"{path.name}:{number}"
        for path in [*MODULES, *(ROOT / "ui").rglob("*.css"), *Path(__file__).parent.glob("*.js")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []


def test_the_modules_tests_pass():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs")
    tests = sorted(str(path) for path in Path(__file__).parent.glob("*.test.js"))
    done = subprocess.run([node, "--test", *tests], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
