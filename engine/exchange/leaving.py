"""Which traces leave the store, in which order, and the export of them in a format.

Invariant: they are read while they are written, five hundred at a time, so memory does not grow with their number. What is
exported is the store as it is meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine.errors import NotFound
from engine.exchange.format import Format
from engine.exchange.sheet import Options, Sheet
from engine.exchange.writing import Written, write
from engine.media import MediaFolder
from engine.store import Dossier, Seer, Status, Store
from engine.store.attempts import example_hash
from engine.trace import Trace

__all__ = ["export"]

_PAGE = 500


def export(
    store: Store,
    media: MediaFolder,
    format: Format,
    out: Path,
    status: Status | None = None,
    options: Options | None = None,
    *,
    chosen: Sequence[str] | None = None,
    run: str = "",
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Written:
    """Writes the traces of `status` (None: all), oldest first, or those that are `chosen` by their ids, with their media, into
    the folder `out`. A chosen one that is not there any more is left out.

    `on_progress(done, of about how many)` is called for each; the rest is as in `engine.exchange.writing.write`.
    """
    options = options or Options()
    counts = store.traces.counts(Seer("", is_reader=True))
    total = len(chosen) if chosen is not None else sum(counts.values()) if status is None else counts[status]
    has_versions = options.has_versions or format.needs_versions

    def dossiers(after: str | None) -> Iterator[Dossier]:
        if chosen is not None:
            yield from _chosen(store, format, chosen, after, has_versions=has_versions)
            return
        for trace_id in _ids(store, status, after):
            if not format.is_of_examples or store.traces.is_first_of_example(trace_id, status):
                yield store.dossiers.get(trace_id, has_versions=has_versions)

    def find(trace_id: str, revision: str) -> Trace | None:
        try:
            versions = store.revisions.list(trace_id)
        except NotFound:
            return None
        return next((one.trace for one in versions if one.hash == revision), None)

    return write(
        format,
        dossiers,
        Sheet(media, out, options, find),
        run=run,
        on_progress=lambda done: on_progress(done, max(done, total)),
        should_stop=should_stop,
    )


def _chosen(
    store: Store, format: Format, chosen: Sequence[str], after: str | None, *, has_versions: bool
) -> Iterator[Dossier]:
    seen: set[str] = set()
    is_due = after is None
    for trace_id in chosen:
        try:
            example = example_hash(store.traces.get(trace_id).example)
            if is_due and not (format.is_of_examples and example in seen):
                yield store.dossiers.get(trace_id, has_versions=has_versions)
            seen.add(example)
        except NotFound:
            pass
        is_due = is_due or trace_id == after


def _ids(store: Store, status: Status | None, after: str | None) -> Iterator[str]:
    while page := store.traces.ids(status, after=after, limit=_PAGE):
        yield from page
        after = page[-1]
