"""The house as it was drawn: storeys, direction of imports, who may import what; all read from the sources."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from tests.storeys import LAB_DOORS, PURE, STOREYS, room_of

ROOT = Path(__file__).parent.parent
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for top in ("engine", "ui", "app.py")
    for path in sorted([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))
    if "__pycache__" not in path.parts
}
STOREY_OF = {room: number for number, storey in enumerate(STOREYS) for room in storey.rooms}
HEAVY = ("torch", "transformers", "peft", "trl", "bitsandbytes")
SLOW_TO_COLLECT = (*HEAVY, "accelerate", "datasets", "fastapi", "gradio", "playwright", "safetensors", "uvicorn")


@cache
def trees() -> dict[str, ast.Module]:
    return {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in SOURCES.items()}


def imported(tree: ast.AST) -> set[str]:
    """Dotted names of everything that a module imports, at top level or inside functions."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@cache
def all_imported() -> dict[str, set[str]]:
    return {module: imported(tree) for module, tree in trees().items()}


def at_once(nodes: Iterable[ast.AST]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run as soon as the module is imported: none within functions, none for types alone."""
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            yield from at_once(node.orelse)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from at_once(ast.iter_child_nodes(node))


def arrows() -> dict[str, set[str]]:
    """Each module of ours, and those of ours that it imports."""
    return {
        module: {name for name in names if name in SOURCES and name != module}
        for module, names in all_imported().items()
    }


def is_in(module: str, *places: str) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


def importers(*packages: str) -> set[str]:
    return {module for module, names in all_imported().items() if any(is_in(name, *packages) for name in names)}


def circles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Every strongly connected group of more than one, by Tarjan's algorithm: names in each group tie themselves in a
    circle."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in arrows.get(name, ()):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            at = stack.index(name)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                found.append(sorted(group))

    for name in arrows:
        if name not in order:
            visit(name)
    return found


def test_circles_are_found():
    assert circles({"a": "b", "b": "c", "c": "ab", "d": "a"}) == [["a", "b", "c"]]
    assert circles({"a": "bc", "b": "c", "c": ""}) == []


def test_every_room_stands_on_a_storey_and_every_storey_has_its_rooms():
    rooms = {room_of(module) for module in SOURCES} - {"engine", "engine.lab"}
    assert rooms == set(STOREY_OF)


def test_rooms_import_only_from_below():
    wrong = sorted(
        f"{module} imports {name}"
        for module, names in arrows().items()
        for name in names
        if STOREY_OF.get(room_of(name), -1) >= STOREY_OF.get(room_of(module), -1)
        and room_of(name) != room_of(module)
        and not (is_in(name, "engine.lab") and is_in(module, *LAB_DOORS))
    )
    assert not wrong


def test_the_product_knows_of_the_lab_in_few_places():
    knowing = {module for module in importers("engine.lab") if not is_in(module, "engine.lab", *LAB_DOORS)}
    assert not knowing


def test_no_files_go_in_a_circle():
    assert circles(arrows()) == []


def test_no_scripts_go_in_a_circle():
    scripts = {path.resolve(): path.read_text(encoding="utf-8") for path in (ROOT / "ui").rglob("*.js")}
    needs = {
        str(path): [
            str((path.parent / name).resolve()) for name in re.findall(r"""\bfrom\s+["'](\.[^"']+)["']""", text)
        ]
        for path, text in scripts.items()
    }
    assert any(needs.values())
    assert circles(needs) == []


def test_only_screens_import_the_screen_library():
    assert not {module for module in importers("gradio") if not is_in(module, "ui", "app")}


def test_only_the_store_speaks_sql():
    assert not {
        module
        for module in importers("sqlite3", "sqlite_utils")
        if not is_in(module, "engine.store", "engine.lab.bench")
    }


def test_values_and_store_need_no_torch():
    assert not {module for module in importers(*HEAVY) if is_in(module, *PURE)}


def test_no_module_is_a_drawer_of_odds_and_ends():
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not {module for module in SOURCES if module.rpartition(".")[2] in drawers}


def test_every_module_states_its_idea():
    assert not [module for module, tree in trees().items() if not ast.get_docstring(tree)]


def exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return ast.literal_eval(node.value)
    return None


def defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def test_exported_names_exist_once():
    wrong = {}
    for module, tree in trees().items():
        names = exported(tree) or []
        if missing := set(names) - set(defined(tree)) or len(set(names)) != len(names):
            wrong[module] = missing
    assert not wrong


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


def loads(module: str, path: Path) -> tuple[str, ...]:
    """What a module of ours imports at once, packages on the way to another of ours included."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = trees().get(module) or ast.parse(path.read_text(encoding="utf-8"))
    names: list[str] = [package]
    for node in at_once(tree.body):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
            continue
        above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        source = ".".join([*above, *([node.module] if node.module else [])])
        names += [source, *(f"{source}.{alias.name}" for alias in node.names)]
    parts = [name.split(".") for name in names]
    return tuple(dict.fromkeys(".".join(some[:k]) for some in parts for k in range(1, len(some) + 1)))


def way_to(slow: tuple[str, ...], module: str, ours: Mapping[str, Path], seen: set[str]) -> list[str]:
    """The imports that lead from a module of ours to something slow; empty where none do. `seen` is passed over."""
    seen.add(module)
    for name in loads(module, ours[module]):
        if name in slow:
            return [module, name]
        if name in ours and name not in seen and (way := way_to(slow, name, ours, seen)):
            return [module, *way]
    return []


def test_collecting_the_tests_loads_nothing_slow():
    """Every run of pytest, be it for one test, first imports what test files import at their top. What `tests.peers` runs in
    other environments is none of them."""
    tests = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path.parent != ROOT / "tests" / "peers" / "readers"
    }
    ours = SOURCES | tests
    assert not [" > ".join(way) for module in tests if (way := way_to(SLOW_TO_COLLECT, module, ours, set()))]


def test_a_model_that_is_loaded_waits_for_no_trainer():
    """TRL and its data sets take seconds to import; the first training waits for them, not whoever starts the studio."""
    (making,) = (node for node in trees()["app"].body if getattr(node, "name", "") == "_reasoner")
    needed = [node.module for node in ast.walk(making) if isinstance(node, ast.ImportFrom) and node.module]
    assert "ui.training.desk" in needed
    seen: set[str] = set()
    assert not [" > ".join(way) for module in needed if (way := way_to(("trl", "datasets"), module, SOURCES, seen))]
