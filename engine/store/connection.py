"""Connections to the one database file: one for each thread, all set up alike, writes one at a time.

The idea: SQLite is safe with many threads and processes if each thread has its own connection and if whoever reads in
order to write takes the write lock first. A deferred BEGIN that upgrades to a write fails at once with "database is
locked", whatever the timeout; `write()` is therefore BEGIN IMMEDIATE, always.

Invariants:
- every connection has foreign keys on, a busy timeout, and the journal mode that was asked for;
- within one process writers queue on a lock, so that they wait in turn instead of polling; between processes the busy
  timeout waits;
- nested `write()` blocks are savepoints of the outermost one, which alone commits.

Journal mode "wal" is for local disks. Network disks and mounted buckets do not share WAL's memory: there use "delete"
and one process. Not covered: the schema (`engine.store.schema`).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

from sqlite_utils import Database

from engine.errors import Broken, InvalidSetting, Unavailable

__all__ = ["DAMAGED", "Connections", "JournalMode", "Parameters", "run_script"]

JournalMode = Literal["wal", "delete"]
Parameters = Sequence[Any] | Mapping[str, Any]


DAMAGED = (sqlite3.DatabaseError, UnicodeDecodeError, Broken)
"""What a damaged file raises: where the message of SQLite's error quotes bytes of it that are no UTF-8, Python raises the
second in its place."""

_BROKEN = {
    sqlite3.SQLITE_FULL: "the disk of {} is full, so nothing of this was kept; make room and do it again",
    sqlite3.SQLITE_READONLY: "{} cannot be written ({}), so nothing of this was kept; its host has to allow it",
    sqlite3.SQLITE_CANTOPEN: "{} cannot be opened any more ({}); see that it is where it was, and start again",
    sqlite3.SQLITE_IOERR: "the disk of {} does not work ({}); nothing of this was kept",
    sqlite3.SQLITE_CORRUPT: "{} is damaged ({}); stop the studio, and let `python -m engine verify --repair` look at it",
    sqlite3.SQLITE_NOTADB: "{} is damaged ({}); stop the studio, and let `python -m engine verify --repair` look at it",
}
"""What people are told of an error of SQLite by its code, of the file and SQLite's own words."""


class _Held:
    """A thread's connection; closes itself when its thread is gone."""

    __slots__ = ("__weakref__", "database", "process")

    def __init__(self, database: Database) -> None:
        self.database = database
        self.process = os.getpid()

    def __del__(self) -> None:
        # After a fork the parent's connection must not be closed by the child: that would drop the parent's locks. Where
        # the interpreter ends, `os` may be gone before this is.
        try:
            if self.process == os.getpid():
                self.database.close()
        except Exception:
            pass


class Connections:
    """The connections to the database at `path`, made as threads ask for them.

    `problem` is what is wrong with the file, as a sentence, since it was last met. Raises InvalidSetting for an unknown journal
    mode or a path that cannot be a database, Unavailable where the file is there but is not a database; every method raises
    Broken where the disk is full, read-only or damaged.
    """

    def __init__(self, path: Path, journal_mode: JournalMode = "wal", busy_timeout_s: float = 30.0) -> None:
        if journal_mode not in get_args(JournalMode):
            raise InvalidSetting(f"the journal mode {journal_mode!r} is none of {', '.join(get_args(JournalMode))}")
        self.path = Path(path)
        self.journal_mode = journal_mode
        self.busy_timeout_s = busy_timeout_s
        self._mine = threading.local()
        self._all: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._all_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._process = os.getpid()
        self.is_closed = False
        self.problem: str | None = None
        self._is_damaged = False
        self.database()

    def database(self) -> Database:
        """This thread's connection. Raises ValueError once the store is closed."""
        if self.is_closed:
            raise self._closed()
        if self._process != os.getpid():  # a forked child: connections and locks belong to the parent
            self._mine, self._all = threading.local(), weakref.WeakSet()
            self._all_lock, self._write_lock = threading.Lock(), threading.Lock()
            self._process = os.getpid()
        held: _Held | None = getattr(self._mine, "held", None)
        if held is None:
            held = _Held(self._connect())
            with self._all_lock:
                if self.is_closed:  # meanwhile, by another thread
                    held.database.close()
                    raise self._closed()
                self._all.add(held)
            self._mine.held = held
        return held.database

    @contextmanager
    def write(self) -> Iterator[Database]:
        """A transaction that holds the write lock from its beginning; commits at the end, rolls back on any exception.

        Raises Unavailable where another process keeps the lock for longer than the busy timeout.
        """
        database = self.database()
        if database.conn.in_transaction:
            with database.atomic():
                yield database
            return
        with self._write_lock:
            try:
                with self._telling():
                    database.conn.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                raise Unavailable(
                    f"the database {self.path.name} was kept locked by another process for "
                    f"{self.busy_timeout_s:g} s; close that process or try again"
                ) from error
            try:
                with self._telling():
                    yield database
                    database.conn.execute("COMMIT")
                    if not self._is_damaged:
                        self.problem = None
            except BaseException:
                database.rollback()
                raise

    def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """All rows of a query, by name or position."""
        with self._telling(), closing(self.database().conn.cursor()) as cursor:
            cursor.row_factory = sqlite3.Row
            return cursor.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        with self._telling(), closing(self.database().conn.cursor()) as cursor:
            cursor.row_factory = sqlite3.Row
            row: sqlite3.Row | None = cursor.execute(sql, parameters).fetchone()
            return row

    def stream(self, sql: str, parameters: Parameters = ()) -> Generator[sqlite3.Row, None, None]:
        """The rows of a query one by one, for results too big for memory; close it to stop early."""
        with self._telling(), closing(self.database().conn.cursor()) as cursor:
            cursor.row_factory = sqlite3.Row
            yield from cursor.execute(sql, parameters)

    def compact(self) -> None:
        """Writes the database file anew, so that nothing of deleted rows is left in it or in its journal.

        Raises Unavailable where others read or write it for longer than the busy timeout.
        """
        conn = self.database().conn
        with self._write_lock:
            try:
                conn.execute("VACUUM")
                is_busy = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    raise
                is_busy = True
        if is_busy:
            raise Unavailable(
                f"the database {self.path.name} is in use by another process, so it still holds what was deleted; close "
                "that process, and empty the bin again"
            )

    def snapshot(self, target: Path) -> None:
        """Writes the database as it is at one moment to a new file; others read and, with the journal "wal", write
        meanwhile. Where nothing was written in between the bytes are the same."""
        with self._telling():
            self.database().conn.execute("VACUUM INTO ?", (str(target),))

    def close(self) -> None:
        """Closes every thread's connection. Call it when no thread works with the store any more."""
        with self._all_lock:
            self.is_closed = True
            held, self._all = list(self._all), weakref.WeakSet()
        for one in held:
            one.database.close()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without what SQLite says beyond the kind of error
            sentence = _BROKEN.get(code)
            if sentence is None:
                raise
            self._is_damaged |= code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
            self.problem = sentence.format(self.path, error)
            raise Broken(self.problem) from error

    def unusable(self, error: Exception) -> Broken:
        """What to say where SQLite cannot work with the file."""
        if isinstance(error, Broken):
            return error
        return Broken(
            f"{self.path} cannot be used as the studio's database ({error}); restore it from a backup, or start with another "
            "STUDIO_HOME"
        )

    def _closed(self) -> ValueError:
        return ValueError(f"the store at {self.path} is closed")

    def _connect(self) -> Database:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # check_same_thread is off only so that close() may close every thread's connection.
            connection = sqlite3.connect(
                self.path, timeout=self.busy_timeout_s, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.OperationalError) as error:
            raise InvalidSetting(f"no database can be opened at {self.path}: {error}") from error
        try:
            connection.execute(f"PRAGMA busy_timeout = {int(self.busy_timeout_s * 1000)}")
            connection.execute("PRAGMA foreign_keys = ON")
            self._set_journal_mode(connection)
            return Database(connection)
        except DAMAGED as error:
            connection.close()
            raise self.unusable(error) from error

    def _set_journal_mode(self, connection: sqlite3.Connection) -> None:
        # Changing the mode needs the file alone, and SQLite does not wait for that by itself.
        give_up_at = time.monotonic() + self.busy_timeout_s
        while True:
            try:
                if connection.execute("PRAGMA journal_mode").fetchone()[0] == self.journal_mode:
                    return
                connection.execute(f"PRAGMA journal_mode = {self.journal_mode}")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > give_up_at:
                    raise
                time.sleep(0.01)


def run_script(database: Database, sql: str) -> None:
    """Runs statements within the transaction that is open; each ends at a line's end.

    sqlite3's own `executescript` commits first, and that of sqlite-utils tries a statement again at each of its
    characters (0.4 s for the schema).
    """
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            database.conn.execute(statement)
            statement = ""
    if statement.strip():
        database.conn.execute(statement)
