"""The direction of imports (DESIGN.md, section 3), read from the sources.

errors <- trace <- {operations, protocols, media, scoring} <- backbone <- policies <- reasoning <- {training, evaluation};
trace <- store; everything <- ui <- app.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path for top in ("engine", "ui") for path in (ROOT / top).rglob("*.py") if "__pycache__" not in path.parts
) + [ROOT / "app.py"]
MODULES = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in SOURCES}


def imports_of(path: Path) -> set[str]:
    """Dotted names of everything that a module imports, at top level or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


IMPORTS = {MODULES[path]: imports_of(path) for path in SOURCES}


def imports(module: str, package: str) -> bool:
    return any(name == package or name.startswith(package + ".") for name in IMPORTS[module])


def within(*rooms: str) -> list[str]:
    return [m for m in MODULES.values() if any(m == room or m.startswith(room + ".") for room in rooms)]


@pytest.mark.parametrize("module", within("engine"))
def test_the_engine_knows_no_screen(module):
    assert not imports(module, "gradio")
    assert not imports(module, "ui")
    assert not imports(module, "app")


@pytest.mark.parametrize(
    "module",
    within(
        "engine.errors",
        "engine.trace",
        "engine.settings",
        "engine.operations",
        "engine.media",
        "engine.protocols",
        "engine.evaluation.hits",
        "engine.evaluation.scoring",
        "engine.lab.world",
        "engine.store",
    ),
)
def test_values_and_store_need_no_torch(module):
    for package in ("torch", "transformers", "peft", "trl", "bitsandbytes"):
        assert not imports(module, package)


LAYERS = (
    ("engine.errors", ()),
    ("engine.trace", ("engine.errors",)),
    ("engine.operations", ("engine.errors", "engine.trace", "engine.media")),
    ("engine.media", ("engine.errors", "engine.trace", "engine.operations")),
    ("engine.protocols", ("engine.errors", "engine.trace", "engine.operations")),
    ("engine.evaluation.hits", ("engine.errors", "engine.trace")),
    ("engine.evaluation.scoring", ("engine.errors", "engine.trace")),
    ("engine.thresholds", ()),
    ("engine.faithfulness", ("engine.errors", "engine.trace")),
    ("engine.agreement", ("engine.errors", "engine.trace")),
    (
        "engine.store",
        (
            "engine.errors",
            "engine.trace",
            "engine.operations",
            "engine.media",
            "engine.faithfulness",
            "engine.thresholds",
        ),
    ),
    (
        "engine.backbone",
        ("engine.errors", "engine.trace", "engine.operations", "engine.media", "engine.protocols", "engine.embedded"),
    ),
    (
        "engine.policies",
        ("engine.errors", "engine.trace", "engine.operations", "engine.media", "engine.protocols", "engine.backbone"),
    ),
    (
        "engine.reasoning",
        ("engine.errors", "engine.trace", "engine.operations", "engine.media", "engine.protocols", "engine.policies"),
    ),
)


@pytest.mark.parametrize(("room", "allowed"), LAYERS, ids=[room for room, _ in LAYERS])
def test_imports_point_inwards(room, allowed):
    for module in within(room):
        own = {name for name in IMPORTS[module] if name.startswith("engine.")}
        strangers = {
            name
            for name in own
            if not any(name == a or name.startswith(a + ".") for a in (*allowed, room)) and name != "engine"
        }
        assert not strangers, f"{module} imports {sorted(strangers)}"


@pytest.mark.parametrize(
    "module", [m for m in MODULES.values() if not m.startswith(("engine.store", "engine.lab.bench.generated"))]
)
def test_only_the_store_speaks_sql(module):
    for package in ("sqlite3", "sqlite_utils"):
        assert not imports(module, package)


@pytest.mark.parametrize("module", [m for m in MODULES.values() if not m.startswith(("ui", "app"))])
def test_only_screens_import_the_screen_library(module):
    assert not imports(module, "gradio")


@pytest.mark.parametrize("module", MODULES.values())
def test_no_module_is_a_drawer_of_odds_and_ends(module):
    assert module.rpartition(".")[2] not in {"utils", "util", "helpers", "helper", "common", "misc"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_states_its_idea(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path.name} has no module docstring"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_exported_names_exist_and_are_sorted_out(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    exported = next(
        (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
        ),
        None,
    )
    if exported is None:
        return
    defined = {
        node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef))
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            defined.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign):
            defined.update(n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined.add(node.target.id)
    assert set(exported) <= defined, f"{sorted(set(exported) - defined)} is exported but not defined"
    assert len(set(exported)) == len(exported)


def test_help_needs_no_torch():
    """`python -m engine --help` must come at once; loading torch takes seconds."""
    code = (
        "import sys, runpy; sys.argv=['engine','--help']\n"
        "try: runpy.run_module('engine', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "sys.stderr.write('loaded' if 'torch' in sys.modules else 'absent')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stderr.endswith("absent")
