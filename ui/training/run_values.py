"""Jobs, their events and adapters as the plain JSON values that the Train screen's components show. Pure.

The formats are those of the components' docstrings (`ui.components.job`, `.runs`, `.who`). Times
go out as the store has them (UTC), and the page writes them in the reader's own time.

Not covered: before and after (`ui.training.comparing`), reading the store (`ui.training.board`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.jobs.kinds import TITLES
from engine.jobs.report import duration
from engine.store import Adapter, Job, JobEvent, Promotion
from ui.training.comparing import measurement_text
from ui.training.knobs import total_steps
from ui.words import counted, sentence

__all__ = [
    "STATE_LABELS",
    "job_steps",
    "job_value",
    "kind_label",
    "run_value",
    "seconds_left",
    "who_value",
]

STATE_LABELS = {
    "queued": "Waiting",
    "running": "Running",
    "stopping": "Stopping",
    "stopped": "Stopped",
    "done": "Done",
    "failed": "Failed",
    "interrupted": "Interrupted",
}
_LOG_LINES = 60


def kind_label(kind: str) -> str:
    return TITLES.get(kind, kind)


# --- one run ----------------------------------------------------------------------------------------------------------


def job_value(
    job: Job, events: Sequence[JobEvent], adapter: Adapter | None = None, *, is_chosen: bool, is_merged: bool = False
) -> dict[str, Any]:
    metrics = [event for event in events if event.kind == "metric" and event.step is not None]
    starts = sum(
        event.kind == "log" and event.step is None for event in events
    )  # a run says what it trains on each time that it begins
    label = STATE_LABELS[job.state]
    return {
        "id": job.id,
        "state": job.state,
        "label": label,
        "title": f"{kind_label(job.kind)} on {_learned_from(job)}",
        "message": "" if metrics and job.message.startswith("step ") else sentence(job.message),  # the foot says it
        "progress": job.progress,
        "alarm": _alarm(job, events),
        "foot": _foot(job, metrics, max(0, starts - 1)),
        "facts": [{"name": name, "value": value} for name, value in _facts(job)],
        "log": [{"time": event.created_at, "text": text} for event in events if (text := _logged(event))][-_LOG_LINES:],
        "links": _links(job, adapter, is_merged=is_merged),
        "status": _said(job, label),
        "is_chosen": is_chosen,
    }


def _links(job: Job, adapter: Adapter | None, *, is_merged: bool) -> list[dict[str, str]]:
    found = [{"href": f"train/jobs/{job.id}.jsonl", "text": "Download the whole log"}]
    if adapter is not None and not adapter.is_discarded:
        found.append({"href": f"train/adapters/{adapter.id}.zip", "text": "Download the adapter, with its card"})
    if adapter is not None and is_merged:
        found.append({"href": f"train/merged/{adapter.id}.zip", "text": "Download the merged weights"})
    return found


def _learned_from(job: Job) -> str:
    """What a job learns from, with its number."""
    noun = {"grpo": "question", "dpo": "preference"}.get(job.kind, "trace")
    return counted(_items(job), noun)


def _items(job: Job) -> int:
    """How many traces, questions or preferences a job learns from."""
    if "first_steps" in job.config:
        return len(job.config["first_steps"])
    return int((job.config.get("examples") or {}).get("count", job.revision_count))


def _alarm(job: Job, events: Sequence[JobEvent]) -> str:
    """The last alarm, while the run goes on and nothing has called it off."""
    if not job.is_active:
        return ""
    told = [event for event in events if event.kind == "alarm" or (event.kind == "log" and event.step is not None)]
    return sentence(str(told[-1].data.get("text", ""))) if told and told[-1].kind == "alarm" else ""


def _facts(job: Job) -> list[tuple[str, str]]:
    """What the run was queued with; empty entries are left out."""
    settings, backbone = job.config.get(job.kind) or {}, job.config.get("backbone") or {}
    facts = [
        ("Adapter", str(job.config.get("name", ""))),
        ("Backbone", " ".join(str(backbone.get(key, "")) for key in ("name", "quantization")).strip()),
        ("Steps", str(job_steps(job))),
        ("Learning rate", f"{settings['learning_rate']:g}" if "learning_rate" in settings else ""),
        ("Rank", str(settings.get("rank", ""))),
        ("Seed", str(settings.get("seed", ""))),
        ("Rollouts a step", f"{settings['queries_a_step']} x {settings['rollouts']}" if "rollouts" in settings else ""),
        ("Reward", _reward(settings)),
        ("Left out", str(len(job.config.get("left_out") or ()) or "")),
        (
            "Libraries",
            " ".join(f"{name} {job.versions[name]}" for name in ("torch", "trl", "peft") if name in job.versions),
        ),
    ]
    return [fact for fact in facts if fact[1]]


def _reward(settings: Mapping[str, Any]) -> str:
    if "variant" not in settings:
        return ""
    return str(settings["variant"]) if settings.get("is_curious") else "correctness alone"


def _foot(job: Job, metrics: Sequence[JobEvent], times_resumed: int) -> list[str]:
    parts = []
    if metrics:
        parts.append(f"Step {metrics[-1].step} of {job_steps(job)}")
    elif job.is_active:
        parts.append("Before the first step")
    if (left_s := seconds_left(job, metrics)) is not None:
        parts.append(f"about {duration(left_s)} left")
    if (took_s := _took_s(job)) is not None:
        parts.append(f"{duration(took_s)} so far" if job.is_active else f"took {duration(took_s)}")
    if times_resumed:
        parts.append("taken up again " + ("once" if times_resumed == 1 else f"{times_resumed} times"))
    return parts


def _logged(event: JobEvent) -> str:
    """The line that an event makes in the run's log; "" for those that make none."""
    if event.kind in ("log", "note", "error", "alarm"):
        return sentence(str(event.data.get("text", "")))
    if event.kind == "evaluation":
        return sentence(measurement_text(event.data))
    if event.kind == "adapter":
        return f"Saved the adapter {event.data.get('name')} of step {event.data.get('steps')}."
    return ""


def _said(job: Job, label: str) -> str:
    """For screen readers: every change of state, and progress in tenths."""
    if job.state != "running":
        return f"{label}. {sentence(job.message)}".strip()
    return f"Running: {int(job.progress * 10) * 10}%."


def seconds_left(job: Job, metrics: Sequence[JobEvent]) -> float | None:
    """As the run itself estimates it after each step, measuring included; None where nothing is known or left."""
    left_s = metrics[-1].data.get("left_s") if metrics else None
    is_stepping = job.state == "running" and metrics and (metrics[-1].step or 0) < job_steps(job)
    return float(left_s) if is_stepping and isinstance(left_s, (int, float)) else None


def job_steps(job: Job) -> int:
    """How many optimiser steps a job was queued for."""
    return total_steps(_items(job), job.config.get(job.kind) or {})


def _took_s(job: Job) -> float | None:
    if job.started_at is None:
        return None
    end = _moment(job.finished_at) if job.finished_at else datetime.now(UTC)
    return max(0.0, (end - _moment(job.started_at)).total_seconds())


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- all runs, and who answers ----------------------------------------------------------------------------------------


def run_value(job: Job, adapter: Adapter | None, live: Adapter | None) -> dict[str, Any]:
    """One line of the history."""
    is_live = adapter is not None and live is not None and adapter.id == live.id
    badge = "answers now" if is_live else "discarded" if adapter and adapter.is_discarded else ""
    return {
        "id": job.id,
        "title": str(job.config.get("name") or kind_label(job.kind)),
        "state": job.state,
        "label": STATE_LABELS[job.state],
        "when": job.created_at,
        "detail": _run_detail(job, adapter),
        "badge": badge,
    }


def _run_detail(job: Job, adapter: Adapter | None) -> str:
    parts = [_learned_from(job)]
    metrics = adapter.metrics if adapter else {}
    if metrics.get("steps"):
        parts.append(counted(metrics["steps"], "step"))
    before, after = metrics.get("before") or {}, metrics.get("after") or {}
    if before.get("accuracy") is not None and after.get("accuracy") is not None:
        parts.append(f"{before['accuracy']:.0%} → {after['accuracy']:.0%} right")
    elif metrics.get("first_loss") is not None and metrics.get("last_loss") is not None:
        parts.append(f"loss {metrics['first_loss']:.2f} → {metrics['last_loss']:.2f}")
    elif metrics.get("first_rapr") is not None and metrics.get("last_rapr") is not None:
        parts.append(f"RaPR {metrics['first_rapr']:.0%} → {metrics['last_rapr']:.0%}")
    if adapter and adapter.deleted_traces:
        parts.append(f"{adapter.deleted_traces} of its traces deleted since")
    return " · ".join(parts)


def who_value(
    model: str,
    promotion: Promotion | None,
    *,
    live: Adapter | None,
    problem: str | None = None,
) -> dict[str, Any]:
    """`live` is what really answers; `problem` says why what was promoted does not, or why nothing can be."""
    detail = "The backbone alone, with no adapter." if problem is None else sentence(problem)
    if live is None or promotion is None:
        return {"name": model, "detail": detail, "is_adapted": False, "since": None}
    detail = f"The backbone {model} with the adapter {live.name}, promoted by {promotion.author or 'a host'}."
    return {"name": f"{model} + {live.name}", "detail": detail, "is_adapted": True, "since": promotion.created_at}
