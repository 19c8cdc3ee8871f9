"""From rows of the Hugging Face Hub to posed examples.

The idea: a published benchmark is a few lines of data (which data set, which split, which rule) and one pure function from a row
to `Asked`; everything that touches the network is here. So a benchmark's reading is tested on rows made by hand.

Invariant: rows come in the data set's order, so `--limit N` is always the same N. What cannot be read from the Hub raises
Unavailable (no network, no such file), what cannot be decoded raises InvalidMedia: no example is left out silently.

Not covered: scoring (`engine.evaluation.scoring`); gated data sets, for which the person logs in with `hf auth login`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from engine.errors import Unavailable
from engine.evaluation.examples import Posed, Unposed, pose
from engine.media import DEFAULT_LIMITS, MediaLimits, Sampling
from engine.trace import Example, Rule

__all__ = ["Asked", "Fetch", "Published", "Row", "download", "pose_published", "stream", "unposed_published"]

Row = Mapping[str, Any]
Fetch = Callable[[str], Path]
"""The local path of a file of the data set's repository, downloaded once. Raises Unavailable."""
Asked = tuple[Example, Path | bytes]
"""One question of a row, without media, rule and source, and its file: the bytes, or where it is on disk."""


@dataclass(frozen=True, slots=True)
class Published:
    """A benchmark on the Hub. `count` is how many questions it has (None where it is not known beforehand); `rows` reads the
    rows, and `asked` turns one into its questions."""

    name: str
    dataset: str
    revision: str | None
    count: int | None
    rule: Rule
    rows: Callable[[Fetch], Iterable[Row]]
    asked: Callable[[Row, Fetch], Iterable[Asked]]
    suffix: str = ""
    """What is added to each question; conventions of other projects add something else."""


def pose_published(
    benchmark: Published,
    limit: int | None = None,
    limits: MediaLimits = DEFAULT_LIMITS,
    fetch: Fetch | None = None,
    sampling: Sampling = "time",
) -> Iterator[Posed]:
    """The first `limit` examples, or all, one at a time as they are asked for. Raises Unavailable and InvalidMedia."""
    return (pose(one, limits, sampling) for one in islice(unposed_published(benchmark, fetch), limit))


def unposed_published(benchmark: Published, fetch: Fetch | None = None) -> Iterator[Unposed]:
    """All examples, with their media undecoded, one at a time as they are asked for. Raises Unavailable."""
    fetch = fetch or (lambda path: download(benchmark.dataset, path, benchmark.revision))
    every = (asked for row in benchmark.rows(fetch) for asked in benchmark.asked(row, fetch))
    for number, (example, file) in enumerate(every, 1):
        name = f"{benchmark.name}/{number}"
        question = example.question + benchmark.suffix
        yield Unposed(name, replace(example, question=question, rule=benchmark.rule, source=name), (file,))


def stream(dataset: str, config: str | None, split: str, files: str | None = None) -> Iterator[Row]:
    """The rows of a split without downloading the whole; pictures as {"bytes": ...}, undecoded. Raises Unavailable."""
    # Imported here: it takes seconds, and only who evaluates on the Hub needs it.
    from datasets import Image, load_dataset

    try:
        rows = load_dataset(dataset, config, split=split, data_files=files, streaming=True)
        for column, feature in (rows.features or {}).items():
            if isinstance(feature, Image):
                rows = rows.cast_column(column, Image(decode=False))
        yield from rows
    except (OSError, ValueError) as error:
        raise _unavailable(dataset, error) from error


def download(dataset: str, path: str, revision: str | None = None) -> Path:
    """A file of a data set's repository, from the Hub or its local cache. Raises Unavailable."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(hf_hub_download(dataset, path, repo_type="dataset", revision=revision))
    except (OSError, ValueError, HfHubHTTPError) as error:
        raise _unavailable(f"{dataset}/{path}", error) from error


def _unavailable(what: str, error: Exception) -> Unavailable:
    first_sentence = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".") or type(error).__name__
    return Unavailable(
        f"{what} cannot be read from the Hugging Face Hub ({first_sentence}); check the network, and that HF_HUB_OFFLINE is "
        "not set"
    )
