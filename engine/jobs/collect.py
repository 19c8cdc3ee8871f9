"""The kind "collect": the policy attempts examples, several times each, and its traces wait in the queue."""

from __future__ import annotations

from dataclasses import dataclass

from engine.evaluation.sources import Source
from engine.jobs.answering import LIVE
from engine.jobs.asking import Asked, Services
from engine.jobs.attempts import AttemptWork, plan_attempts
from engine.jobs.kinds import COLLECT, TITLES, Plan
from engine.store import Job

__all__ = ["CollectKind"]


@dataclass(frozen=True, slots=True)
class CollectKind:
    services: Services
    name: str = COLLECT
    title: str = TITLES[COLLECT]

    def plan(self, source: Source, asked: Asked, adapter: str = LIVE) -> Plan:
        """Attempts at the examples of `source` by `adapter`: the live one, none ("base"), or one by its id or name. Raises
        InvalidInput, NotFound and Unavailable."""
        return plan_attempts(self.services, source, asked, adapter)

    def prepare(self, job: Job) -> AttemptWork:
        return AttemptWork(self.services, job)
