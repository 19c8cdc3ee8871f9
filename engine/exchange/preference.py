"""The format `preference`: of two ways to go on the better one, with TRL's columns for DPO, in one parquet file.

    prompt    the conversation so far, as in `engine.exchange.trl`
    chosen    [the better next turn of the assistant]
    rejected  [the worse one]
    images    the pictures of the prompt's placeholders
    tools, id, protocol, kind: "edit" | "choice"

An *edit* is the first step in which a trace that a person has changed differs from the model's own version of it. A *choice*
is the first step in which two attempts at one question differ, of which a person took one to be better. Both sides have the
same history. What was said after that step has no place: DPOTrainer takes no pictures in `chosen` and `rejected` (seen in
trl 1.16.0), and what an operation brought is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from engine.exchange.conversation import Turn, conversation
from engine.exchange.declared import AS_FRAMES, lose_clips
from engine.exchange.format import Format, Row
from engine.exchange.placeholders import ESCAPED
from engine.exchange.sheet import Sheet
from engine.exchange.trl import declarations, dumped, message, pictures
from engine.lessons import carries_loss, parting
from engine.protocols import protocol_named
from engine.store import Dossier
from engine.trace import Trace, shown_before

if TYPE_CHECKING:
    import pyarrow

__all__ = ["PREFERENCE"]

LATER = "turns after the first in which the two sides differ, most of them with pictures, which DPO cannot take"
UNTAKEN = "traces that nobody has changed and that were chosen over no other"
TIES = "choices in which neither attempt was better"
GONE = "choices whose other attempt is not in the store"
ALIKE = "pairs whose sides have no step that differs in what the model says"
WRONG = "pairs whose better side goes on with a step that is erroneous, has failed or was cut off"


@dataclass(frozen=True, slots=True)
class _Pair:
    kind: Literal["edit", "choice"]
    id: str
    chosen: Trace
    rejected: Trace


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    pairs = list(_pairs(dossier, sheet))
    sheet.lose(UNTAKEN, not pairs and not dossier.preferences)
    for pair in pairs:
        yield from _row(pair, dossier, sheet)


def _pairs(dossier: Dossier, sheet: Sheet) -> Iterator[_Pair]:
    first = dossier.versions[0] if dossier.versions else None
    if first is not None and first.hash != dossier.revision and dossier.status != "rejected":
        yield _Pair("edit", dossier.id, dossier.trace, first.trace)
    for one in dossier.preferences:
        if one.chosen[0] != dossier.id:
            continue  # it is written with the attempt that was chosen
        if one.is_tie:
            sheet.lose(TIES)
            continue
        sides = [_version(dossier, *side, sheet) for side in (one.chosen, one.rejected)]
        if sides[0] is None or sides[1] is None:
            sheet.lose(GONE)
        else:
            yield _Pair("choice", one.id, sides[0], sides[1])


def _version(dossier: Dossier, trace_id: str, revision: str, sheet: Sheet) -> Trace | None:
    own = (one.trace for one in dossier.versions if trace_id == dossier.id and one.hash == revision)
    return next(own, None) or sheet.find(trace_id, revision)


def _row(pair: _Pair, dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    place = parting(pair.chosen, pair.rejected)
    if place is None:
        sheet.lose(ALIKE)
        return
    if not carries_loss(pair.chosen.steps[place]):
        sheet.lose(WRONG)
        return
    protocol = sheet.options.protocol or pair.chosen.protocol
    (prompt, chosen, escaped), (_, rejected, more) = (
        _turns(replace(dossier, trace=side), place, protocol) for side in (pair.chosen, pair.rejected)
    )
    if chosen.text == rejected.text:
        sheet.lose(ALIKE)
        return
    lose_clips(dossier, protocol_named(protocol), sheet)
    sheet.lose(ESCAPED, max(escaped, more))
    sheet.lose(LATER, len(pair.chosen.steps) + len(pair.rejected.steps) - 2 * (place + 1))
    yield {
        "prompt": dumped(message(turn, protocol) for turn in prompt),
        "chosen": dumped([message(chosen, protocol)]),
        "rejected": dumped([message(rejected, protocol)]),
        "images": pictures(prompt, dossier, sheet),
        "tools": dumped(declarations(prompt, protocol)),
        "id": pair.id,
        "protocol": protocol,
        "kind": pair.kind,
    }


def _turns(dossier: Dossier, place: int, protocol: str) -> tuple[tuple[Turn, ...], Turn, int]:
    """The history of a step, its turn, and how many texts were escaped."""
    trace = dossier.trace
    step = trace.steps[place]
    shown = shown_before(trace.views, trace.steps)[place] + (len(step.observation.views) if step.observation else 0)
    until = replace(trace, steps=(*trace.steps[:place], step), views=trace.views[:shown])
    said = conversation(replace(dossier, trace=until), protocol_named(protocol))
    turns = said.turns if said.turns[-1].role == "assistant" else said.turns[:-1]
    return turns[:-1], turns[-1], said.escaped


def _schema() -> pyarrow.Schema:
    from datasets import Features, Image, Json, List, Value

    text, turns = Value("string"), List(Json())
    columns = {"prompt": turns, "chosen": turns, "rejected": turns, "images": List(Image()), "tools": turns}
    return Features(columns | {"id": text, "protocol": text, "kind": text}).arrow_schema


PREFERENCE = Format(
    name="preference",
    title="Preferences (DPO)",
    description="The model's step against the person's, and of two attempts the better one, for TRL's DPOTrainer.",
    file="preference.parquet",
    losses=(LATER, AS_FRAMES, UNTAKEN, TIES, GONE, ALIKE, WRONG, ESCAPED),
    needs_versions=True,
    rows=_rows,
    schema=_schema,
    embedded=("images",),
)
