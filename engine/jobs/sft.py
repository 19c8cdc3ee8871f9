"""The kind "sft": an adapter learns to say, turn by turn, what traces say (`engine.training.sft`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidInput, NotFound
from engine.evaluation.held_out import SHARE, HeldOut, HeldOutSet
from engine.jobs.adapter_work import AdapterWork, OnStep, require_same_backbone
from engine.jobs.kinds import SFT, TITLES, Plan
from engine.jobs.report import Report
from engine.jobs.setting_apart import set_apart
from engine.jobs.workshop import Workshop
from engine.protocols import protocol_named
from engine.store import Job, Revision
from engine.training.dataset import TrainingExample
from engine.training.fitting import TooLong, objection, without_too_long
from engine.training.sft_config import SftConfig
from engine.training.snapshot import describe, example_of, versions

if TYPE_CHECKING:
    from engine.training.on_backbone import Trained

__all__ = ["SftKind", "SftWork"]


_VALIDATED = 16
"""Held-out traces whose loss is told of."""
_VALIDATIONS = 20
"""How often in a run, about."""


@dataclass(frozen=True, slots=True)
class SftKind:
    workshop: Workshop
    name: str = SFT
    title: str = TITLES[SFT]

    def plan(
        self,
        config: SftConfig | None = None,
        *,
        revision_ids: Sequence[str] | None = None,
        name: str = "",
        held_out: HeldOut | None = None,
    ) -> Plan:
        """A job on `revision_ids`, by default every accepted revision. `name` will be the adapter's; `held_out` is what is
        measured before and after, and not learned from. Traces that cannot be learned from are left out and listed with the
        reason under "left_out" in the configuration; of equal ones the first is taken, and "repeated" counts the others.

        Raises InvalidInput where nothing is left, NotFound for unknown revisions.
        """
        store, backbone, config = self.workshop.store, self.workshop.backbone, config or SftConfig()
        revisions = (
            store.reviews.accepted() if revision_ids is None else [store.revisions.get(one) for one in revision_ids]
        )
        if not revisions:
            raise InvalidInput("there is nothing to train on: accept some traces first")
        protocol = protocol_named(backbone.protocol_name)
        chosen: dict[int, Revision] = {}
        left_out = []
        for revision in revisions:
            reason = objection(revision.trace, protocol)
            if reason is None:
                chosen.setdefault(store.lessons.key_of(revision), revision)
            else:
                left_out.append({"revision": revision.id, "reason": reason})
        if not chosen:
            raise InvalidInput(
                f"none of the {len(revisions)} traces can be learned from; the first: {left_out[0]['reason']}"
            )
        usable = list(chosen.values())
        apart = set_apart(self.workshop, held_out, usable)
        settings = {
            "name": name or f"sft {len(store.adapters.list()) + 1}",
            "sft": config.as_json(),
            "backbone": describe(backbone),
            "evaluation": None if apart.evaluation is None else apart.evaluation.as_json(),
            "notes": list(apart.notes),
            "left_out": left_out,
            "repeated": len(revisions) - len(left_out) - len(chosen),
        }
        learned = [one.id for k, one in enumerate(usable) if k not in apart.positions]
        return Plan(settings, {"seed": config.seed}, versions(), learned)

    def prepare(self, job: Job) -> SftWork:
        config, store = SftConfig.from_json(job.config["sft"]), self.workshop.store
        require_same_backbone(self.workshop, job)
        examples = [example_of(store, store.revisions.get(one)) for one in store.jobs.revision_ids(job.id)]
        return SftWork(self.workshop, job, config, examples, self._validation(job))

    def _validation(self, job: Job) -> list[TrainingExample]:
        """Of the held-out share the first traces: what the loss is also told of."""
        held_out, store, found = HeldOutSet.from_json(job.config.get("evaluation")), self.workshop.store, []
        for one in () if held_out is None or held_out.source.name != SHARE else held_out.revision_ids[:_VALIDATED]:
            try:
                found.append(example_of(store, store.revisions.get(one)))
            except NotFound:  # deleted since
                continue
        return found


@dataclass(slots=True)
class SftWork(AdapterWork):
    config: SftConfig
    examples: Sequence[TrainingExample]
    validation: Sequence[TrainingExample] = ()

    def fit(self, on_done: Callable[[int], None] = lambda done: None) -> Sequence[TooLong]:
        shop, most = self.workshop, self.config.max_tokens
        fitting, told = without_too_long(self.examples, shop.backbone, shop.load_pictures, most, on_done)
        self.examples = [self.examples[k] for k in fitting]
        kept, _ = without_too_long(self.validation, shop.backbone, shop.load_pictures, most)
        self.validation = [self.validation[k] for k in kept]
        return told

    def on_metric(self, report: Report, step: int, total: int, numbers: Mapping[str, float]) -> None:
        """With the loss on held-out traces at every twentieth of the run."""
        from engine.training.sft import validation_loss

        if self.validation and (step % max(1, total // _VALIDATIONS) == 0 or step in (1, total)):
            shop, most = self.workshop, self.config.max_tokens
            loss = validation_loss(shop.backbone, self.validation, shop.load_pictures, most)
            numbers = {**numbers, "validation_loss": loss}
        AdapterWork.on_metric(self, report, step, total, numbers)

    def opening(self) -> str:
        return f"training on {len(self.examples)} traces, {self.config.total_steps(len(self.examples))} steps"

    @property
    def items(self) -> Sequence[Any]:
        return self.examples

    def learn(self, report: Report, on_metric: OnStep) -> Trained:
        # Imported here: TRL brings its data sets along, and a studio that starts need not wait for them.
        from engine.training.sft import run_sft

        return run_sft(
            self.workshop.backbone,
            self.examples,
            self.config,
            load_pictures=self.workshop.load_pictures,
            on_metric=partial(on_metric, report),
            should_stop=report.should_stop,
            checkpoint_dir=report.folder,
            resume=True,
        )

    def metrics(self, numbers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        losses = [one["loss"] for one in numbers]
        return {
            "traces": len(self.examples),
            "first_loss": losses[0] if losses else None,
            "last_loss": losses[-1] if losses else None,
            "seed": self.config.seed,
        }
