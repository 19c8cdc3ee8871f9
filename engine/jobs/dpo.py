"""The kind "dpo": an adapter learns which of two ways to go on people took to be the better one (`engine.training.dpo`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import Conflict, InvalidInput
from engine.evaluation.held_out import HeldOut
from engine.jobs.adapter_work import AdapterWork, OnStep, parent_folder, require_same_backbone, with_parent
from engine.jobs.kinds import DPO, TITLES, Plan
from engine.jobs.report import Report
from engine.jobs.setting_apart import set_apart
from engine.jobs.workshop import Workshop
from engine.protocols import protocol_named
from engine.store import Job
from engine.training.dpo_config import DpoConfig
from engine.training.fitting import TooLong, objection, without_too_long
from engine.training.preferring import pairs_of
from engine.training.snapshot import describe, example_of, versions

if TYPE_CHECKING:
    from engine.training.dpo import PreferencePair
    from engine.training.on_backbone import Trained

__all__ = ["DpoKind", "DpoWork"]


@dataclass(frozen=True, slots=True)
class DpoKind:
    workshop: Workshop
    name: str = DPO
    title: str = TITLES[DPO]

    def plan(self, config: DpoConfig | None = None, *, name: str = "", held_out: HeldOut | None = None) -> Plan:
        """A job on every pair of the store (`engine.training.preferring`). `name` will be the adapter's; `held_out` is what is
        measured before and after, and not learned from; `start_from="live"` becomes the adapter that answers now, if there is
        one. Pairs that the model's wire format cannot write are left out and listed.

        Raises InvalidInput where nothing is left, NotFound for an unknown adapter.
        """
        store, backbone = self.workshop.store, self.workshop.backbone
        config = with_parent(self.workshop, config or DpoConfig())
        protocol = protocol_named(backbone.protocol_name)
        pairs, left_out = [], []
        for pair in pairs_of(store):
            reason = objection(pair.chosen.trace, protocol) or objection(pair.rejected.trace, protocol)
            if reason is None or "no step to learn from" in reason:
                pairs.append(pair)
            else:
                left_out.append({"revision": pair.chosen.id, "reason": reason})
        if not pairs:
            raise InvalidInput(
                "there is no preference to learn from: correct and accept traces in Curate, or say there which of two attempts "
                "is better"
            )
        apart = set_apart(self.workshop, held_out, [one.chosen for one in pairs], start_from=config.start_from)
        learned = [one for k, one in enumerate(pairs) if k not in apart.positions]
        settings = {
            "name": name or f"dpo {len(store.adapters.list()) + 1}",
            "dpo": config.as_json(),
            "backbone": describe(backbone),
            "evaluation": None if apart.evaluation is None else apart.evaluation.as_json(),
            "notes": list(apart.notes),
            "left_out": left_out,
            "first_steps": [one.first_step for one in learned],
        }
        ids = [side.id for one in learned for side in (one.chosen, one.rejected)]
        return Plan(settings, {"seed": config.seed}, versions(), ids)

    def prepare(self, job: Job) -> DpoWork:
        """Raises Conflict where some of its attempts were deleted since."""
        workshop, store, config = self.workshop, self.workshop.store, DpoConfig.from_json(job.config["dpo"])
        require_same_backbone(workshop, job)
        ids, places = store.jobs.revision_ids(job.id), job.config["first_steps"]
        if len(ids) != 2 * len(places):
            raise Conflict("some of the attempts that this job learns from were deleted; start a new job")
        sides = [example_of(store, store.revisions.get(one)) for one in ids]
        pairs = [
            (replace(chosen, first_step=place), replace(rejected, first_step=place, is_rejected=True))
            for chosen, rejected, place in zip(sides[::2], sides[1::2], places, strict=True)
        ]
        return DpoWork(workshop, job, config, pairs, parent_folder(workshop, config.start_from))


@dataclass(slots=True)
class DpoWork(AdapterWork):
    config: DpoConfig
    pairs: Sequence[PreferencePair]
    start_from: Path | None

    def fit(self, on_done: Callable[[int], None] = lambda done: None) -> Sequence[TooLong]:
        shop, most = self.workshop, self.config.max_tokens
        kept, left_out = [], []
        for done, pair in enumerate(self.pairs, 1):
            _, told = without_too_long(pair, shop.backbone, shop.load_pictures, most)
            left_out += told
            kept += [] if told else [pair]
            on_done(done)
        self.pairs = kept
        return left_out

    def opening(self) -> str:
        return f"learning from {len(self.pairs)} preferences, {self.config.total_steps(len(self.pairs))} steps"

    @property
    def items(self) -> Sequence[Any]:
        return self.pairs

    def learn(self, report: Report, on_metric: OnStep) -> Trained:
        from engine.training.dpo import run_dpo

        return run_dpo(
            self.workshop.backbone,
            self.pairs,
            self.config,
            load_pictures=self.workshop.load_pictures,
            on_metric=partial(on_metric, report),
            should_stop=report.should_stop,
            checkpoint_dir=report.folder,
            resume=True,
            start_from=self.start_from,
        )

    def metrics(self, numbers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        ends = {"first": numbers[0], "last": numbers[-1]} if numbers else {}
        found = {f"{when}_{name}": one[name] for when, one in ends.items() for name in ("loss", "preferred_share")}
        return found | {"pairs": len(self.pairs), "seed": self.config.seed}
