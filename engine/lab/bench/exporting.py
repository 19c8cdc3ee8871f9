"""What an export of many traces costs beside reading them alone, and whether its memory grows with their number.

The idea: a generated store whose traces share a few drawn photographs is exported as `trace-json` and as
`pixel-reasoner-sft`. The baseline reads the same dossiers and writes nothing. Memory is the most that an export takes above
its start; that of the first tenth is told beside that of the whole.

Not covered: the pictures' own cost, which is that of encoding each crop once.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.exchange.formats import format_named
from engine.exchange.leaving import export
from engine.lab.bench import generated
from engine.lab.bench.memory import Memory
from engine.lab.bench.photo import photo_jpeg
from engine.media import MediaFolder
from engine.store import Query, Store

__all__ = ["measure", "report"]

_SIZE = (1024, 768)
_PHOTOS = 8
_FORMATS = ("trace-json", "pixel-reasoner-sft")
_PAGE = 500


def measure(traces: int, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """Of `traces` traces. Raises RuntimeError where an export leaves one out."""
    found: dict[str, Any] = {"bench": "export", "traces": traces}
    with tempfile.TemporaryDirectory(prefix="studio-bench-") as name:
        folder = Path(name)
        media = MediaFolder(folder / "artifacts" / "media")
        progress(f"  making {traces:,} traces")
        taken = [media.take(photo_jpeg(*_SIZE, seed, quality=85)).media.sha256 for seed in range(_PHOTOS)]
        # By another process: what making them leaves free here would hide what an export takes.
        made = multiprocessing.get_context("spawn").Process(
            target=_fill, args=(folder / "annotations.db", traces, taken)
        )
        made.start()
        made.join()
        with Store(folder / "annotations.db") as store:
            progress("  reading them alone")
            began = time.perf_counter()
            _read(store)
            alone_s = time.perf_counter() - began
            found["read_only_per_s"] = round(traces / alone_s, 1)
            for format in _FORMATS:
                progress(f"  exporting as {format}")
                found[format] = _exported(store, media, format, folder / format, alone_s)
    return found


def _fill(path: Path, traces: int, media: list[str]) -> None:
    with Store(path) as store:
        generated.fill(store.connections, traces, media=media)


def _exported(store: Store, media: MediaFolder, format: str, out: Path, alone_s: float) -> dict[str, Any]:
    early_mb = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal early_mb
        if done == total // 10:
            early_mb = memory.above_start_mb

    began = time.perf_counter()
    with Memory() as memory:
        written = export(store, media, format_named(format), out, on_progress=tell)
    taken_s = time.perf_counter() - began
    if written.left_out_count:
        raise RuntimeError(f"{written.left_out_count} traces were left out: {written.left_out[0].why}")
    return {
        "per_s": round(written.traces / taken_s, 1),
        "ratio": round(alone_s / taken_s, 2),
        "memory_first_tenth_mb": round(early_mb, 1),
        "memory_mb": round(memory.above_start_mb, 1),
        "file_mb": round(written.file.stat().st_size / 1e6, 1),
    }


def _read(store: Store) -> None:
    after = None
    while True:
        page = store.queue.one_by_one(Query(order="oldest"), _PAGE, after)
        for listed in page.items:
            store.dossiers.get(listed.item.id)
        if len(page.items) < _PAGE:
            return
        after = page.items[-1].item.id


def report(found: dict[str, Any]) -> list[str]:
    lines = [
        f"export: {found['traces']:,} traces",
        f"  read alone                {found['read_only_per_s']:8.1f} a second",
    ]
    for format in _FORMATS:
        one = found[format]
        lines.append(
            f"  {format:<24}  {one['per_s']:8.1f} a second, ratio {one['ratio']:.2f}; {one['memory_mb']:.1f} MB of memory "
            f"above the start, after a tenth {one['memory_first_tenth_mb']:.1f} MB; a file of {one['file_mb']:.1f} MB"
        )
    return lines
