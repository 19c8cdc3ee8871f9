"""What bringing examples in costs beside decoding and hashing their pictures alone, and how much memory it takes.

The idea: a folder of drawn photographs of 1024x768, with a table of questions, is imported by the job that the studio runs.
The baseline decodes and hashes the same files with the same number of threads and stores nothing. Every file differs by a
comment in it alone, so decoding costs what it costs for so many different pictures. Half of the baseline is measured before
the import and half after it, since other work on the machine comes and goes.

Memory is the most of it during the import, above what it was before (`engine.lab.bench.memory`).
Not covered: formats whose pictures lie in the table.
"""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from engine.importing.sources import Source
from engine.jobs.importing import ImportKind
from engine.jobs.running import run_in_foreground
from engine.lab.bench.memory import Memory
from engine.lab.bench.photo import photo_jpeg
from engine.media import MediaFolder, load_media
from engine.store import Store

__all__ = ["measure", "report"]

_SIZE = (1024, 768)
_DRAWN = 40
_THREADS = 2


def measure(examples: int, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """`examples` pictures with a question each. Raises InvalidInput where not all of them come in."""
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as name:
        folder = Path(name)
        progress(f"  drawing {examples:,} pictures")
        paths = _draw(folder / "brought", examples)
        progress("  decoding and hashing half of them alone")
        alone = _decode(paths[::2])
        progress("  bringing them in")
        with Store(folder / "annotations.db") as store, Memory() as memory:
            kind = ImportKind(store, MediaFolder(folder / "artifacts" / "media"))
            began = _now()
            job = run_in_foreground(
                store, folder / "artifacts", kind, kind.plan(Source(str(folder / "brought")), "bench")
            )
            ours = _since(began)
            count = store.examples.data_set("bench").count
        progress("  decoding and hashing the other half alone")
        after = _decode(paths[1::2])
        alone = (alone[0] + after[0], alone[1] + after[1])
    if (job.state, count) != ("done", examples):
        raise RuntimeError(f"{count} of {examples} examples came in: {job.message}")
    return {
        "bench": "import",
        "examples": examples,
        "decode_only_per_s": round(examples / alone[0], 1),
        "import_per_s": round(examples / ours[0], 1),
        "decode_only_cpu_s": round(alone[1], 1),
        "import_cpu_s": round(ours[1], 1),
        "memory_above_start_mb": round(memory.above_start_mb, 1),
        "ratio": round(alone[0] / ours[0], 2),
    }


def report(found: dict[str, Any]) -> list[str]:
    return [
        f"import: {found['examples']:,} examples of {_SIZE[0]}x{_SIZE[1]}, {_THREADS} threads",
        f"  decoded and hashed alone  {found['decode_only_per_s']:8.1f} a second, {found['decode_only_cpu_s']:.1f} s of CPU",
        f"  brought in                {found['import_per_s']:8.1f} a second, {found['import_cpu_s']:.1f} s of CPU",
        f"  ratio of the two rates    {found['ratio']:8.2f}",
        f"  memory                    {found['memory_above_start_mb']:8.1f} MB above the start",
    ]


def _draw(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    drawn = [photo_jpeg(*_SIZE, seed, quality=85) for seed in range(min(_DRAWN, count))]
    paths = []
    with (folder / "questions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "image", "question", "answer"))
        for k in range(count):
            comment = f"{k:08d}".encode()
            segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
            picture = drawn[k % len(drawn)]
            paths.append(folder / f"{k:05d}.jpg")
            paths[-1].write_bytes(picture[:2] + segment + picture[2:])
            table.writerow((k, paths[-1].name, f"What is no. {k}?", f"thing {k % 7}"))
    return paths


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> tuple[float, float]:
    """(seconds, seconds of this process's CPU)"""
    return time.perf_counter() - began[0], time.process_time() - began[1]


def _decode(paths: list[Path]) -> tuple[float, float]:
    """How long it takes to decode and to hash all, none of them kept."""

    def look(path: Path) -> str:
        return load_media(path).media.sha256

    began = _now()
    with ThreadPoolExecutor(_THREADS) as pool:
        hashes = set(pool.map(look, paths))
    taken = _since(began)
    assert len(hashes) == len(paths)
    return taken
