"""Which attempts of a job are kept as traces: all, only right ones, or those of examples whose attempts disagree.

The idea: what is decided is recorded at once, the trace and what it came to in one transaction. Whether attempts disagree is
known when all at one example have ended; until then they wait in a file of the job's folder, so that a job which is killed
need not ask for them again.

Invariants: an attempt whose crops showed something else (`engine.evaluation.crops`) is never a trace: a person would approve
what the model never saw. An attempt is recorded once; of a trace that is not kept only numbers stay, and its media are not
stored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from engine.evaluation.options import agree
from engine.evaluation.runner import Attempted, Task
from engine.jobs.asking import Asked, Services
from engine.media import MediaFolder
from engine.policies.base import AsyncPolicy, Policy, is_awaited
from engine.reasoning import Finished
from engine.store import Store, group_id
from engine.trace_json import trace_from_json, trace_to_json
from engine.worth import LookWorth, looks_of, no_probabilities, weigh_looks

__all__ = ["Keeping", "record_attempts"]

_WAITING = "waiting.json"


@dataclass(slots=True)
class Keeping:
    """Of one job, for one run; `folder` is the job's own."""

    services: Services
    job_id: str
    asked: Asked
    policy: Policy | AsyncPolicy
    folder: Path
    _made: dict[int, frozenset[int]] = field(init=False)
    _waiting: dict[int, dict[int, dict[str, Any]]] = field(default_factory=dict, init=False)
    """Position -> number -> an attempt that ended and is not decided, as JSON."""

    def __post_init__(self) -> None:
        self._made = self.services.store.attempts.made(self.job_id)
        file = self.folder / _WAITING
        found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        # What was decided just before a kill is still in the file.
        self._waiting = {
            int(position): {int(number): one for number, one in group.items()}
            for position, group in found.items()
            if int(position) not in self._made
        }

    def made(self, position: int) -> frozenset[int]:
        """The numbers of the attempts at an example that need not be asked again."""
        return self._made.get(position, frozenset()) | frozenset(self._waiting.get(position, ()))

    def take(self, attempted: Attempted) -> None:
        """An attempt that ended: record it, or let it wait for the others at its example."""
        if self.asked.keep != "disagreeing":
            is_kept = self.asked.crops == "real" and self._is_wanted(attempted)
            self._record([attempted], is_kept)
            return
        task = attempted.task
        group = self._waiting.setdefault(task.position, {})
        group[attempted.number] = _to_json(attempted)
        if len(group) == self.asked.attempts:
            every = [_from_json(task, number, one) for number, one in sorted(group.items())]
            answers = [one.finished.trace.answer for one in every]
            self._record(every, self.asked.crops == "real" and not agree(answers, task.posed.example))
            del self._waiting[task.position]
        self._write()

    def _is_wanted(self, attempted: Attempted) -> bool:
        return self.asked.keep == "all" or (attempted.result.score or 0.0) >= 1.0

    def _record(self, every: list[Attempted], is_kept: bool) -> None:
        position = every[0].task.position
        seeds = self.asked.seeds(position)
        said = {} if self.asked.protocol_of is None else {"protocol_of": self.asked.protocol_of}
        record_attempts(
            self.services.store,
            self.services.media,
            self.policy,
            self.job_id,
            every,
            {one.number: {"seed": seeds[one.number], **said} for one in every},
            is_kept=is_kept,
            is_group=self.asked.attempts > 1,
            weighed={one.number: self._weigh(one) for one in every},
        )

    def _weigh(self, one: Attempted) -> tuple[LookWorth, ...]:
        """What the looks of an attempt that answers were worth, where that is asked for."""
        asked, trace = one.task.asked, one.finished.trace
        if not self.asked.is_weighing_looks or trace.answer is None or not looks_of(trace):
            return ()
        if is_awaited(self.policy):
            raise no_probabilities(self.policy)
        pictures = one.task.posed.pictures
        put = replace(trace, question=asked.question)
        return tuple(weigh_looks(put, cast(Policy, self.policy), pictures, options=asked.options))

    def _write(self) -> None:
        """Whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{_WAITING}.part"
        unfinished.write_text(json.dumps(self._waiting), encoding="utf-8")
        os.replace(unfinished, self.folder / _WAITING)


def record_attempts(
    store: Store,
    media: MediaFolder,
    policy: Policy | AsyncPolicy,
    job_id: str,
    every: Sequence[Attempted],
    asked: Mapping[int, Mapping[str, Any]],
    *,
    is_kept: bool,
    is_group: bool,
    weighed: Mapping[int, Sequence[LookWorth]] = MappingProxyType({}),
) -> None:
    """Record attempts at one example, all in one transaction; where `is_kept` with their traces, which stand together where
    `is_group`. By the number of an attempt, `asked` is how it was asked ("seed", ...) beside the policy's settings, and
    `weighed` what its looks were worth."""
    task = every[0].task
    for file in task.files if is_kept else ():
        loaded = media.take(file, policy.protocol.CLIP_SAMPLING)
        name = "" if isinstance(file, bytes) else file.name
        store.media.record(loaded.media, name, media.path(loaded.media.sha256).stat().st_size)
    with store.transaction():
        for one in every:
            trace, result = one.finished.trace, one.result
            trace_id = None
            if is_kept:
                record = store.traces.record(
                    trace,
                    author=trace.policy,
                    example=task.posed.example,
                    policy_settings={**policy.settings(), **asked[one.number]},
                    score=result.score,
                    confidence=one.finished.confidence,
                    group_id=group_id(job_id, task.position) if is_group else None,
                )
                for look in weighed.get(one.number, ()):
                    store.history.record_weighed_look(
                        record.head_id, look.step_index, trace.answer or "", look.before, look.after, trace.policy
                    )
                trace_id = record.id
            store.attempts.record(
                job_id,
                task.position,
                one.number,
                trace_id=trace_id,
                score=result.score,
                hit=result.hit,
                has_operation=result.has_operation,
                operation_errors=result.operation_errors,
                is_empty=result.is_empty,
                tokens=result.tokens,
                cpu_s=result.cpu_s,
            )


def _to_json(attempted: Attempted) -> dict[str, Any]:
    finished = attempted.finished
    return {
        "trace": trace_to_json(finished.trace, None),
        "confidence": finished.confidence,
        "tokens": finished.tokens,
        "cpu_s": attempted.cpu_s,
    }


def _from_json(task: Task, number: int, data: dict[str, Any]) -> Attempted:
    finished = Finished(trace_from_json(data["trace"])[0], data["confidence"], data["tokens"])
    return Attempted(task, number, finished, data["cpu_s"])
