"""Parquet, and data sets of the `datasets` library: saved in a folder, or streamed from the Hugging Face Hub.

Pictures stay what they are in the file, {"bytes", "path"} of an Image or Video feature: nothing is decoded here. A class
label comes as its name. What the library would load by running a data set's own script it does not load: since version 4
`datasets` runs none.

Invariant: rows are read a few at a time, so memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import InvalidInput, Unavailable
from engine.importing.tables import Row

__all__ = ["DatasetTable", "ParquetTable", "is_saved_dataset", "open_hub", "open_parquet", "open_saved", "read_address"]

_ROWS_AT_ONCE = 16
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """`files` are parts of one table, in order, with their numbers of rows."""

    files: Sequence[tuple[Callable[[], BinaryIO], int]]
    columns: Sequence[str]
    notes: Sequence[str] = ()

    def rows(self, after: int = 0) -> Iterator[Row]:
        import pyarrow.parquet as parquet

        number = 0
        for open_file, count in self.files:
            if number + count <= after:
                number += count
                continue
            with open_file() as file:
                # Not read ahead and not mapped: a column of pictures would be in memory by the row group.
                table = parquet.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES)
                for batch in table.iter_batches(_ROWS_AT_ONCE, use_threads=False):
                    if number + batch.num_rows <= after:
                        number += batch.num_rows
                        continue
                    for values in batch.to_pylist():
                        number += 1
                        if number > after:
                            yield Row(number, values)

    def count(self) -> int:
        return sum(count for _, count in self.files)


@dataclass(frozen=True, slots=True)
class DatasetTable:
    """A `Dataset` or `IterableDataset` whose pictures are not decoded; `length` is None where nobody knows it."""

    data: Any
    columns: Sequence[str]
    labels: Mapping[str, Any]
    length: int | None
    notes: Sequence[str] = ()

    def rows(self, after: int = 0) -> Iterator[Row]:
        data = self.data.skip(after) if after else self.data
        try:
            for number, values in enumerate(data, after + 1):
                named = {
                    name: label.int2str(values[name]) for name, label in self.labels.items() if _is_label(values, name)
                }
                yield Row(number, {**values, **named})
        except (OSError, ValueError) as error:
            raise Unavailable(f"the data set cannot be read any further: {_first_sentence(error)}") from error

    def count(self) -> int | None:
        return self.length


def open_parquet(files: Sequence[tuple[Callable[[], BinaryIO], str]]) -> ParquetTable:
    """One table of all the files, which must have the same columns. Raises InvalidInput."""
    import pyarrow
    import pyarrow.parquet as parquet

    counted: list[tuple[Callable[[], BinaryIO], int]] = []
    columns: tuple[str, ...] | None = None
    for open_file, name in files:
        try:
            with open_file() as file:
                table = parquet.ParquetFile(file)
                names, count = tuple(table.schema_arrow.names), table.metadata.num_rows
        except (pyarrow.ArrowException, OSError) as error:
            raise InvalidInput(f"{name} cannot be read as parquet: {_first_sentence(error)}") from error
        if columns is not None and names != columns:
            raise InvalidInput(
                f"{name} has other columns ({', '.join(names)}) than {files[0][1]} ({', '.join(columns)})"
            )
        columns = names
        counted.append((open_file, count))
    return ParquetTable(counted, columns or ())


def is_saved_dataset(folder: Path) -> bool:
    """Whether `save_to_disk` wrote the folder."""
    return (folder / "dataset_dict.json").is_file() or (folder / "state.json").is_file()


def open_saved(folder: Path, split: str = "") -> DatasetTable:
    """A folder that `save_to_disk` wrote. Raises InvalidInput."""
    from datasets import DatasetDict, load_from_disk

    try:
        data = load_from_disk(str(folder))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{folder.name} cannot be read as a saved data set: {_first_sentence(error)}") from error
    note = ""
    if isinstance(data, DatasetDict):
        split, note = _chosen(split, list(data))
        data = data[split]
    return _undecoded(data, len(data), note)


def open_hub(name: str, config: str = "", split: str = "") -> DatasetTable:
    """A data set of the Hugging Face Hub, or a folder laid out like one, streamed. Raises Unavailable and InvalidInput."""
    from datasets import load_dataset
    from datasets.exceptions import DatasetNotFoundError

    try:
        splits = load_dataset(name, config or None, streaming=True)
        split, note = _chosen(split, list(splits))
        data = splits[split]
        if data.features is None:
            data = data._resolve_features()
    except DatasetNotFoundError as error:
        raise InvalidInput(
            f"there is no data set {name!r} on the Hub, or it is gated (log in with `hf auth login`)"
        ) from error
    except ValueError as error:
        if "onfig name is missing" in str(error):
            raise InvalidInput(
                f"{name} has several configurations; name one: {str(error).partition(chr(10))[0]}"
            ) from None
        raise Unavailable(f"{name} cannot be read from the Hub: {_first_sentence(error)}") from error
    except OSError as error:
        raise Unavailable(
            f"{name} cannot be read from the Hub ({_first_sentence(error)}); check the network, and that HF_HUB_OFFLINE is "
            "not set"
        ) from error
    counted = (data.info.splits or {}).get(split)
    return _undecoded(data, counted.num_examples if counted is not None else None, note)


def read_address(path: str) -> bytes:
    """The bytes of a file that a streamed data set names by the library's own address (hf://..., zip://...::...)."""
    from datasets.utils.file_utils import xopen

    with xopen(path, "rb") as file:
        return file.read()  # type: ignore[no-any-return]


def _chosen(split: str, splits: Sequence[str]) -> tuple[str, str]:
    """The split to read, and a note where it was chosen for the person. Raises InvalidInput."""
    if split in splits:
        return split, ""
    if split:
        raise InvalidInput(f"there is no split {split!r}; there are {', '.join(splits)}")
    if len(splits) == 1:
        return splits[0], ""
    return splits[0], f"The split {splits[0]!r} is read; there are also {', '.join(splits[1:])}."


def _undecoded(data: Any, count: int | None, note: str) -> DatasetTable:
    from datasets import ClassLabel, Image, List, Sequence, Video

    labels = {}
    for name, feature in list((data.features or {}).items()):
        if isinstance(feature, (Image, Video)):
            data = data.cast_column(name, type(feature)(decode=False))
        elif isinstance(feature, (List, Sequence)) and isinstance(feature.feature, (Image, Video)):
            data = data.cast_column(name, List(type(feature.feature)(decode=False)))
        elif isinstance(feature, ClassLabel):
            labels[name] = feature
    return DatasetTable(data, tuple(data.features or ()), labels, count, (note,) if note else ())


def _is_label(values: Mapping[str, Any], name: str) -> bool:
    value = values.get(name)
    return isinstance(value, int) and value >= 0


def _first_sentence(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
