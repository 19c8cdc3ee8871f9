"""V* (arXiv 2312.14135): small objects in pictures of megapixels; option letter, both categories apart.

Data set craigwu/vstar_bench, file test_questions.jsonl (its split test), 191 rows: 115 direct_attributes and 76
relative_position. Fields: `image` (a path in the repository), `text` (the question, then a line "(A) ..." for each option, then
an instruction), `label` (a letter), `category`, `question_id`. Beside every picture lies a JSON file with `bbox`, a list of
[x, y, width, height] in pixels.

Known from: the viewer of the data set (one split, test, 191 rows), public loaders of it (test_questions.jsonl; a row with its
option lines as inspect_evals reads it), and public notes on direct_attributes/sa_4690.json ("bbox <x,y,w,h>: [564, 142, 155,
157]").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from PIL import Image

from engine.errors import InvalidBox, InvalidInput, Unavailable
from engine.evaluation.published.source import Asked, Fetch, Published, Row
from engine.trace import Box, Evidence, Example

__all__ = ["VSTAR"]

_OPTION = re.compile(r"\s*\(([A-Z])\)\s*(.+?)\s*$")


def read_question(text: str) -> tuple[str, tuple[str, ...]]:
    """The question and its options; what follows the options tells how to answer, which is the protocol's part. Raises
    InvalidInput where there are no options."""
    lines = text.splitlines()
    found = [match for line in lines if (match := _OPTION.match(line))]
    letters = [match[1] for match in found]
    if not found or letters != [chr(ord("A") + k) for k in range(len(found))]:
        raise InvalidInput(f"V*: lines '(A) ...', '(B) ...' are expected in the text, not {text[:120]!r}")
    question = [line.strip() for line in lines[: lines.index(found[0].string)]]
    return "\n".join(line for line in question if line), tuple(match[2] for match in found)


def _rows(fetch: Fetch) -> Iterator[Row]:
    for line in fetch("test_questions.jsonl").read_text(encoding="utf-8").split("\n"):
        if line.strip():
            yield json.loads(line)


def _asked(row: Row, fetch: Fetch) -> Iterable[Asked]:
    question, options = read_question(row["text"])
    evidence = _evidence(row["image"], fetch)
    yield Example(question, (), row["label"], options, evidence, category=row["category"]), fetch(row["image"])


def _evidence(image: str, fetch: Fetch) -> Evidence | None:
    """The boxes of the target objects, None where the repository has none for this picture."""
    try:
        labels = json.loads(fetch(image.rsplit(".", 1)[0] + ".json").read_text(encoding="utf-8"))
    except (Unavailable, ValueError):
        return None
    with Image.open(fetch(image)) as picture:
        width, height = picture.size
    boxes = []
    for x, y, w, h in labels.get("bbox", ()):
        try:
            boxes.append(Box(max(0, x) / width, max(0, y) / height, min(1, (x + w) / width), min(1, (y + h) / height)))
        except InvalidBox:
            return None
    return Evidence(boxes=tuple(boxes)) if boxes else None


VSTAR = Published("vstar", "craigwu/vstar_bench", None, 191, "letter", _rows, _asked)
