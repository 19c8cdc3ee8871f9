"""TallyQA-Complex (arXiv 1810.12440): counting with a condition; the first whole number or number word must be right.

Data set vikhyatk/tallyqa-test, split test, 26.5k rows of one picture each. Fields: `image` and `qa`, a list of
{`question`, `answer`, `is_simple`, ...}. Complex are the questions with `is_simple` false.

Known from: the viewer of the data set (split test, 26.5k rows) and the evaluation of Moondream, its author's model
(`for qa in row["qa"]: qa["question"], qa["answer"], qa["is_simple"]`).
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.evaluation.published.source import Asked, Fetch, Published, Row, stream
from engine.trace import Example

__all__ = ["TALLYQA_COMPLEX"]

_DATASET = "vikhyatk/tallyqa-test"
_SUFFIX = "\nAnswer with a number."


def _asked(row: Row, fetch: Fetch) -> Iterable[Asked]:
    for one in row["qa"]:
        if not one["is_simple"]:
            yield Example(one["question"].strip(), (), str(one["answer"])), row["image"]["bytes"]


TALLYQA_COMPLEX = Published(
    "tallyqa-complex", _DATASET, None, None, "number", lambda fetch: stream(_DATASET, None, "test"), _asked, _SUFFIX
)
