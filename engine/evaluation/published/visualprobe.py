"""VisualProbe (Mini-o3, arXiv 2509.07969): small things in large, crowded pictures; free answers, as text.

Data sets Mini-o3/VisualProbe_Easy, _Medium and _Hard, one file val.json each (a list), 106 rows in the hard one. Fields:
`images` (a list of paths, some of which begin with the data set's own name), `problem` (with a mark `<image>`), `solution`,
`doc_id`, `data_source`.

Known from: the file lists of the three data sets, Mini-o3's README (image_key=images, answer_key=solution), and public evaluators
of it, which read `problem` and take the data set's name off a path. There a language model judges each answer, and 32 of
them are averaged; ours must say the same words, so it scores lower than those tables.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

from engine.evaluation.published.source import Asked, Fetch, Published, Row
from engine.trace import Example

__all__ = ["VISUALPROBE_EASY", "VISUALPROBE_HARD", "VISUALPROBE_MEDIUM"]


def _rows(fetch: Fetch) -> Iterator[Row]:
    yield from json.loads(fetch("val.json").read_text(encoding="utf-8"))


def _asking(name: str) -> Callable[[Row, Fetch], Iterable[Asked]]:
    def asked(row: Row, fetch: Fetch) -> Iterable[Asked]:
        question = row["problem"].replace("<image>", "").strip()
        path = row["images"][0].removeprefix("./").removeprefix(f"{name}/")
        yield Example(question, (), str(row["solution"]).strip()), fetch(path)

    return asked


def _published(level: str, count: int | None) -> Published:
    name = f"VisualProbe_{level}"
    return Published(f"visualprobe-{level.lower()}", f"Mini-o3/{name}", None, count, "text", _rows, _asking(name))


VISUALPROBE_EASY, VISUALPROBE_MEDIUM = _published("Easy", None), _published("Medium", None)
VISUALPROBE_HARD = _published("Hard", 106)
