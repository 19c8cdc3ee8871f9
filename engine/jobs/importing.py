"""The kind "import": a person's folder, zip, table or data set becomes examples of one data set of the store, and a file of
another program what it holds (`engine.jobs.arriving`).

The algorithm: rows are read in order; their media are taken into the folder by hash, a few at once; as soon as a run of rows
is complete, its examples, its refusals and how far it came are written in one transaction. So a job that was stopped or
killed goes on behind the last row of the last transaction, exactly; media that were taken and not yet written are files that
nothing refers to, never a reference to no file.

A row that cannot come in is said as an event "bad_row" {"row", "id", "reason"}, and stays with the job; after MAX_LISTED of
them they are only counted. Files that came from a browser lie in a folder of artifacts/incoming, which goes when the job is
done.

Needs no model. Not covered: reading (`engine.importing`).
"""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput, PersonError
from engine.importing.addresses import fetch_address
from engine.importing.candidates import Candidate, Reading, complete, original_id_of, read_row
from engine.importing.columns import Columns
from engine.importing.previews import plan_columns
from engine.importing.sources import Source, name_for, open_source
from engine.importing.tables import Row
from engine.jobs.arriving import ArrivingWork, plan_arrival
from engine.jobs.kinds import IMPORT, TITLES, CutOff, Done, Ending, Plan
from engine.jobs.report import Report, duration
from engine.media import MediaFolder, Waiting
from engine.store import Job, Store, usable_name

__all__ = ["MAX_LISTED", "ImportKind", "ImportWork", "Tally", "bad_rows", "tally"]

MAX_LISTED = 10_000
"""Refused rows that are listed; later ones are only counted."""
_ROWS_AT_ONCE = 64
"""Rows of one transaction."""
_WORKERS = 3
"""A `MediaFolder` decodes two files at a time; the third reads and copies meanwhile."""
_AHEAD = 16
"""Rows that are read before they are needed, so that nobody waits while a run of rows is written."""


@dataclass(frozen=True, slots=True)
class Tally:
    """`rows` is the number of the last row that was settled; `added`, `known` (there already) and `refused` count rows."""

    rows: int = 0
    added: int = 0
    known: int = 0
    refused: int = 0

    def sentence(self) -> str:
        parts = [f"{self.added:,} example{'' if self.added == 1 else 's'} came in"]
        parts += [f"{self.known:,} {'was' if self.known == 1 else 'were'} there already"] if self.known else []
        parts += [f"{self.refused:,} row{'' if self.refused == 1 else 's'} could not"] if self.refused else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class ImportKind:
    store: Store
    media: MediaFolder
    name: str = IMPORT
    title: str = TITLES[IMPORT]

    def plan(
        self,
        source: Source,
        data_set: str = "",
        said: Mapping[str, Any] | None = None,
        *,
        is_fetching: bool = False,
        incoming: str = "",
    ) -> Plan:
        """The rows of `source` into `data_set` (by default its own name), with the columns that were `said` and the guess for
        the others. `is_fetching`: pictures are read from addresses of the web, too. `incoming` is the folder to delete when
        all is done. Raises InvalidInput where something must be said first, or no row could come in."""
        opened = open_source(source)
        planned = plan_columns(opened, said)
        if planned.asks:
            raise InvalidInput(" ".join(planned.asks))
        path = source.path if source.format == "hub" else os.path.abspath(source.path)
        return Plan(
            {
                "source": Source.from_json(source.as_json() | {"path": path}).as_json(),
                "data_set": usable_name(data_set.strip() or name_for(source)),
                "columns": planned.columns.as_json(),
                "is_fetching": is_fetching,
                "incoming": incoming,
            }
        )

    def plan_format(self, format: str, path: Path, data_set: str = "", *, incoming: str = "") -> Plan:
        """The rows of a file of another program (`engine.exchange`). Raises InvalidInput, NotFound."""
        return plan_arrival(format, path, data_set, incoming)

    def prepare(self, job: Job) -> ImportWork | ArrivingWork:
        # A folder of its own: what comes in is not looked at next, and would drive what is looked at from the cache.
        media = MediaFolder(self.media.root, self.media.limits, cache_bytes=0, sampling=self.media.sampling)
        if "format" in job.config:
            return ArrivingWork(self.store, media, job)
        return ImportWork(self.store, media, job)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A row on its way: the candidate without its files, their names and media, or why there is none. The row itself is let go,
    since its cells may hold pictures."""

    number: int
    original_id: str | None
    candidate: Candidate | None
    names: tuple[str, ...]
    media: tuple[Waiting, ...]
    problem: str


@dataclass(slots=True)
class _Pace:
    """How fast this run goes through `total` rows (None where nobody knows), from the first that it is told of."""

    total: int | None
    first: tuple[float, int] | None = None

    def share(self, row: int) -> float | None:
        return None if not self.total else min(1.0, row / self.total)

    def left(self, row: int) -> str:
        """The end of a sentence, empty as long as nobody can tell."""
        if self.first is None:
            self.first = (time.monotonic(), row)
        began_s, began_at = self.first
        if self.total is None or not began_at < row < self.total:
            return ""
        left_s = (time.monotonic() - began_s) / (row - began_at) * (self.total - row)
        return f"; about {duration(left_s)} left"


@dataclass(frozen=True, slots=True)
class ImportWork:
    store: Store
    media: MediaFolder
    job: Job

    def run(self, report: Report) -> Ending:
        config: dict[str, Any] = self.job.config
        opened = open_source(Source.from_json(config["source"]))
        columns = Columns.from_json(config["columns"], opened.table.columns)
        web = partial(fetch_address, max_bytes=self.media.limits.max_bytes) if config["is_fetching"] else None
        fetch = opened.fetch or web
        reading = Reading(columns, opened.place, opened.folder, self.media.limits.max_bytes, fetch)
        done = tally(self.store, self.job.id)
        pace = _Pace(opened.table.count())
        waiting: list[_Taken] = []
        for taken in self._taken(opened.table.rows(done.rows), reading):
            waiting.append(taken)
            is_stopping = report.should_stop_soon()
            if len(waiting) < _ROWS_AT_ONCE and not is_stopping:
                continue
            done = self._settle(waiting, done, report, pace)
            waiting = []
            if is_stopping:
                return CutOff(f"after {done.rows:,} rows: {done.sentence()}")
        if waiting:
            done = self._settle(waiting, done, report, pace)
        if not done.rows:
            raise InvalidInput("there is no row to bring in")
        if incoming := config["incoming"]:
            shutil.rmtree(incoming, ignore_errors=True)
        return Done(f"{done.sentence()}; the data set is {config['data_set']!r}")

    def _taken(self, rows: Iterator[Row], reading: Reading) -> Iterator[_Taken]:
        """The rows in their order, their media taken by a few threads, never more than a transaction's ahead."""
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="import") as pool:
            ahead: deque[Future[_Taken]] = deque(pool.submit(self._take, row, reading) for row in islice(rows, _AHEAD))
            try:
                while ahead:
                    taken = ahead.popleft().result()
                    ahead.extend(pool.submit(self._take, row, reading) for row in islice(rows, 1))
                    yield taken
            finally:
                for future in ahead:
                    future.cancel()

    def _take(self, row: Row, reading: Reading) -> _Taken:
        original_id = original_id_of(row, reading.columns)
        try:
            candidate = read_row(row, reading)
            names = tuple(file.name for file in candidate.files)
            media = tuple(self.media.receive(file.read()) for file in candidate.files)
            return _Taken(row.number, original_id, replace(candidate, files=()), names, media, "")
        except PersonError as error:
            return _Taken(row.number, original_id, None, (), (), str(error))

    def _settle(self, waiting: list[_Taken], done: Tally, report: Report, pace: _Pace) -> Tally:
        """Writes a run of rows, in one transaction."""
        added, known, refused = done.added, done.known, done.refused
        data_set = self.job.config["data_set"]
        self.media.settle([one for taken in waiting for one in taken.media])
        with self.store.transaction():
            for taken in waiting:
                problem = taken.problem
                if taken.candidate is not None:
                    try:
                        example = complete(taken.candidate, [one.media for one in taken.media], data_set)
                        recorded = self.store.examples.record(
                            data_set, example, original_id=taken.original_id, file_names=taken.names
                        )
                        added, known = added + (recorded is not None), known + (recorded is None)
                    except InvalidInput as error:
                        problem = str(error)
                if problem:
                    refused += 1
                    if refused <= MAX_LISTED:
                        said = {"row": taken.number, "id": taken.original_id, "reason": problem}
                        report.say(taken.number, "bad_row", said)
            done = Tally(waiting[-1].number, added, known, refused)
            data = {"rows": done.rows, "added": added, "known": known, "refused": refused}
            report.say(done.rows, "imported", data)
        report.progress(pace.share(done.rows), f"{done.rows:,} rows: {done.sentence()}{pace.left(done.rows)}")
        return done


def tally(store: Store, job_id: str) -> Tally:
    """How far an import came, by what it wrote last."""
    last = store.jobs.last_event(job_id, "imported")
    return Tally() if last is None else Tally(**last.data)


def bad_rows(store: Store, job_id: str, limit: int = MAX_LISTED) -> Iterator[tuple[int, str, str]]:
    """(row, id or "", reason) of the first rows that an import refused, in order."""
    for event in store.jobs.events(job_id, kind="bad_row", limit=limit):
        yield event.data["row"], event.data["id"] or "", event.data["reason"]
