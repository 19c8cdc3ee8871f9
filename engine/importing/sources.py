"""What a person named, opened: where its files lie, its table, and the other tables that could be meant.

    csv tsv jsonl json parquet   a table; its pictures lie beside it or below its folder
    folder, zip                  pictures, with the one table among them, or else without: then each picture is a row
    dataset                      a folder that `datasets` saved (save_to_disk)
    hub                          a data set of the Hugging Face Hub by its name, streamed
    auto                         one of these, by what is there

Invariant: nothing is read but what is needed to know the columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal, get_args

from engine.errors import InvalidInput
from engine.importing.arrow_tables import is_saved_dataset, open_hub, open_parquet, open_saved, read_address
from engine.importing.candidates import Fetch
from engine.importing.delimited import open_delimited
from engine.importing.json_tables import open_json, open_json_lines
from engine.importing.places import FolderPlace, Place, ZipPlace, spooled
from engine.importing.tables import Row, Table
from engine.media import ACCEPTED_EXTENSIONS

__all__ = ["FILE_COLUMNS", "FORMATS", "Format", "Opened", "Source", "name_for", "open_source"]

Format = Literal["auto", "csv", "tsv", "jsonl", "json", "parquet", "folder", "zip", "dataset", "hub"]
FORMATS: tuple[Format, ...] = get_args(Format)
_TABLES: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
}
FILE_COLUMNS = ("file", "name", "folder")
"""The columns of a folder without a table: a picture's path, its name without the ending, the folder it lies in."""


@dataclass(frozen=True, slots=True)
class Source:
    """What to read: a path of this machine, or with the format hub a data set's name. `table` names one of several tables of
    a folder or zip ("." for none of them: the pictures alone), `split` and `config` a part of a data set. `is_confined`: it
    came from a browser, and its tables find nothing outside it."""

    path: str
    format: Format = "auto"
    table: str = ""
    split: str = ""
    config: str = ""
    is_confined: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Source:
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})


@dataclass(frozen=True, slots=True)
class Opened:
    """`tables` are all that could be read here, `table_name` the one that is ("" for none); `folder` is that of the table
    within the place."""

    place: Place
    table: Table
    folder: str
    table_name: str
    tables: tuple[str, ...]
    fetch: Fetch | None = None


@dataclass(frozen=True, slots=True)
class FileTable:
    """A folder without a table: a row for each picture and clip, by name."""

    place: Place
    columns: Sequence[str] = FILE_COLUMNS
    notes: Sequence[str] = ("There is no table: each picture is an example.",)

    def rows(self, after: int = 0) -> Iterator[Row]:
        for number, written in enumerate(self._names()[after:], after + 1):
            name = PurePosixPath(written)
            yield Row(number, {"file": str(name), "name": name.stem, "folder": name.parent.name})

    def count(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        return [name for name in self.place.names if PurePosixPath(name).suffix.lower() in ACCEPTED_EXTENSIONS]


def open_source(source: Source) -> Opened:
    """Raises InvalidInput and Unavailable."""
    if source.format == "hub":
        nowhere = FolderPlace(Path(source.path), is_confined=True, is_searched=False)
        table = open_hub(source.path, source.config, source.split)
        return Opened(nowhere, table, "", "", (), read_address)
    path = Path(source.path)
    if not path.exists():
        raise InvalidInput(f"there is nothing at {source.path}")
    format = source.format if source.format != "auto" else _format_of(path)
    if format == "dataset" or format == "folder" and is_saved_dataset(path):
        return Opened(FolderPlace(path, source.is_confined), open_saved(path, source.split), "", "", ())
    if format == "folder":
        if not path.is_dir():
            raise InvalidInput(f"{source.path} is no folder")
        return _open_place(FolderPlace(path, source.is_confined), source.table)
    if path.is_dir():
        raise InvalidInput(f"{source.path} is a folder, and no {format}")
    if format == "zip":
        return _open_place(ZipPlace(path), source.table)
    place = FolderPlace(path.parent, source.is_confined, is_searched=source.is_confined)
    return Opened(place, _open_table([path.name], format, place), "", path.name, ())


def name_for(source: Source) -> str:
    """What the data set is called where nobody says otherwise: the folder's or file's name, the last part of a Hub name."""
    last = PurePosixPath(source.path.rstrip("/").replace("\\", "/")).name
    path = Path(last)
    is_file = path.suffix.lower() in (*_TABLES, ".zip")
    return "".join(letter for letter in (path.stem if is_file else last) if letter.isprintable())[:100] or "examples"


def _format_of(path: Path) -> Format:
    if path.is_dir():
        return "folder"
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return "zip"
    if suffix in _TABLES:
        return _TABLES[suffix]
    raise InvalidInput(
        f"{path.name} is neither a folder nor a zip nor one of {', '.join(_TABLES)}; say its format where it is one of them "
        "under another name"
    )


def _open_place(place: Place, table: str) -> Opened:
    """The table that is named, the only one, the one at the top, or the pictures alone."""
    tables = [name for name in place.names if PurePosixPath(name).suffix.lower() in _TABLES]
    pictures = any(PurePosixPath(name).suffix.lower() in ACCEPTED_EXTENSIONS for name in place.names)
    if table == "." or not tables:
        if not pictures:
            raise InvalidInput("there is neither a picture nor a table here")
        return Opened(place, FileTable(place), "", "", tuple(tables))
    if table and table not in tables:
        raise InvalidInput(f"there is no table {table!r} here; there are {', '.join(tables[:20])}")
    chosen = [table] if table else _likeliest(tables)
    folder = str(PurePosixPath(chosen[0]).parent)
    opened = _open_table(chosen, _TABLES[PurePosixPath(chosen[0]).suffix.lower()], place)
    return Opened(place, opened, "" if folder == "." else folder, chosen[0], tuple(tables))


def _likeliest(tables: Sequence[str]) -> list[str]:
    """Every parquet part of one folder, or one table: of the least depth, JSONL first."""
    if (
        all(name.lower().endswith(".parquet") for name in tables)
        and len({str(PurePosixPath(n).parent) for n in tables}) == 1
    ):
        return list(tables)
    order = list(_TABLES)
    return [min(tables, key=lambda name: (name.count("/"), order.index(PurePosixPath(name).suffix.lower()) != 3, name))]


def _open_table(names: Sequence[str], format: str, place: Place) -> Table:
    name = names[0]
    open_file = partial(place.open, name)
    if format in ("csv", "tsv"):
        return open_delimited(open_file, name)
    if format == "jsonl":
        return open_json_lines(open_file, name)
    if format == "json":
        with open_file() as file:
            size = _size(file)
        return open_json(open_file, size, name)
    if format != "parquet":
        raise InvalidInput(f"there is no format {format!r}; there are {', '.join(FORMATS)}")
    return open_parquet([(_seekable(place, one), one) for one in names])


def _size(file: BinaryIO) -> int:
    try:
        return file.seek(0, 2)
    except (OSError, ValueError, EOFError):
        return 0


def _seekable(place: Place, name: str) -> Callable[[], BinaryIO]:
    """A zip's member is read anew from its beginning at each step back, so a parquet in one is held in memory."""

    def open_file() -> BinaryIO:
        file = place.open(name)
        if isinstance(place, FolderPlace):
            return file
        with file:
            return spooled(file)

    return open_file
