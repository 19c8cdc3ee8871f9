"""What the Train screen may ask for, where a model runs that can be trained: one thin object around `engine.jobs`.

The idea: the screen's handlers stay free of paths, leases and threads; whatever they ask for goes through here, and
what came of it they read from the store.

Invariant: this module is imported only once a model is loaded, for it brings torch along.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.errors import Conflict, Doubtful
from engine.evaluation.held_out import SHARE, HeldOut, hold_out
from engine.jobs import promotion
from engine.jobs.dpo import DpoKind
from engine.jobs.grpo import GrpoKind
from engine.jobs.kinds import DPO, GRPO, MERGE, PROBE, PUSH_ADAPTER, Kind, Plan
from engine.jobs.running import queue_job, resume_job
from engine.jobs.sft import SftKind
from engine.jobs.worker import Worker
from engine.jobs.workshop import Workshop
from engine.protocols import protocol_named
from engine.reasoning import Limits
from engine.store import Adapter, Job
from engine.training.dpo_config import DpoConfig
from engine.training.fitting import objection
from engine.training.grpo_config import GrpoConfig
from engine.training.preferring import Pair, pairs_of
from engine.training.sft_config import SftConfig

__all__ = ["TrainingDesk", "training_kinds"]


@dataclass(frozen=True, slots=True)
class TrainingDesk:
    """`limits` are those of an answer. `unloaded` says why what was promoted before does not answer since the start. Errors
    for people are PersonErrors, as everywhere."""

    workshop: Workshop
    worker: Worker
    limits: Limits
    unloaded: str | None = None
    _judged: dict[str, str | None] = field(default_factory=dict)
    _pairs: dict[tuple[str | None, ...], list[Pair]] = field(default_factory=dict)
    _media: dict[str | None, list[tuple[str, frozenset[str]]]] = field(default_factory=dict)

    @property
    def model_name(self) -> str:
        return self.workshop.backbone.name

    @property
    def live_name(self) -> str | None:
        """The adapter that really answers; None is the backbone alone."""
        return self.workshop.backbone.adapters.live_name

    @property
    def problem(self) -> str | None:
        """Why the promoted adapter does not answer, as a sentence; None where it does, or none is promoted."""
        is_missing = self.live_name is None and self.workshop.store.adapters.live() is not None
        return self.unloaded if is_missing else None

    def objections(self, revision_ids: Sequence[str]) -> dict[str, str]:
        """Why a revision cannot be learned from, by its id; those that can are not in it. Each is read and judged once: a
        revision never changes, and neither does the model's protocol."""
        protocol = protocol_named(self.workshop.backbone.protocol_name)
        for one in revision_ids:
            if one not in self._judged:
                trace = self.workshop.store.revisions.get(one).trace
                self._judged[one] = objection(trace, protocol)
        return {one: reason for one in revision_ids if (reason := self._judged[one]) is not None}

    def divided(self, kind: str, held_out: HeldOut | None) -> tuple[int, int]:
        """Of everything that is accepted now, how many traces a run of the kind would learn from (of preferences, how many
        pairs), and how many are held out."""
        if kind == DPO:
            media = [frozenset(one.sha256 for one in pair.chosen.trace.media) for pair in self._preferences()]
            return _divided(media, held_out)
        changed_at = self.workshop.store.lessons.last_change()
        if changed_at not in self._media:
            self._media.clear()
            self._media[changed_at] = self.workshop.store.lessons.media()
        lessons = self._media[changed_at]
        refused = self.objections([one.head_id for one in self.workshop.store.lessons.doubtful()])
        usable = [media for head_id, media in lessons if head_id not in refused]
        return _divided(usable, held_out)

    def pair_kinds(self) -> Mapping[str, int]:
        """How many preferences there are of each kind."""
        return Counter(pair.kind for pair in self._preferences())

    def _preferences(self) -> list[Pair]:
        store = self.workshop.store
        stamp = (store.lessons.last_change(), *(one.id for one in store.preferences.list(1)))
        if stamp not in self._pairs:
            self._pairs.clear()
            self._pairs[stamp] = pairs_of(store)
        return self._pairs[stamp]

    def start(self, kind: str, config: Mapping[str, Any], held_out: HeldOut | None) -> Job:
        """Queues a run ("sft", "dpo" or "grpo") over everything that is accepted now, but for what is held out to be measured on,
        and wakes the worker. Raises InvalidInput."""
        return self._queued(*self._planned(kind, config, held_out))

    def probe(self, kind: str, config: Mapping[str, Any], held_out: HeldOut | None) -> Job:
        """Queues what measures how long the same run would take. Raises InvalidInput, Conflict while one is measured."""
        probe = self.worker.kinds[PROBE]
        if any(one.kind == PROBE for one in self.workshop.store.jobs.active()):
            raise Conflict("It is being measured already.")
        planned = self._planned(kind, config, held_out)[1]
        return self._queued(probe, probe.plan(kind, planned, held_out))

    def _planned(self, kind: str, config: Mapping[str, Any], held_out: HeldOut | None) -> tuple[Kind, Plan]:
        if kind == DPO:
            preferring = DpoKind(self.workshop)
            return preferring, preferring.plan(DpoConfig.from_json(config), held_out=held_out)
        if kind == GRPO:
            rl = GrpoKind(self.workshop)
            return rl, rl.plan(GrpoConfig.within(self.limits, config), held_out=held_out)
        sft = SftKind(self.workshop)
        return sft, sft.plan(SftConfig.from_json(config), held_out=held_out)

    def merge(self, adapter_id: str) -> Job:
        """Queues merging an adapter into full weights. Raises NotFound."""
        kind = self.worker.kinds[MERGE]
        return self._queued(kind, kind.plan(adapter_id))

    def push(self, adapter_id: str, repo: str, *, is_public: bool) -> Job:
        """Queues publishing an adapter on the Hub. Raises NotFound, InvalidInput, InvalidSetting."""
        kind = self.worker.kinds[PUSH_ADAPTER]
        return self._queued(kind, kind.plan(adapter_id, repo, is_public=is_public))

    def _queued(self, kind: Kind, plan: Plan) -> Job:
        job = queue_job(self.workshop.store, kind, plan)
        self.worker.wake()
        return job

    def stop(self, job_id: str) -> Job:
        """A running job ends after its current step, a waiting one at once."""
        return self.workshop.store.jobs.request_stop(job_id, "stopping after the current step")

    def resume(self, job_id: str) -> Job:
        """Goes on from the last checkpoint. Raises Conflict where the job is not one that can."""
        job = resume_job(self.workshop.store, job_id)
        self.worker.wake()
        return job

    def promote(self, adapter_id: str, author: str, *, is_sure: bool = False) -> Adapter:
        """The adapter answers from the next turn on. Raises Doubtful where it is not known to be better than what answers now
        and the person `is_sure` of nothing yet; Unavailable, NotFound."""
        workshop = self.workshop
        reason = None if is_sure else promotion.doubt(workshop.store, workshop.store.adapters.get(adapter_id))
        if reason is not None:
            raise Doubtful(f"{reason}.")
        return promotion.promote(workshop.store, workshop.backbone, workshop.artifacts, adapter_id, author)

    def roll_back(self, author: str) -> Adapter | None:
        """What answered before answers again. Raises Unavailable."""
        return promotion.roll_back(self.workshop.store, self.workshop.backbone, self.workshop.artifacts, author)

    def rename(self, adapter_id: str, name: str) -> Adapter:
        """Raises InvalidInput, NotFound."""
        return promotion.rename(self.workshop.store, self.workshop.backbone, adapter_id, name)

    def demote(self, author: str) -> None:
        promotion.demote(self.workshop.store, self.workshop.backbone, author)

    def discard(self, adapter_id: str) -> Adapter:
        """Deletes the weights; raises Conflict for the one that answers."""
        return promotion.discard(self.workshop.store, self.workshop.artifacts, adapter_id)


def _divided(items: Sequence[frozenset[str]], held_out: HeldOut | None) -> tuple[int, int]:
    apart = 0
    if held_out is not None and held_out.name == SHARE:
        apart = len(hold_out(items, held_out.share, held_out.count))
    return len(items) - apart, apart


def training_kinds(workshop: Workshop) -> dict[str, Kind]:
    """What this workshop can run, for the worker's table."""
    kinds: tuple[Kind, ...] = (SftKind(workshop), DpoKind(workshop), GrpoKind(workshop))
    return {kind.name: kind for kind in kinds}
