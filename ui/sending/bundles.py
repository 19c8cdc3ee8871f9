"""The ES modules of a screen as one module, so that a browser asks once instead of forty times, one level after the other.

The idea: each module becomes a function that is called once, after those it imports, and returns what it exports; the bundle
exports them all by their paths. The modules stay as they are in the repository: node's tests and the linter see
them, and only these forms are used, which biome's formatting keeps: `import { a, b as c } from './x.js';`, `export` before a
function, class or const, and `export { a };`.

Different from a bundler: nothing is renamed, shaken out or shortened; compression does nearly as well.
Not covered: imports in a circle, exports that change (`export let`): both raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

__all__ = ["bundled"]

_IMPORT = re.compile(r"^import \{([^}]*)\} from '([^']+)';\n?", re.M)
_EXPORT = re.compile(r"^export (?=((?:async )?function\*?|class|const) (\w+))", re.M)
_EXPORT_LIST = re.compile(r"^export \{([^}]*)\};\n?", re.M)
_OTHER = re.compile(r"^(import|export)\b.*", re.M)


def bundled(entries: Iterable[str], folder: Path) -> str:
    """One module whose default export holds what `entries` (paths below `folder`) and their imports export, by path. Raises
    ValueError for a module that is written in another way, or imports itself by way of others."""
    names: dict[str, str] = {}
    parts: list[str] = []

    def take(path: str, above: tuple[str, ...]) -> str:
        if path in above:
            raise ValueError(f"{' -> '.join((*above, path))}: modules that import each other cannot be bundled")
        if path in names:
            return names[path]
        text = (folder / path).read_text(encoding="utf-8")

        def imported(found: re.Match[str]) -> str:
            other = take(_resolved(path, found[2]), (*above, path))
            return f"const {{{found[1].replace(' as ', ': ')}}} = {other};\n"

        body = _IMPORT.sub(imported, text)
        exported = [found[2] for found in _EXPORT.finditer(body)]
        for found in _EXPORT_LIST.finditer(body):
            exported += [name.strip() for name in found[1].split(",") if name.strip()]
        body = _EXPORT_LIST.sub("", _EXPORT.sub("", body))
        if strange := _OTHER.search(body):
            raise ValueError(f"{path}: {strange[0]!r} is no form that is bundled")
        names[path] = f"m{len(names)}"
        parts.append(f"// {path}\nconst {names[path]} = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();\n")
        return names[path]

    for entry in entries:
        take(entry, ())
    table = ", ".join(f"'{path}': {name}" for path, name in names.items())
    return f"{''.join(parts)}export default {{ {table} }};\n"


def _resolved(importer: str, path: str) -> str:
    parts: list[str] = []
    for part in (*PurePosixPath(importer).parent.parts, *PurePosixPath(path).parts):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
