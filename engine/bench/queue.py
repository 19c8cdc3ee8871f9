"""How long a page of the workbench's queue takes, against the page that a first draft would have written.

The store is generated (`engine.store.generated`), each kind of page is asked for many times with changing words and
places, and the baseline (LIKE over the JSON, a count over everything, OFFSET) gets the same searches in the same run. A
page is what the screen needs: fifty rows with their pictures' hashes, tags, holders, and the total.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.store import Query, Store
from engine.store.generated import fill, naive_page

__all__ = ["measure"]

_WORDS = ("glare", "harbour", "tower red", "disc bridge", "lamp", "cart crowd", "fen", "blurred digits")


def measure(
    traces: int, repeats: int = 40, seed: int = 0, folder: Path | None = None, progress: Callable[[str], None] = print
) -> dict[str, Any]:
    """Milliseconds a page (median and 95th percentile over `repeats` of each kind; `cpu` counts the processor's own time)
    in a store of `traces` made-up traces, in a temporary folder that is removed afterwards. `ratio` is the baseline's
    median by ours."""
    with tempfile.TemporaryDirectory(dir=folder) as made, Store(Path(made) / "annotations.db") as store:
        progress(f"making a store of {traces:,} traces")
        start = time.perf_counter()
        fill(store.connections, traces, seed)
        made_s = time.perf_counter() - start
        size_mb = sum(file.stat().st_size for file in Path(made).iterdir()) / 2**20
        progress(f"made in {made_s:.0f} s, {size_mb:,.0f} MB; asking for pages")
        kinds = _kinds(store, traces, random.Random(seed))
        pages: dict[str, dict[str, float]] = {}
        everything: list[float] = []
        all_cpus: list[float] = []
        for name, ask in kinds.items():
            ask()
            pairs = [_time_ms(ask) for _ in range(repeats)]
            walls, cpus = sorted(wall for wall, _ in pairs), sorted(cpu for _, cpu in pairs)
            everything += walls
            all_cpus += cpus
            pages[name] = {
                "median_ms": _round(walls[len(walls) // 2]),
                "p95_ms": _round(_p95(walls)),
                "cpu_p95_ms": _round(_p95(cpus)),
            }
            progress(f"  {name}: {pages[name]}")
        chance = random.Random(seed)
        baseline = {
            "plain": lambda: naive_page(store.connections, "", None, 0),
            "status": lambda: naive_page(store.connections, "", "new", 0),
            "search": lambda: naive_page(store.connections, chance.choice(_WORDS).split()[0], None, 0),
        }
        naive: dict[str, dict[str, float]] = {}
        for name, ask in baseline.items():
            times = sorted(_time_ms(ask)[0] for _ in range(3))
            naive[name] = {"median_ms": _round(times[1]), "ratio": _round(times[1] / pages[name]["median_ms"])}
            progress(f"  first draft, {name}: {naive[name]}")
    everything.sort()
    all_cpus.sort()
    return {
        "bench": "queue",
        "traces": traces,
        "store_mb": _round(size_mb),
        "made_s": _round(made_s),
        "repeats": repeats,
        "pages": pages,
        "median_ms": _round(everything[len(everything) // 2]),
        "p95_ms": _round(_p95(everything)),
        "cpu_p95_ms": _round(_p95(all_cpus)),
        "baseline": naive,
    }


def _kinds(store: Store, traces: int, chance: random.Random) -> dict[str, Callable[[], object]]:
    middle = store.queue.ids(Query(since="2026-06-01"), 1)

    def search() -> str:
        return chance.choice(_WORDS)

    def page(query: Query, **place: Any) -> object:
        found = store.queue.page(query, **place)
        assert len(found.items) <= 50
        return found

    return {
        "plain": lambda: page(Query()),
        "oldest": lambda: page(Query(order="oldest")),
        "suggested": lambda: page(Query(order="suggested")),
        "updated": lambda: page(Query(order="updated")),
        "deep": lambda: page(Query(), after=middle[0] if middle else None),
        "status": lambda: page(Query(status=chance.choice(("new", "accepted", "flagged")))),
        "search": lambda: page(Query(search=search())),
        "search and filters": lambda: page(Query(search=search(), status="new", outcome="wrong")),
        "filters": lambda: page(Query(policy="tiny", source="vstar", has_errors=True, rapr="mostly")),
        "errors ignored": lambda: page(Query(ignores_error=True, outcome="right")),
        "tag": lambda: page(Query(tag="glare", status="accepted")),
        "dates": lambda: page(Query(since="2026-03-01", until="2026-03-31", status="rejected")),
        "suggested, filtered": lambda: page(Query(order="suggested", source="tallyqa", has_operation=True)),
        "suggested, searched": lambda: page(Query(order="suggested", search=search())),
        "nothing found": lambda: page(Query(search="zzzunheardof", status="new")),
    }


def _time_ms(work: Callable[[], object]) -> tuple[float, float]:
    """Wall clock, and the thread's own time on the processor: on a busy machine only the latter says what the work
    costs."""
    wall, cpu = time.perf_counter(), time.thread_time()
    work()
    return (time.perf_counter() - wall) * 1000, (time.thread_time() - cpu) * 1000


def _p95(times: list[float]) -> float:
    return times[min(len(times) - 1, int(0.95 * len(times)))]


def _round(value: float) -> float:
    return round(value, 2)
