"""Where examples come from, by name: what a job of attempts or an evaluation runs over.

    drawn       a drawn benchmark, its examples of a seed
    published   a benchmark of the Hugging Face Hub
    file        an EXAMPLES.jsonl of a person's own
    imported    a data set that was brought into the store
    accepted    what the accepted traces of the store are attempts at, as they were when the job was planned

The idea: a `Source` is plain data that a job remembers, and `offered` gives its examples in an order that never changes,
each with its pixels only when they are asked for: whoever goes on from the 500th decodes none of those before.

Invariants: the k-th example of a source is the same one at every run, or the run is refused (a file is held by its SHA-256);
clips are seen as the media folder keeps them, where it does.
Not covered: what a job does with them (`engine.jobs.attempts`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from engine.errors import InvalidInput, NotFound
from engine.evaluation.drawing import draw_beside
from engine.evaluation.drawn import ABSENT, benchmark_named, drawn_benchmarks, required_benchmark
from engine.evaluation.examples import Posed, Unposed, pose, read_examples
from engine.evaluation.published.benchmarks import PUBLISHED, published_named
from engine.evaluation.published.source import unposed_published
from engine.media import MediaFolder, Sampling
from engine.store import Revision, Store
from engine.trace import Example

__all__ = ["ACCEPTED", "Offered", "Source", "accepted_revisions", "offered", "question_of", "source_named"]

ACCEPTED = "accepted"
"""The name of the source that is the store's accepted traces."""


@dataclass(frozen=True, slots=True)
class Source:
    """`name` is a benchmark's, a data set's, or a file's absolute path; `count` how many examples there are (None where only
    the end will tell), of which the first `limit` are taken; `seed` is that of a drawn benchmark, `sha256` that of a file."""

    kind: Literal["drawn", "published", "file", "imported", "accepted"]
    name: str
    limit: int | None = None
    count: int | None = None
    seed: int = 0
    sha256: str | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise InvalidInput(f"the number of examples is a whole number from 1, not {self.limit}")

    @property
    def size(self) -> int | None:
        """How many examples are taken, None where only the end will tell."""
        return self.limit if self.count is None else min(self.count, self.limit or self.count)

    @property
    def title(self) -> str:
        """The name for people: a file's without its folder."""
        return Path(self.name).name if self.kind == "file" else self.name

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Source:
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Offered:
    """An example that nobody has looked at yet. `pose` loads its pixels; `files` are paths, or the bytes of files, that are
    in no media folder yet."""

    pose: Callable[[], Posed]
    files: tuple[Path | bytes, ...] = ()


def source_named(name: str, store: Store, *, limit: int | None = None, seed: int = 0) -> Source:
    """What a person calls `name`: a benchmark, a data set, a path, or "accepted". Raises InvalidInput where there is no such
    thing, and for the first line of a file that is not as it should be."""
    if benchmark := benchmark_named(name):
        return Source("drawn", name, limit, None if limit else benchmark.count, seed)
    if published := published_named(name):
        return Source("published", name, limit, published.count)
    if data_set := next((one for one in store.examples.data_sets() if one.name == name), None):
        return Source("imported", name, limit, data_set.count)
    if name == ACCEPTED:
        if not (found := accepted_revisions(store)):
            raise InvalidInput("no trace is accepted yet: accept some in the studio first")
        return Source("accepted", name, limit, len(found))
    path = Path(name)
    if not path.is_file():
        drawn = ", ".join(one.name for one in drawn_benchmarks()) or ABSENT
        raise InvalidInput(
            f"there is neither a benchmark nor a data set nor a file {name!r}; the benchmarks of the Hugging Face Hub are "
            f"{', '.join(one.name for one in PUBLISHED)}; drawn ones are {drawn}; {ACCEPTED} are the accepted traces"
        )
    count = len(read_examples(path))
    return Source("file", str(path.absolute()), limit, count, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def offered(
    source: Source,
    store: Store,
    media: MediaFolder,
    sampling: Sampling,
    revision_ids: Sequence[str] = (),
    excluded: Collection[str] = (),
) -> Iterator[Offered]:
    """The examples of `source` in their order. `sampling` is what the policy's protocol asks for of clips; `revision_ids` are
    what the job of an "accepted" source remembers, of which those on the media `excluded` (sha256) are passed over.

    Raises InvalidInput, InvalidMedia, NotFound and Unavailable as they come up, and InvalidInput where a file has changed.
    """
    return islice(_every(source, store, media, sampling, revision_ids, excluded), source.size)


def _every(
    source: Source,
    store: Store,
    media: MediaFolder,
    sampling: Sampling,
    revision_ids: Sequence[str],
    excluded: Collection[str],
) -> Iterator[Offered]:
    if source.kind == "accepted":
        for example in _questions(store, revision_ids):
            if not any(medium.sha256 in excluded for medium in example.media):
                yield Offered(partial(_stored, example, media))
        return
    if source.kind == "imported":
        for one in store.examples.all_of(source.name):
            yield Offered(partial(_stored, one.example, media))
        return
    for unposed in _unposed(source):
        yield Offered(partial(_pose, unposed, media, sampling), unposed.files)


def _unposed(source: Source) -> Iterable[Unposed]:
    if source.kind == "drawn":
        return draw_beside(required_benchmark(source.name), source.limit or source.count, source.seed)
    if source.kind == "published":
        if (published := published_named(source.name)) is None:
            raise NotFound(f"there is no published benchmark {source.name!r}")
        return unposed_published(published)
    path = Path(source.name)
    lines = read_examples(path)
    if source.sha256 not in (None, hashlib.sha256(path.read_bytes()).hexdigest()):
        raise InvalidInput(f"{path} has changed since the job was begun; start a new job on what it is now")
    return lines


def _stored(example: Example, media: MediaFolder) -> Posed:
    return Posed(example, media.pictures(example.media))


def _pose(unposed: Unposed, media: MediaFolder, sampling: Sampling) -> Posed:
    posed = pose(unposed, media.limits, sampling)
    kept = {
        sha256: media.load(sha256) if loaded.media.kind == "video" and media.has(sha256) else loaded
        for sha256, loaded in posed.pictures.items()
    }
    return Posed(posed.example, kept)


def accepted_revisions(store: Store) -> list[str]:
    """The ids of accepted heads, one for each question about the same media."""
    found: dict[tuple[object, ...], str] = {}
    for revision in store.reviews.accepted():
        found.setdefault((revision.trace.question, revision.trace.media), revision.id)
    return list(found.values())


def question_of(store: Store, revision: Revision) -> Example:
    """What a revision is an attempt at; where its answer is not known, the one that the revision gives counts as right."""
    example = store.traces.get(revision.trace_id).example
    return example if example.answer is not None else dataclasses.replace(example, answer=revision.trace.answer)


def _questions(store: Store, revision_ids: Sequence[str]) -> Iterator[Example]:
    return (question_of(store, store.revisions.get(one)) for one in revision_ids)
