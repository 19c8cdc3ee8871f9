"""InfographicsVQA (arXiv 2104.12756): texts and numbers on posters; ANLS, the best over the gold answers.

Data set lmms-lab/DocVQA, configuration InfographicVQA, split validation, 2,801 rows (the answers of test are not public). Fields:
`questionId`, `question`, `answers` (a list), `answer_type`, `image`, `image_url`, `operation/reasoning`, `ocr`, `data_split`.

Known from: the data set's own card (dataset_info) and lmms-eval's task infovqa_val, whose prompt this is.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.evaluation.published.source import Asked, Fetch, Published, Row, stream
from engine.trace import Example

__all__ = ["INFOGRAPHICSVQA"]

_DATASET = "lmms-lab/DocVQA"
_SUFFIX = "\nAnswer the question using a single word or phrase."


def _asked(row: Row, fetch: Fetch) -> Iterable[Asked]:
    answers = tuple(row["answers"] or ())
    answer = answers[0] if answers else None  # unscored
    yield Example(row["question"].strip(), (), answer, other_answers=answers[1:]), row["image"]["bytes"]


INFOGRAPHICSVQA = Published(
    "infographicsvqa",
    _DATASET,
    None,
    2_801,
    "anls",
    lambda fetch: stream(_DATASET, "InfographicVQA", "validation"),
    _asked,
    _SUFFIX,
)
