"""What a reader found into the store: media into the folder, traces with all that is known of them, examples.

Invariants: a row comes in whole or not at all; what cannot come in is told with its place and reason, and the rest goes on;
what is here already adds nothing. A medium is only taken once its row is understood and its pixels are those that the row
speaks of.

Not covered: tables of a person's own (`engine.importing`), background work (`engine.jobs`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.errors import IntegrityError, InvalidInput, PersonError
from engine.evaluation.examples import require_usable
from engine.exchange.files import Kept, Source, load
from engine.exchange.format import Brought, Question, Read, Refused
from engine.media import MediaFolder, Sampling
from engine.store import Store
from engine.trace import Media

__all__ = ["Arrival", "Arrived", "arrive", "take_in"]

_TOLD = 10_000
"""How many refused rows are listed; later ones are counted."""


@dataclass(slots=True)
class Arrived:
    """`rows` were read; `traces` and `examples` came in, `known` were here already. `refused` lists the first of
    `refused_count` rows, `notes` counts what was read otherwise than it stood there."""

    rows: int = 0
    traces: int = 0
    examples: int = 0
    known: int = 0
    refused_count: int = 0
    refused: list[Refused] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)

    def sentence(self) -> str:
        came = [(self.traces, "trace"), (self.examples, "example")]
        parts = [f"{count:,} {what}{'' if count == 1 else 's'} came in" for count, what in came if count]
        parts = parts or ["nothing came in"]
        parts += [f"{self.known:,} {'was' if self.known == 1 else 'were'} there already"] if self.known else []
        refused = self.refused_count
        return ", ".join(parts + ([f"{refused:,} row{'' if refused == 1 else 's'} could not"] if refused else []))


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where rows go: `author` is written with traces that name nobody, `data_set` is where examples stand."""

    store: Store
    media: MediaFolder
    author: str
    data_set: str


def arrive(
    reads: Iterable[Read],
    into: Arrival,
    *,
    after: int = 0,
    on_row: Callable[[Arrived, Refused | None], None] = lambda arrived, refused: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[Arrived, bool]:
    """Takes in every row behind the first `after`; what came of them, and whether that was all. `on_row` is called after
    each, with the row's refusal if there was one, and `should_stop` before each."""
    arrived = Arrived()
    for number, read in enumerate(reads, 1):
        if number <= after:
            continue
        if should_stop():
            return arrived, False
        refused = read if isinstance(read, Refused) else None
        if not isinstance(read, Refused):
            try:
                is_new = take_in(read, into)
                arrived.known += not is_new
                arrived.traces += is_new and isinstance(read, Brought)
                arrived.examples += is_new and isinstance(read, Question)
                arrived.notes.update(read.notes if is_new and isinstance(read, Brought) else ())
            except (PersonError, IntegrityError) as error:
                refused = Refused(read.place, str(error))
        arrived.rows = number
        if refused is not None:
            arrived.refused_count += 1
            if len(arrived.refused) < _TOLD:
                arrived.refused.append(refused)
        on_row(arrived, refused)
    return arrived, True


def take_in(read: Brought | Question, into: Arrival) -> bool:
    """Stores a trace or an example with its media; False where it is here already. Raises PersonError or IntegrityError, and
    then nothing refers to what was taken."""
    if isinstance(read, Question):
        files = [source.folder.path(source.sha256) if isinstance(source, Kept) else source for source in read.files]
        media = tuple(into.media.take(file).media for file in files)
        example = replace(read.example, media=media)
        require_usable(example)
        called = [_name_of(source) for source in read.files]
        recorded = into.store.examples.record(into.data_set, example, original_id=read.original_id, file_names=called)
        return recorded is not None
    dossier = read.dossier
    for source, medium in zip(read.files, dossier.trace.media, strict=True):
        _take(source, medium, read.sampling, into.media)
    names = dossier.names or tuple(map(_name_of, read.files))
    return into.store.dossiers.record(replace(dossier, author=dossier.author or into.author, names=names))


def _take(source: Source, medium: Media, sampling: Sampling | None, media: MediaFolder) -> None:
    """Has the medium in the folder, with the frames that a trace means. Raises InvalidInput where it is another one."""
    found = load(source, sampling)
    if found.media != medium:
        raise InvalidInput(f"the medium {medium.sha256} is not what the trace says of it: {found.media} was found")
    if isinstance(source, Kept):
        media.copy(medium.sha256, source.folder)
    else:
        media.take(source, sampling)
    if medium.kind == "video" and media.load(medium.sha256).times_s != found.times_s:
        raise InvalidInput(
            f"the clip {medium.sha256} is here already with other frames of it taken, so numbers would not fit"
        )


def _name_of(source: Source) -> str:
    """The name of a file that somebody named; our own are named by their hash."""
    return source.name if isinstance(source, Path) and not re.fullmatch("[0-9a-f]{64}.*", source.name) else ""
