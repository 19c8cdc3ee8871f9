"""Trajectories as files and as traces in the store.

    DIR/TRACES.jsonl     one trace a line, JSON version 1, and under "synthesis" what it was made of:
                         {"kind", ...what is known of the example (engine.trace_json)}
    DIR/media/           the originals, under their hash (engine.media.MediaFolder)

The idea: a synthesised trace is a trace like any other; in the store it is revision 1 by the author "synthesis" and can be
looked at, corrected and reviewed on the Curate screen. Nobody has accepted it: it trains only where it is asked for by
name (`train sft --traces synthesis`).

Invariants: lines are written whole; recording a file again records its traces again (traces have no identity before the
store gives them one), so it is done once for each folder. Not covered: making trajectories.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from engine.errors import InvalidInput
from engine.json_fields import one_of, required
from engine.media import MediaFolder
from engine.store import Query, Revision, Store, TraceRecord
from engine.synthesis.kinds import Kind
from engine.trace import Example, Trace
from engine.trace_json import known_from_json, known_to_json, trace_from_json, trace_to_json

__all__ = ["AUTHOR", "FILE_NAME", "Trajectory", "read_trajectories", "record_trajectory", "recorded", "trajectory_line"]

FILE_NAME = "TRACES.jsonl"
AUTHOR = "synthesis"
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A synthesised trace and the example that it was made of."""

    trace: Trace
    kind: Kind
    example: Example


def trajectory_line(trajectory: Trajectory) -> str:
    """One line of TRACES.jsonl, without its end."""
    made_of = {"kind": trajectory.kind, **known_to_json(trajectory.example)}
    return json.dumps(trace_to_json(trajectory.trace) | {"synthesis": made_of}, ensure_ascii=False)


def read_trajectories(path: Path) -> list[Trajectory]:
    """All trajectories of a TRACES.jsonl. Raises InvalidInput naming the line that is wrong."""
    try:
        # Not splitlines: it also splits at characters that a JSON text may hold, such as U+2028.
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            trace, _ = trace_from_json(data)
            made_of = data.get("synthesis")
            example = known_from_json(made_of, trace)
            found.append(Trajectory(trace, required(made_of, "kind", one_of(get_args(Kind))), example))
        except (ValueError, InvalidInput) as error:
            raise InvalidInput(f"{path.name}, line {number}: this is no synthesised trace: {error}") from error
    return found


def record_trajectory(store: Store, media: MediaFolder, trajectory: Trajectory) -> TraceRecord:
    """The trajectory as a new trace in the store; its media must be in `media` already. Raises NotFound."""
    for medium in trajectory.trace.media:
        store.media.record(medium, "", media.path(medium.sha256).stat().st_size)
    return store.traces.record(
        trajectory.trace,
        author=AUTHOR,
        example=replace(trajectory.example, source=f"{AUTHOR}/{trajectory.kind}/{trajectory.example.source}"),
        policy_settings={"kind": trajectory.kind},
    )


def recorded(store: Store) -> Sequence[Revision]:
    """The head revisions of all synthesised traces that nobody has rejected, oldest first."""
    revisions: list[Revision] = []
    after: str | None = None
    while True:
        page = store.queue.one_by_one(Query(source=AUTHOR, order="oldest"), _PAGE, after)
        revisions += [store.revisions.get(one.item.head_id) for one in page.items if one.item.status != "rejected"]
        if len(page.items) < _PAGE:
            return revisions
        after = page.items[-1].item.id
