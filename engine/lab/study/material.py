"""Examples drawn once and read by every part that trains or evaluates: a line each, their files in one media folder.

    {"name", "question", "media": {"sha256", "kind", "width", "height"}, "answer", "options"?, "evidence": {"boxes"} | {"frames"},
     "rule", "category", "difficulty"}

The idea: drawing and encoding a picture takes longer than answering a question about it, and ten policies are asked the same
ones. What is read back are the file's own pixels, with the losses of JPEG and MP4, as in `python -m engine evaluate`.

Invariant: `questions_in` gives the rule of the benchmark along with the example, so that RL rewards what evaluation scores.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import StudioError
from engine.evaluation.benchmarks import Drawn, draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed
from engine.lab.study.folder import write_whole
from engine.lab.study.plan import SOURCES, Draw
from engine.media import MediaFolder
from engine.trace import Box, Evidence, Example, Media
from engine.training.episodes import RlExample

__all__ = ["Stopped", "draw_examples", "media_folder", "names_in", "posed_in", "questions_in"]

_CACHE_BYTES = 256 * 2**20
"""Of decoded media, in each process."""


class Stopped(StudioError):
    """A part ended before its end because it was asked to; what it did so far is kept where that is possible."""


def media_folder(root: Path) -> MediaFolder:
    return MediaFolder(root, cache_bytes=_CACHE_BYTES)


def draw_examples(
    part: Draw, path: Path, media: MediaFolder, on_progress: Callable[[int, int], None], should_stop: Callable[[], bool]
) -> int:
    """Draw a part's examples; returns how many. Raises Stopped, and then leaves no list."""
    benchmark, source = required_benchmark(part.benchmark), SOURCES[part.purpose]
    lines = []
    for drawn in draw(benchmark, part.count, source.seed, source.split):
        if should_stop():
            raise Stopped(f"{part.name} was stopped")
        lines.append(json.dumps(_record(drawn, media.take(drawn.content).media), ensure_ascii=False))
        on_progress(len(lines), part.count)
    write_whole(path, "\n".join(lines) + "\n")
    return len(lines)


def posed_in(path: Path, media: MediaFolder) -> Iterator[Posed]:
    """The examples of a list, loaded one by one as they are asked for."""
    for record, example in _read(path):
        yield Posed(
            example,
            media.pictures(example.media),
            rule=record["rule"],
            category=record["category"],
            difficulty=record["difficulty"],
        )


def names_in(path: Path) -> list[str]:
    """The names of the examples of a list, as `engine.evaluation.benchmarks` gave them."""
    return [record["name"] for record, _ in _read(path)]


def questions_in(path: Path) -> list[RlExample]:
    """The examples of a list as RL takes them."""
    return [RlExample(example, record["rule"]) for record, example in _read(path)]


def _record(drawn: Drawn, media: Media) -> dict[str, Any]:
    evidence = drawn.evidence
    return {
        "name": drawn.name,
        "question": drawn.question,
        "media": dataclasses.asdict(media),
        "answer": drawn.answer,
        "options": [*drawn.options],
        "evidence": {"boxes": [box.as_list() for box in evidence.boxes], "frames": [*evidence.frames]},
        "rule": drawn.rule,
        "category": drawn.category,
        "difficulty": drawn.difficulty,
    }


def _read(path: Path) -> Iterator[tuple[Mapping[str, Any], Example]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        boxes, frames = record["evidence"]["boxes"], record["evidence"]["frames"]
        evidence = Evidence(tuple(Box(*box) for box in boxes), tuple(frames))
        media = (Media(**record["media"]),)
        yield record, Example(record["question"], media, record["answer"], tuple(record["options"]), evidence)
