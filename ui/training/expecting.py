"""What a run would take on this machine, as the Train screen says it before Start, from the newest probe (`engine.jobs.probing`).

A probe holds for what it was made of: the kind, what is held out, and every knob that changes a step. How many steps there
are is another matter: its seconds are those of one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from engine.errors import NotFound
from engine.evaluation.held_out import HeldOut
from engine.jobs.expected import Expected
from engine.jobs.kinds import PROBE
from engine.jobs.report import duration
from engine.store import Job, Store
from ui.training.knobs import total_steps
from ui.words import counted, sentence

__all__ = ["expectation", "newest_probe"]

_OF_THE_RUN = {"steps", "passes", "learning_rate", "start_from"}
"""Knobs that change no step's time or memory."""
_NAMED = 4


def newest_probe(store: Store) -> Job | None:
    found = store.jobs.list(limit=1, kinds=[PROBE])
    return found[0] if found else None


def expectation(
    store: Store, probe: Job | None, kind: str, config: Mapping[str, Any], held_out: HeldOut | None, learned: int
) -> dict[str, str]:
    """The value of `ui.components.plan.Plan` beside the button that probes, for a run over so many items as would be `learned`
    from now."""
    if probe is None:
        return {"text": "", "tone": "plain"}
    if probe.is_active:
        return {"text": f"Measuring: {probe.message or 'waiting'} ({probe.progress:.0%}).", "tone": "plain"}
    if not _is_of(probe, kind, config, held_out):
        return {"text": "Measured for other settings than these; measure again.", "tone": "plain"}
    event = store.jobs.last_event(probe.id, "probe")
    if event is None:
        return {
            "text": f"Not measured: {sentence(probe.message)}",
            "tone": "warn" if probe.state == "failed" else "plain",
        }
    expected = Expected.from_json(event.data)
    steps = total_steps(max(1, learned - len(expected.too_long)), config)
    is_short = expected.memory_bytes > expected.free_bytes
    return {"text": _words(store, expected, steps, is_short=is_short), "tone": "warn" if is_short else "plain"}


def _words(store: Store, expected: Expected, steps: int, *, is_short: bool) -> str:
    total_s, step_s = expected.seconds(steps), expected.step_s
    each = f"{step_s:.1f} s" if step_s < 10 else duration(step_s)
    measuring = f", {duration(expected.measuring_s)} to measure" if expected.measuring_s else ""
    text = f"About {duration(total_s)} here: {counted(steps, 'step')} of {each}{measuring}."
    text += f" {_bytes(expected.memory_bytes)} more memory ({_bytes(expected.free_bytes)} free)."
    if is_short:
        text += " It may not fit: fewer in a step take less."
    if expected.too_long:
        named = ", ".join(
            f"{_number(store, one['name'])} ({one['tokens']:,} tokens)" for one in expected.too_long[:_NAMED]
        )
        more = len(expected.too_long) - _NAMED
        text += f" Too long, and left out: {named}" + (f" and {more:,} more." if more > 0 else ".")
    return text


def _number(store: Store, revision_id: str) -> str:
    """A trace as the queue calls it."""
    try:
        return f"#{store.traces.get(store.revisions.get(revision_id).trace_id).item.number}"
    except NotFound:
        return "one that was deleted since"


def _is_of(probe: Job, kind: str, config: Mapping[str, Any], held_out: HeldOut | None) -> bool:
    asked = None if held_out is None else dataclasses.asdict(held_out)
    if (probe.config.get("probed"), probe.config.get("held_out")) != (kind, asked):
        return False
    settings = probe.config.get(kind) or {}
    return all(settings.get(name) == value for name, value in config.items() if name not in _OF_THE_RUN)


def _bytes(count: int) -> str:
    megabytes = max(0, count) / 1e6
    return f"{megabytes:.0f} MB" if megabytes < 995 else f"{megabytes / 1e3:.1f} GB"
