"""The format `trace-json`: everything that the studio knows of its traces, as files.

    DIR/TRACES.jsonl     the head of each trace, JSON version 1 (engine.trace), and under "studio" what is known of it:
                         {"number", "status", "revision", "revision_hash", "author", ...what is known of the example
                          (engine.trace_json), "score", "confidence", "group", "tags", "created_at", "updated_at",
                          "names", "policy_settings", "wanted",
                          "faithfulness": {"trajectory", "pretended", "ignored", "evidence_shares", "blanking", "looks"},
                          "tagged": [{"tag", "author", "created_at"}],
                          "reviews": [{"reviewer", "verdict", "reason", "created_at", "is_of_head", "revision_hash"}],
                          "adjudications": [{"author", "verdict", "reason", "created_at", "revision_hash"}],
                          "preferences": [{"id", "chosen", "rejected", "is_tie", "author", "reason", "created_at"}],
                          "revisions": [{"hash", "parent", "number", "author", "created_at", "trace"}]}
    DIR/media/           the originals, under their hash (engine.media.MediaFolder)

`names` are the file names under which the media came; attempts that belong together have the same `group`. A preference
names its sides as {"trace", "revision_hash"}; it stands with both of its traces. `revisions` are there where they were asked
for: with them the hashes of another store come out the same.
Step indices (`pretended`, `ignored`, `blanking[k].step`, `looks[k].step`) count from 0; a share that is not known is null, a
review that was taken back is left out.

Invariants: `trace_from_json(line)` is the head as the store has it. Not covered: drafts, reservations, assignments.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from engine.errors import InvalidInput
from engine.exchange.files import Kept, json_rows, one_file
from engine.exchange.format import Brought, Format, Read, Row, read_rows
from engine.exchange.sheet import Sheet
from engine.faithfulness import faithfulness
from engine.json_fields import (
    Misread,
    expected,
    list_of,
    one_of,
    optional,
    require_object,
    required,
    text,
    truth,
    whole,
)
from engine.media import MediaFolder
from engine.store import Blanked, Decided, Dossier, Preferred, Reviewed, Tagged, Version, Weighed
from engine.store.reviews import VERDICTS
from engine.store.rounds import MAX_REVIEWS
from engine.store.search import STATUSES
from engine.store.tags import MAX_TAG_LENGTH
from engine.trace import Trace
from engine.trace_json import known_from_json, known_to_json, trace_from_json, trace_to_json

__all__ = ["EARLIER", "FILE_NAME", "TRACE_JSON", "dossier_from_json", "dossier_of", "known_of", "read", "trace_line"]

FILE_NAME = "TRACES.jsonl"
EARLIER = "edited traces whose earlier versions were not asked for, so that they have other hashes elsewhere"


def trace_line(dossier: Dossier) -> dict[str, Any]:
    """One line of TRACES.jsonl as a plain value."""
    return trace_to_json(dossier.trace, dossier.id) | {"studio": known_of(dossier)}


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    for medium in dossier.trace.media:
        sheet.keep(medium.sha256)
    if dossier.revision_number > 1 and not dossier.versions:
        sheet.lose(EARLIER)
    yield trace_line(dossier)


def known_of(dossier: Dossier) -> dict[str, Any]:
    """What is known of a trace beside its steps, as it stands under "studio"."""
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
        "group": dossier.group_id,
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
            "looks": [dataclasses.asdict(one) for one in dossier.weighed],
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


# --- reading --------------------------------------------------------------------------------------------------------


def read(path: Path) -> Iterator[Read]:
    """The traces of a file, or of the folder that holds it and their media. Raises InvalidInput."""
    file = one_file(path, FILE_NAME)
    folder = MediaFolder(file.parent / "media", cache_bytes=0) if (file.parent / "media").is_dir() else None

    def brought(place: str, row: dict[str, Any]) -> Brought:
        if folder is None:
            raise InvalidInput("there is no folder media/ beside the file, where its pictures would be")
        dossier = dossier_from_json(row)
        return Brought(place, dossier, tuple(Kept(folder, medium.sha256) for medium in dossier.trace.media))

    return read_rows(json_rows(file), brought)


def dossier_from_json(row: Any) -> Dossier:
    """The inverse of `trace_line`; of a trace that was not written by a studio only what it says itself. Raises
    InvalidInput."""
    trace, id = trace_from_json(row)
    if row.get("studio") is None:
        return Dossier(trace, trace.example, id or "")
    try:
        return required(row, "studio", lambda known: dossier_of(known, trace, id))
    except Misread as error:
        raise InvalidInput(str(error)) from None


def dossier_of(known: Any, trace: Trace, id: str | None) -> Dossier:
    """The inverse of `known_of`. Raises InvalidInput."""
    require_object(known)
    labels = optional(known, "faithfulness", _object, {})
    return Dossier(
        trace=trace,
        example=known_from_json(known, trace),
        id=id or "",
        number=optional(known, "number", whole, 0),
        status=optional(known, "status", one_of(STATUSES), "new"),
        author=optional(known, "author", text, ""),
        policy_settings=optional(known, "policy_settings", _object, {}),
        score=optional(known, "score", _share, None),
        confidence=optional(known, "confidence", _share, None),
        group_id=optional(known, "group", text, None),
        names=optional(known, "names", list_of(text), ()),
        revision=optional(known, "revision_hash", text, ""),
        revision_number=optional(known, "revision", whole, 1),
        created_at=optional(known, "created_at", _moment, ""),
        updated_at=optional(known, "updated_at", _moment, ""),
        tags=optional(known, "tagged", list_of(_tagged_from), ()),
        wanted=optional(known, "wanted", _wanted, 1),
        reviews=optional(known, "reviews", list_of(_reviewed_from), ()),
        decisions=optional(known, "adjudications", list_of(_decided_from), ()),
        blanked=optional(labels, "blanking", list_of(_blanked_from), ()),
        weighed=optional(labels, "looks", list_of(_weighed_from), ()),
        preferences=optional(known, "preferences", list_of(_preferred_from), ()),
        versions=optional(known, "revisions", list_of(_version_from), ()),
    )


def _object(data: Any) -> Mapping[str, Any]:
    require_object(data)
    return cast(Mapping[str, Any], data)


def _share(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise expected("a number from 0 to 1", value)
    return float(value)


def _moment(value: Any) -> str:
    """A time as the store keeps them, or it could not be sorted; "" where nobody told."""
    if not isinstance(value, str) or not re.fullmatch(r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value):
        raise expected("a time such as 2026-11-23T17:13:17.123Z", value)
    return value


def _wanted(value: Any) -> int:
    if not 1 <= (wanted := whole(value)) <= MAX_REVIEWS:
        raise expected(f"1 to {MAX_REVIEWS}", value)
    return wanted


def _tag(value: Any) -> str:
    if not 1 <= len(" ".join(text(value).split())) <= MAX_TAG_LENGTH:
        raise expected(f"a tag of 1 to {MAX_TAG_LENGTH} characters", value)
    return " ".join(value.split())


def _tagged_from(data: Any) -> Tagged:
    require_object(data)
    return Tagged(
        required(data, "tag", _tag), required(data, "author", text), optional(data, "created_at", _moment, "")
    )


def _reviewed_from(data: Any) -> Reviewed:
    require_object(data)
    return Reviewed(
        required(data, "revision_hash", text),
        required(data, "reviewer", text),
        required(data, "verdict", one_of(VERDICTS)),
        optional(data, "reason", text, ""),
        optional(data, "created_at", _moment, ""),
    )


def _decided_from(data: Any) -> Decided:
    require_object(data)
    return Decided(
        required(data, "revision_hash", text),
        required(data, "author", text),
        required(data, "verdict", one_of(("accepted", "rejected"))),
        optional(data, "reason", text, ""),
        optional(data, "created_at", _moment, ""),
    )


def _blanked_from(data: Any) -> Blanked:
    require_object(data)
    return Blanked(
        required(data, "step", whole),
        optional(data, "answer", text, None),
        optional(data, "expected", text, None),
        required(data, "is_changed", truth),
        optional(data, "created_at", _moment, ""),
    )


def _weighed_from(data: Any) -> Weighed:
    require_object(data)
    return Weighed(
        required(data, "step", whole),
        required(data, "answer", text),
        required(data, "before", _share),
        required(data, "after", _share),
        required(data, "policy", text),
        optional(data, "created_at", _moment, ""),
    )


def _preferred_from(data: Any) -> Preferred:
    require_object(data)
    return Preferred(
        required(data, "id", text),
        required(data, "chosen", _side_from),
        required(data, "rejected", _side_from),
        optional(data, "is_tie", truth, False),
        required(data, "author", text),
        optional(data, "reason", text, ""),
        optional(data, "created_at", _moment, ""),
    )


def _side_from(data: Any) -> tuple[str, str]:
    require_object(data)
    return required(data, "trace", text), required(data, "revision_hash", text)


def _version_from(data: Any) -> Version:
    require_object(data)
    return Version(
        required(data, "hash", text),
        optional(data, "parent", text, None),
        required(data, "number", whole),
        required(data, "author", text),
        optional(data, "created_at", _moment, ""),
        required(data, "trace", lambda value: trace_from_json(value)[0]),
    )


TRACE_JSON = Format(
    name="trace-json",
    title="Trace JSON",
    description="Everything that the studio knows of a trace, for another studio and for programs of your own.",
    file=FILE_NAME,
    beside=("media/",),
    losses=(EARLIER,),
    returns="everything, with --revisions under the same hashes",
    rows=_rows,
    read=read,
)
