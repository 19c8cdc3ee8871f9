"""What the Data screen shows, as JSON: formats, a preview, a job. Pure but for reading a job's events."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from engine.evaluation.scoring import rule_of
from engine.exchange.formats import FORMATS as EXCHANGE_FORMATS
from engine.importing.columns import BOX_FORMS, BOX_UNITS, ROLES
from engine.importing.previews import Preview, PreviewedRow
from engine.jobs.importing import MAX_LISTED, bad_rows, tally
from engine.jobs.kinds import EXPORT, IMPORT
from engine.settings import PROTOCOLS
from engine.store import DataSet, Job, Store
from engine.trace import RULES
from engine.trace_json import evidence_to_json
from ui.studio import Studio

__all__ = ["data_set_value", "formats_value", "import_value", "job_value", "preview_value"]

_REFUSED_SHOWN = 20
_RULE_WORDS: Mapping[str, str] = {
    "text": "as text",
    "letter": "by letter",
    "number": "first number",
    "only-number": "the only number",
    "anls": "ANLS",
}


def import_value(studio: Studio) -> dict[str, Any]:
    """What the section needs to know before anything is asked."""
    return {
        "roles": list(ROLES),
        "box_units": list(BOX_UNITS),
        "box_forms": list(BOX_FORMS),
        "rules": [{"name": rule, "words": _RULE_WORDS[rule]} for rule in RULES],
        "max_mb": studio.settings.max_import_mb,
        "formats": [{"name": one.name, "title": one.title} for one in EXCHANGE_FORMATS if one.is_read],
    }


def formats_value() -> dict[str, Any]:
    """The formats that can be written, and the wire formats of their conversations."""
    formats = [
        {
            "name": format.name,
            "title": format.title,
            "description": format.description,
            "losses": list(format.losses),
            "is_written": format.is_written,
            "is_read": format.is_read,
        }
        for format in EXCHANGE_FORMATS
    ]
    return {"formats": formats, "protocols": list(PROTOCOLS)}


def preview_value(shown: Preview) -> dict[str, Any]:
    return {
        "names": list(shown.names),
        "read_as": shown.guess.columns.as_json(),
        "asks": list(shown.guess.asks),
        "notes": list(shown.notes),
        "table": shown.table,
        "tables": list(shown.tables),
        "rows": [_row_value(row) for row in shown.rows],
    }


def _row_value(row: PreviewedRow) -> dict[str, Any]:
    example = row.example
    value: dict[str, Any] = {"number": row.number, "id": row.original_id, "problem": row.problem}
    value["pictures"] = [
        {
            "name": one.name,
            "kind": one.kind,
            "width": one.width,
            "height": one.height,
            "src": "data:image/jpeg;base64," + base64.b64encode(one.jpeg).decode("ascii"),
        }
        for one in row.pictures
    ]
    if example is None:
        return value
    return value | {
        "question": example.question,
        "options": list(example.options),
        "answers": [answer for answer in (example.answer, *example.other_answers) if answer is not None],
        "rule": rule_of(example),
        "category": example.category,
        "evidence": None if example.evidence is None else evidence_to_json(example.evidence),
    }


def job_value(store: Store, job: Job) -> dict[str, Any]:
    """A job for its card; of an import with its first refused rows, of an export with what was lost."""
    value: dict[str, Any] = {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "is_active": job.is_active,
        "progress": job.progress,
        # Where on the host the files lie concerns nobody who has them as a zip.
        "message": job.message.partition(f" in {job.config['out']}")[0] if job.kind == EXPORT else job.message,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "config": {name: job.config.get(name) for name in ("data_set", "format", "status") if name in job.config},
    }
    if isinstance(source := job.config.get("source"), dict) and job.kind != IMPORT:
        value["config"]["data_set"] = source.get("name")  # what attempts are at (engine.evaluation.sources.Source)
    if job.kind == IMPORT:
        counted = tally(store, job.id)
        listed = [
            {"row": row, "id": original, "reason": reason}
            for row, original, reason in bad_rows(store, job.id, _REFUSED_SHOWN)
        ]
        value |= {"refused": counted.refused, "rows": listed, "is_all_listed": counted.refused <= MAX_LISTED}
    else:
        value |= {"lost": [event.data["text"] for event in store.jobs.events(job.id, kind="lost")]}
    return value


def data_set_value(data_set: DataSet) -> dict[str, Any]:
    return {
        "name": data_set.name,
        "count": data_set.count,
        "with_answer": data_set.with_answer,
        "updated_at": data_set.updated_at,
    }
