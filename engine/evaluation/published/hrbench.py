"""HR-Bench 4K and 8K (arXiv 2408.15556): single objects and relations across pictures of 4K and 8K; option letter.

Data set DreamMr/HR-Bench, files hr_bench_4k.parquet and hr_bench_8k.parquet, 800 rows each: 200 questions with their options in
four orders (`cycle_category`), all of which count alike. Fields: `index`, `question`, `answer` (a letter), `category` (single
or cross), `A`, `B`, `C`, `D`, `cycle_category`, `image` (base64 of a JPEG).

Known from: the file list of the data set, the card of its mirror ohjoonhee/HR-Bench (dataset_info, 800 rows a split) and
lmms-eval's task hrbench. There a language model reads unclear answers; ours counts them wrong.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator

from engine.evaluation.published.source import Asked, Fetch, Published, Row, stream
from engine.trace import Example

__all__ = ["HR_BENCH_4K", "HR_BENCH_8K"]

_DATASET = "DreamMr/HR-Bench"


def _asked(row: Row, fetch: Fetch) -> Iterable[Asked]:
    options = tuple(str(row[letter]) for letter in "ABCD" if row.get(letter) is not None)
    picture = base64.b64decode(row["image"])
    yield Example(row["question"].strip(), (), row["answer"].strip(), options, category=row["category"]), picture


def _rows(file: str) -> Callable[[Fetch], Iterator[Row]]:
    # A file that is named is always the split "train".
    return lambda fetch: stream(_DATASET, None, "train", file)


HR_BENCH_4K = Published("hr-bench-4k", _DATASET, None, 800, "letter", _rows("hr_bench_4k.parquet"), _asked)
HR_BENCH_8K = Published("hr-bench-8k", _DATASET, None, 800, "letter", _rows("hr_bench_8k.parquet"), _asked)
