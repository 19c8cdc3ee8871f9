"""Before and after on held-out examples, as the value of `ui.components.comparison.Comparison`.

The two are compared as two evaluations are, by one way (`engine.evaluation.comparing`, `engine.jobs.measuring`); here it
becomes words, bars, and the examples that changed with their pictures. A run of an earlier build has no attempts, only what
its events told: the same without pictures and traces.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.evaluation.comparing import Comparison
from engine.evaluation.held_out import SHARE, HeldOutSet
from engine.jobs.measuring import before_and_after, measured
from engine.store import Attempt, Job, JobEvent, Store
from ui.evaluating.values import change_value
from ui.words import counted, sentence

__all__ = ["comparison_value", "measurement_text", "read_comparison", "tone_of"]

_EMPTY = {
    None: "A run measures the same held-out examples before and after, so that you see what it changed.",
    "queued": "It is measured before the first step, and again at the end.",
    "running": "Being measured before the first step; the same examples again at the end.",
}
_UNMEASURED = "This run measured nothing: no held-out examples were asked for, or it ended before."
_SHOWN = 60


def read_comparison(store: Store, job: Job | None, events: Sequence[JobEvent]) -> dict[str, Any]:
    """What the store knows of before and after of a run."""
    if job is None:
        return comparison_value(None, events, None, [])
    told = [event for event in events if event.kind == "evaluation"]
    comparison = measured(store, job.id, told) if told else None
    examples: list[dict[str, Any]] = []
    if told:
        before, after = ({one.example_key: one for one in attempts} for attempts in before_and_after(store, job.id))
        examples = _examples(store, comparison, before, after)
    return comparison_value(job, told, comparison, examples)


def comparison_value(
    job: Job | None, events: Sequence[JobEvent], comparison: Comparison | None, examples: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Pure."""
    by_when = {event.data.get("when"): event.data for event in events if event.kind == "evaluation"}
    before, after = by_when.get("before"), by_when.get("after")
    held_out = None if job is None else HeldOutSet.from_json(job.config.get("evaluation"))
    empty = _EMPTY.get(job.state if job else None, _UNMEASURED) if held_out or job is None else _UNMEASURED
    if before is not None and not before.get("n") and before.get("note"):
        empty, before = sentence(f"This run was {before['note']}"), None
    if before is None:
        nothing = {"verdict": "", "tone": "plain", "note": "", "facts": [], "examples": [], "changed_count": 0}
        return {"bars": [], "empty": empty} | nothing
    return {
        "bars": [_bar("Before", before)] + ([_bar("After", after)] if after else []),
        "verdict": "" if comparison is None else sentence(_verdict(comparison)),
        "tone": "plain" if comparison is None else tone_of(comparison),
        "note": _which(before, held_out),
        "facts": _facts(before, after) if after else [],
        "examples": list(examples),
        "changed_count": 0 if comparison is None else len(comparison.changed),
        "empty": "",
    }


def measurement_text(data: Mapping[str, Any]) -> str:
    """One line of a run's log."""
    if not data.get("n") and (note := data.get("note")):
        return f"{data.get('when')} training {note}"
    text = f"measured {data.get('when')} training: {_percent(data.get('accuracy'))} of {data.get('n')} right"
    if (passed_over := data.get("passed_over") or {}).get("count"):
        named = ", ".join(f"“{one}”" for one in passed_over["questions"][:3])
        text += f"; {counted(passed_over['count'], 'example')} passed over, whose picture was learned from: {named}"
    return text


def tone_of(comparison: Comparison) -> str:
    if not comparison.is_told_apart:
        return "plain"
    return "good" if comparison.difference > 0 else "bad"


def _verdict(comparison: Comparison) -> str:
    return comparison.words


def _bar(label: str, data: Mapping[str, Any]) -> dict[str, Any]:
    accuracy, stderr = data.get("accuracy"), data.get("stderr")
    return {
        "label": label,
        "share": accuracy,
        "error": "" if stderr is None else f"± {100 * stderr:.1f}",
        "detail": f"{counted(data.get('n') or 0, 'example')}, by {data['policy']}" if data.get("policy") else "",
    }


def _facts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, str]]:
    """What else changed, each as before -> after."""
    told = []
    for name, key in (("Looked closer (RaPR)", "rapr"), ("With a failed operation", "error_rate")):
        if before.get(key) is not None and after.get(key) is not None:
            told.append({"name": name, "value": f"{_percent(before[key])} → {_percent(after[key])}"})
    lengths = [one["tokens"] / one["n"] for one in (before, after) if one.get("tokens") and one.get("n")]
    if len(lengths) == 2:
        told.append({"name": "Length, tokens", "value": f"{lengths[0]:.0f} → {lengths[1]:.0f}"})
    return told


def _which(before: Mapping[str, Any], held_out: HeldOutSet | None) -> str:
    count = counted(before.get("n") or 0, "example")
    if held_out is None:
        return f"{count}."
    source = held_out.source
    if source.name == SHARE:
        text = f"{count} of your own, held out before anything was learned"
    elif source.kind == "drawn":
        text = f"{count} of {source.title}, drawn from seed {source.seed}, which no training sees"
    else:
        text = f"{count} of {source.title}, none about a picture that was learned from"
    return f"{text}. {sentence(held_out.note)}".strip() if held_out.note else f"{text}."


def _examples(
    store: Store, comparison: Comparison | None, before: Mapping[str, Attempt], after: Mapping[str, Attempt]
) -> list[dict[str, Any]]:
    """Those that changed first, the worst of them foremost."""
    if comparison is None:
        return []
    changed = [(one.example_key, one.before, one.after) for one in comparison.changed]
    keys = {key for key, _, _ in changed}
    same = [(key, one.score, after[key].score) for key, one in before.items() if key in after and key not in keys]
    return [
        change_value(store, first, second, before[key], after[key])
        for key, first, second in [*changed, *same][:_SHOWN]
        if key in before and key in after
    ]


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:.1%}"
