"""The format `trace-json`: everything that the studio knows of its traces, as files.

    DIR/TRACES.jsonl     the head of each trace, JSON version 1 (engine.trace), and under "studio" what is known of it:
                         {"number", "status", "revision", "revision_hash", "author", ...what is known of the example
                          (engine.trace_json), "score", "confidence", "tags", "created_at", "updated_at",
                          "faithfulness": {"trajectory", "pretended", "ignored", "evidence_shares", "blanking"},
                          "reviews": [{"reviewer", "verdict", "reason", "created_at", "is_of_head"}]}
    DIR/media/           the originals, under their hash (engine.media.MediaFolder)

Step indices (`pretended`, `ignored`, `blanking[k].step`) count from 0; a share that is not known is null, a review that was
taken back is left out.

Invariants: `trace_from_json(line)` is the head as the store has it; the file appears whole or not at all. Not covered:
earlier revisions, drafts and the import.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.faithfulness import faithfulness
from engine.media import MediaFolder
from engine.store import Query, Revision, Status, Store, TraceRecord
from engine.trace_json import known_to_json, trace_to_json

__all__ = ["FILE_NAME", "Exported", "export_traces", "trace_line"]

FILE_NAME = "TRACES.jsonl"
_PAGE = 500


def trace_line(store: Store, trace_id: str) -> dict[str, Any]:
    """One line of TRACES.jsonl as a plain value. Raises NotFound."""
    record = store.traces.get(trace_id)
    head = store.revisions.get(record.head_id)
    return trace_to_json(head.trace, trace_id) | {"studio": _known(store, record, head)}


def _known(store: Store, record: TraceRecord, head: Revision) -> dict[str, Any]:
    item = record.item
    labels = faithfulness(head.trace, record.example.evidence)
    return {
        "number": item.number,
        "status": item.status,
        "revision": head.number,
        "revision_hash": head.hash,
        "author": item.author,
        **known_to_json(record.example),
        "score": item.score,
        "confidence": item.confidence,
        "tags": list(store.tags.of(item.id)),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "faithfulness": {
            "trajectory": labels.trajectory,
            "pretended": list(labels.pretended),
            "ignored": list(labels.ignored),
            "evidence_shares": list(labels.evidence_shares),
            "blanking": [
                {"step": check.step, "is_changed": check.is_changed, "answer": check.answer, "expected": check.expected}
                for check in store.history.blank_checks(head.id)
            ],
        },
        "reviews": [
            {
                "reviewer": review.reviewer,
                "verdict": review.verdict,
                "reason": review.reason,
                "created_at": review.created_at,
                "is_of_head": review.is_of_head,
            }
            for review in store.reviews.list(item.id)
            if review.undone_at is None
        ],
    }


@dataclass(frozen=True, slots=True)
class Exported:
    """`count` traces are written; where `is_whole` is False the export was stopped, and can be gone on with."""

    count: int
    is_whole: bool


def export_traces(
    store: Store,
    media: MediaFolder,
    out: Path,
    status: Status | None = None,
    *,
    run: str = "",
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Exported:
    """Writes the traces of `status` (None: all), oldest first, with their media.

    `run` names an export that may be stopped or killed and gone on with: what an unfinished one of that name in `out` has
    written is kept, up to its last whole line. `on_progress(done, of about how many)` and `should_stop` are called for
    each trace. Raises InvalidInput where the folder holds an export already, and NotFound where a media file is missing.
    """
    target = out / FILE_NAME
    if target.exists():
        raise InvalidInput(f"{target} is there already; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    counts = store.traces.counts()
    total = sum(counts.values()) if status is None else counts[status]
    copied = MediaFolder(out / "media", media.limits)
    unfinished, taken = target.with_name(f"{FILE_NAME}{run and '.'}{run}.part"), set[str]()
    if not run:
        unfinished.unlink(missing_ok=True)
    count, after = _whole_lines(unfinished)
    with unfinished.open("a", encoding="utf-8") as file:
        for trace_id in _ids(store, status, after):
            if should_stop():
                return Exported(count, is_whole=False)
            line = trace_line(store, trace_id)
            for medium in line["media"]:
                if medium["sha256"] not in taken:
                    copied.copy(medium["sha256"], media)
                    taken.add(medium["sha256"])
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
            on_progress(count, max(count, total))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)
    return Exported(count, is_whole=True)


def _whole_lines(unfinished: Path) -> tuple[int, str | None]:
    """How many lines are whole, and the id of the last one's trace; what a kill has torn is cut off."""
    if not unfinished.exists():
        return 0, None
    count, end, last = 0, 0, b""
    with unfinished.open("r+b") as file:
        for line in file:
            if line.endswith(b"\n"):
                count, end, last = count + 1, end + len(line), line
        file.truncate(end)
    return count, json.loads(last)["id"] if last else None


def _ids(store: Store, status: Status | None, after: str | None) -> Iterator[str]:
    while True:
        page = store.queue.page(Query(status=status, order="oldest"), _PAGE, after=after)
        yield from (listed.item.id for listed in page.items)
        if len(page.items) < _PAGE:
            return
        after = page.items[-1].item.id
