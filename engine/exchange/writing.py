"""Dossiers to files: rows in one file that appears whole or not at all, however the export is stopped or killed.

The algorithm: rows are first written to a journal beside the file, a line for each dossier,

    {"id", "rows": [row], "lost": {loss: count}, "why": null | the reason why it was left out}

and the journal becomes the file at the end: its lines, a list, or columns. So an export of any container goes on after the
journal's last whole line with its counts, and memory holds one dossier (of columns, one batch).

Invariants: texts are UTF-8 and hold no line ends but "\\n", so that whoever splits lines at others (U+2028) reads them, too;
a number that JSON lacks is refused. Not covered: which traces (`engine.exchange.leaving`), pictures (`engine.exchange.sheet`).
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.exchange.format import Format, Row
from engine.exchange.sheet import Sheet
from engine.store import Dossier

__all__ = ["LeftOut", "Written", "json_line", "require_room", "write"]

_TOLD = 20
"""How many traces that were left out a report names."""
_BATCH_BYTES = 32 * 2**20
_BATCH_ROWS = 1_000
_UNSAFE = re.compile("[\u0085\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LeftOut:
    trace_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Written:
    """`traces` are in `rows` rows of the file; `left_out` names the first of the `left_out_count` that are not. `lost` counts
    what the format cannot hold. Where `is_whole` is False the export was stopped, and can be gone on with."""

    file: Path
    is_whole: bool
    traces: int
    rows: int
    lost: Mapping[str, int]
    left_out_count: int
    left_out: tuple[LeftOut, ...]

    def sentences(self) -> list[str]:
        """What did not come along, for a person, a sentence each."""
        said = [f"{loss[0].upper()}{loss[1:]}: {count:,}." for loss, count in sorted(self.lost.items())]
        if self.left_out_count:
            said.append(f"Traces that were left out: {self.left_out_count:,}.")
            said += [f"{one.trace_id} was left out: {one.why}" for one in self.left_out]
        return said


def require_room(format: Format, out: Path) -> Path:
    """The file that the format would make in the folder. Raises InvalidInput where it is there already, or the format is
    only read."""
    if not format.is_written:
        raise InvalidInput(f"the format {format.name} can be imported, not exported")
    target = out / format.file
    if target.exists():
        raise InvalidInput(f"{target} is there already; choose another folder")
    return target


def write(
    format: Format,
    dossiers: Callable[[str | None], Iterator[Dossier]],
    sheet: Sheet,
    *,
    run: str = "",
    on_progress: Callable[[int], None] = lambda done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Written:
    """Writes `dossiers(after)`, those that follow the one with the id `after` (None: all), into the sheet's folder.

    `run` names an export that may be stopped or killed and gone on with: what an unfinished one of that name has written is
    kept. `on_progress(done)` and `should_stop` are called for each dossier. A dossier that the format refuses (InvalidInput)
    is left out and told. Raises InvalidInput where the folder holds an export already, NotFound where a medium is missing.
    """
    assert format.rows is not None
    target = require_room(format, sheet.out)
    sheet.out.mkdir(parents=True, exist_ok=True)
    journal = target.with_name(f".{format.file}{run and '.'}{run}.part")
    if not run:
        journal.unlink(missing_ok=True)
    so_far = _Tally()
    after = so_far.resume(journal)
    with journal.open("ab") as file:
        for dossier in dossiers(after):
            if should_stop():
                return so_far.written(target, is_whole=False)
            entry = _entry(format, dossier, sheet)
            file.write(json_line(entry))
            so_far.add(entry)
            on_progress(so_far.done)
    _publish(format, journal, target)
    for name, text in format.texts:
        _whole(sheet.out / name, lambda file, text=text: file.write(text.encode("utf-8")))  # type: ignore[misc]
    journal.unlink()
    return so_far.written(target, is_whole=True)


def json_line(value: Any) -> bytes:
    """A line of JSON Lines. Raises ValueError for a number that is not finite."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode("utf-8") + b"\n"


def _entry(format: Format, dossier: Dossier, sheet: Sheet) -> dict[str, Any]:
    assert format.rows is not None
    sheet.lost.clear()
    try:
        rows: list[Row] = list(format.rows(dossier, sheet))
        return {"id": dossier.id, "rows": rows, "lost": dict(sheet.lost), "why": None}
    except InvalidInput as error:
        return {"id": dossier.id, "rows": [], "lost": {}, "why": str(error)}


class _Tally:
    """What a journal holds, added up."""

    def __init__(self) -> None:
        self.done, self.traces, self.rows, self.left_out_count = 0, 0, 0, 0
        self.lost: Counter[str] = Counter()
        self.left_out: list[LeftOut] = []

    def add(self, entry: Mapping[str, Any]) -> None:
        self.done += 1
        self.lost.update(entry["lost"])
        self.rows += len(entry["rows"])
        self.traces += bool(entry["rows"])
        if entry["why"] is not None:
            self.left_out_count += 1
            if len(self.left_out) < _TOLD:
                self.left_out.append(LeftOut(entry["id"], entry["why"]))

    def resume(self, journal: Path) -> str | None:
        """Adds what is whole in a journal and cuts off what a kill has torn; the id of the last dossier in it."""
        after, end = None, 0
        if journal.exists():
            with journal.open("r+b") as file:
                for line in file:
                    if not line.endswith(b"\n"):
                        break
                    entry = json.loads(line)
                    self.add(entry)
                    after, end = entry["id"], end + len(line)
                file.truncate(end)
        return after

    def written(self, target: Path, *, is_whole: bool) -> Written:
        return Written(
            target, is_whole, self.traces, self.rows, dict(self.lost), self.left_out_count, tuple(self.left_out)
        )


# --- from the journal to the file -----------------------------------------------------------------------------------


def _publish(format: Format, journal: Path, target: Path) -> None:
    def rows() -> Iterator[Row]:
        with journal.open("rb") as lines:
            for line in lines:
                yield from json.loads(line)["rows"]

    if target.suffix == ".parquet":
        _whole(target, lambda file: _write_columns(format, rows(), file, target.parent))
    elif target.suffix == ".json":
        _whole(target, lambda file: _write_list(rows(), file))
    else:
        _whole(target, lambda file: file.writelines(json_line(row) for row in rows()))


def _whole(target: Path, write: Callable[[Any], object]) -> None:
    """A file that appears with all that it names on disk, or not at all."""
    unfinished = target.with_name(f".{target.name}.unfinished")
    with unfinished.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    if hasattr(os, "sync"):
        os.sync()  # once for the pictures, instead of once for each
    unfinished.replace(target)


def _write_list(rows: Iterable[Row], file: Any) -> None:
    before = b"[\n"
    for row in rows:
        file.write(before + json_line(row)[:-1])
        before = b",\n"
    file.write(b"[]\n" if before == b"[\n" else b"\n]\n")


def _write_columns(format: Format, rows: Iterable[Row], file: Any, out: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    assert format.schema is not None, f"the format {format.name} makes columns and needs their schema"
    schema = format.schema()
    stored = pyarrow.schema([field.with_type(_stored(field.type)) for field in schema])
    with parquet.ParquetWriter(file, schema) as writer:
        for batch in _batches(_embedded(row, format.embedded, out) for row in rows):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=stored).cast(schema))


def _stored(type: Any) -> Any:
    """How a column's values are stored: pyarrow makes no lists of an extension type, such as JSON, but casts to them."""
    import pyarrow

    if isinstance(type, pyarrow.BaseExtensionType):
        return type.storage_type
    return pyarrow.list_(_stored(type.value_type)) if pyarrow.types.is_list(type) else type


def _embedded(row: Row, columns: tuple[str, ...], out: Path) -> Row:
    """The row with the bytes of the pictures that these columns name by `{"path"}`, one or a list."""

    def with_bytes(picture: Any) -> Any:
        return None if picture is None else {**picture, "bytes": (out / picture["path"]).read_bytes()}

    found = {name: row[name] for name in columns}
    return {**row} | {
        name: [with_bytes(one) for one in value] if isinstance(value, list) else with_bytes(value)
        for name, value in found.items()
    }


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += _bytes_in(row)
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _bytes_in(value: Any) -> int:
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_bytes_in, value.values()))
    return sum(map(_bytes_in, value)) if isinstance(value, list) else 8
