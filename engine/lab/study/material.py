"""Examples drawn once and read by every part that trains or evaluates: a line of JSON each (`engine.trace_json`),
their files in one media folder.

The idea: drawing and encoding a picture takes longer than answering a question about it, and ten policies are asked the same
ones. What is read back are the file's own pixels, with the losses of JPEG and MP4, as in `python -m engine evaluate`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import StudioError
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed
from engine.lab.study.folder import write_whole
from engine.lab.study.plan import SOURCES, Draw
from engine.media import MediaFolder
from engine.trace import Example
from engine.trace_json import example_from_json, example_to_json

__all__ = ["Stopped", "draw_examples", "media_folder", "posed_in", "questions_in"]

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
        example = replace(drawn.example, media=tuple(media.take(file).media for file in drawn.files))
        lines.append(json.dumps(example_to_json(example), ensure_ascii=False))
        on_progress(len(lines), part.count)
    write_whole(path, "\n".join(lines) + "\n")
    return len(lines)


def posed_in(path: Path, media: MediaFolder) -> Iterator[Posed]:
    """The examples of a list, loaded one by one as they are asked for."""
    return (Posed(example, media.pictures(example.media)) for example in questions_in(path))


def questions_in(path: Path) -> list[Example]:
    """The examples of a list; a source ends in the name that `engine.evaluation.benchmarks` gave."""
    return [_read(json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]


def _read(data: Mapping[str, Any]) -> Example:
    # A study that was begun by an earlier version has one medium and a name.
    media = data["media"] if isinstance(data["media"], list) else [data["media"]]
    return example_from_json({"source": data.get("name"), **data, "media": media})
