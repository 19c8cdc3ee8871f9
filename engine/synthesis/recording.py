"""Trajectories as files and as traces in the store.

    DIR/TRACES.jsonl     one trace a line, JSON version 1, and under "synthesis" what it was made of:
                         {"kind", "gold", "options", "evidence": {"boxes": [...]} | {"frames": [...]} | null, "source",
                         "rule"?}
    DIR/media/           the originals, under their hash (engine.media.MediaFolder)

The idea: a synthesised trace is a trace like any other; in the store it is revision 1 by the author "synthesis" and can be
looked at, corrected and reviewed on the Curate screen. Nobody has accepted it: it trains only where it is asked for by
name (`train sft --traces synthesis`).

Invariants: lines are written whole; recording a file again records its traces again (traces have no identity before the
store gives them one), so it is done once for each folder. Not covered: making trajectories.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.media import MediaFolder
from engine.store import Filters, Revision, Store, TraceRecord
from engine.synthesis.kinds import Kind
from engine.trace import RULES, Box, Evidence, Example, Rule, Trace
from engine.trace_json import trace_from_json, trace_to_json

__all__ = ["AUTHOR", "FILE_NAME", "Trajectory", "read_trajectories", "record_trajectory", "recorded", "trajectory_line"]

FILE_NAME = "TRACES.jsonl"
AUTHOR = "synthesis"
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A synthesised trace and the example that it was made of; `source` says where that came from, `rule` how
    its answer is scored (None: by letter with options, else as text)."""

    trace: Trace
    kind: Kind
    example: Example
    source: str = ""
    rule: Rule | None = None


def trajectory_line(trajectory: Trajectory) -> str:
    """One line of TRACES.jsonl, without its end."""
    evidence = trajectory.example.evidence
    known: dict[str, Any] | None = None
    if evidence is not None:
        known = (
            {"frames": list(evidence.frames)} if evidence.frames else {"boxes": [b.as_list() for b in evidence.boxes]}
        )
    made_of = {
        "kind": trajectory.kind,
        "gold": trajectory.example.answer,
        "options": list(trajectory.example.options),
        "evidence": known,
        "source": trajectory.source,
        **({} if trajectory.rule is None else {"rule": trajectory.rule}),
    }
    return json.dumps(trace_to_json(trajectory.trace) | {"synthesis": made_of}, ensure_ascii=False)


def read_trajectories(path: Path) -> list[Trajectory]:
    """All trajectories of a TRACES.jsonl. Raises InvalidInput naming the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            trace, _ = trace_from_json(data)
            found.append(_trajectory(trace, data["synthesis"]))
        except (ValueError, KeyError, TypeError, AttributeError, InvalidInput) as error:
            detail = f"the field {error} is missing" if isinstance(error, KeyError) else str(error)
            raise InvalidInput(f"{path.name}, line {number}: this is no synthesised trace: {detail}") from error
    return found


def _trajectory(trace: Trace, made_of: Mapping[str, Any]) -> Trajectory:
    known = made_of["evidence"]
    evidence = None
    if known is not None:
        boxes = tuple(Box(*box) for box in known.get("boxes", ()))
        evidence = Evidence(boxes, tuple(int(frame) for frame in known.get("frames", ())))
    example = Example(trace.question, trace.media, made_of["gold"], tuple(made_of["options"]), evidence)
    rule = made_of.get("rule")
    if rule is not None and rule not in RULES:
        raise InvalidInput(f"its rule is {rule!r}; there are {', '.join(RULES)}")
    return Trajectory(trace, made_of["kind"], example, made_of["source"], rule)


def record_trajectory(store: Store, media: MediaFolder, trajectory: Trajectory) -> TraceRecord:
    """The trajectory as a new trace in the store; its media must be in `media` already. Raises NotFound."""
    for medium in trajectory.trace.media:
        store.media.record(medium, "", media.path(medium.sha256).stat().st_size)
    return store.traces.record(
        trajectory.trace,
        author=AUTHOR,
        gold=trajectory.example.answer,
        example_source=f"{AUTHOR}/{trajectory.kind}/{trajectory.source}",
        policy_settings={"kind": trajectory.kind},
        options=trajectory.example.options,
        evidence=trajectory.example.evidence,
        rule=trajectory.rule,
    )


def recorded(store: Store) -> Sequence[Revision]:
    """The head revisions of all synthesised traces that nobody has rejected, oldest first."""
    revisions: list[Revision] = []
    after: str | None = None
    while True:
        page = store.traces.page(order="oldest", limit=_PAGE, after=after, filters=Filters(source=AUTHOR))
        revisions += [store.revisions.get(item.head_id) for item in page.items if item.status != "rejected"]
        if len(page.items) < _PAGE:
            return revisions
        after = page.items[-1].id
