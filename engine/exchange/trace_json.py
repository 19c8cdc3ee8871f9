"""The format `trace-json`: everything that the studio knows of its traces, as files.

    DIR/TRACES.jsonl     the head of each trace, JSON version 1 (engine.trace), and under "studio" what is known of it:
                         {"number", "status", "revision", "revision_hash", "author", ...what is known of the example
                          (engine.trace_json), "score", "confidence", "tags", "created_at", "updated_at", "names",
                          "policy_settings", "wanted",
                          "faithfulness": {"trajectory", "pretended", "ignored", "evidence_shares", "blanking"},
                          "tagged": [{"tag", "author", "created_at"}],
                          "reviews": [{"reviewer", "verdict", "reason", "created_at", "is_of_head", "revision_hash"}],
                          "adjudications": [{"author", "verdict", "reason", "created_at", "revision_hash"}],
                          "preferences": [{"id", "chosen", "rejected", "is_tie", "author", "reason", "created_at"}],
                          "revisions": [{"hash", "parent", "number", "author", "created_at", "trace"}]}
    DIR/media/           the originals, under their hash (engine.media.MediaFolder)

`names` are the file names under which the media came. A preference names its sides as {"trace", "revision_hash"}; it stands
with both of its traces. `revisions` are there where they were asked for: with them the hashes of another store come out the
same. Step indices (`pretended`, `ignored`, `blanking[k].step`) count from 0; a share that is not known is null, a review
that was taken back is left out.

Invariants: `trace_from_json(line)` is the head as the store has it. Not covered: drafts, reservations, assignments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.exchange.format import Format, Row
from engine.exchange.sheet import Sheet
from engine.faithfulness import faithfulness
from engine.store import Blanked, Decided, Dossier, Preferred, Reviewed, Tagged, Version
from engine.trace_json import known_to_json, trace_to_json

__all__ = ["EARLIER", "FILE_NAME", "TRACE_JSON", "trace_line"]

FILE_NAME = "TRACES.jsonl"
EARLIER = "edited traces whose earlier versions were not asked for, so that they have other hashes elsewhere"


def trace_line(dossier: Dossier) -> dict[str, Any]:
    """One line of TRACES.jsonl as a plain value."""
    return trace_to_json(dossier.trace, dossier.id) | {"studio": _known(dossier)}


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    for medium in dossier.trace.media:
        sheet.keep(medium.sha256)
    if dossier.revision_number > 1 and not dossier.versions:
        sheet.lose(EARLIER)
    yield trace_line(dossier)


def _known(dossier: Dossier) -> dict[str, Any]:
    labels = faithfulness(dossier.trace, dossier.example.evidence)
    known = {
        "number": dossier.number,
        "status": dossier.status,
        "revision": dossier.revision_number,
        "revision_hash": dossier.revision,
        "author": dossier.author,
        **known_to_json(dossier.example),
        "score": dossier.score,
        "confidence": dossier.confidence,
        "tags": [one.tag for one in dossier.tags],
        "created_at": dossier.created_at,
        "updated_at": dossier.updated_at,
        "names": list(dossier.names),
        "policy_settings": dict(dossier.policy_settings),
        "wanted": dossier.wanted,
        "faithfulness": {
            "trajectory": labels.trajectory,
            "pretended": list(labels.pretended),
            "ignored": list(labels.ignored),
            "evidence_shares": list(labels.evidence_shares),
            "blanking": [_blanked(one) for one in dossier.blanked],
        },
        "tagged": [_tagged(one) for one in dossier.tags],
        "reviews": [_reviewed(one) | {"is_of_head": one.revision == dossier.revision} for one in dossier.reviews],
        "adjudications": [_decided(one) for one in dossier.decisions],
        "preferences": [_preferred(one) for one in dossier.preferences],
    }
    return known | ({"revisions": [_version(one) for one in dossier.versions]} if dossier.versions else {})


def _blanked(one: Blanked) -> dict[str, Any]:
    said = {"step": one.step, "is_changed": one.is_changed, "answer": one.answer, "expected": one.expected}
    return said | {"created_at": one.created_at}


def _tagged(one: Tagged) -> dict[str, Any]:
    return {"tag": one.tag, "author": one.author, "created_at": one.created_at}


def _reviewed(one: Reviewed) -> dict[str, Any]:
    said = {"reviewer": one.reviewer, "verdict": one.verdict, "reason": one.reason}
    return said | {"created_at": one.created_at, "revision_hash": one.revision}


def _decided(one: Decided) -> dict[str, Any]:
    said = {"author": one.author, "verdict": one.verdict, "reason": one.reason}
    return said | {"created_at": one.created_at, "revision_hash": one.revision}


def _preferred(one: Preferred) -> dict[str, Any]:
    return {
        "id": one.id,
        "chosen": {"trace": one.chosen[0], "revision_hash": one.chosen[1]},
        "rejected": {"trace": one.rejected[0], "revision_hash": one.rejected[1]},
        "is_tie": one.is_tie,
        "author": one.author,
        "reason": one.reason,
        "created_at": one.created_at,
    }


def _version(one: Version) -> dict[str, Any]:
    said = {"hash": one.hash, "parent": one.parent, "number": one.number, "author": one.author}
    return said | {"created_at": one.created_at, "trace": trace_to_json(one.trace)}


TRACE_JSON = Format(
    name="trace-json",
    title="Trace JSON",
    description="Everything that the studio knows of a trace, for another studio and for programs of your own.",
    file=FILE_NAME,
    beside=("media/",),
    losses=(EARLIER,),
    rows=_rows,
)
