"""The kind "grpo": an adapter learns from rollouts on questions with known answers, and an alarm watches for the learning
trap (`engine.training.grpo`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidInput
from engine.evaluation.held_out import HeldOut
from engine.evaluation.sources import question_of
from engine.jobs.adapter_work import AdapterWork, OnStep, parent_folder, require_same_backbone, with_parent
from engine.jobs.kinds import GRPO, TITLES, Plan
from engine.jobs.report import Report
from engine.jobs.setting_apart import set_apart
from engine.jobs.workshop import Workshop
from engine.store import Job, Revision
from engine.trace import Example
from engine.training.episodes import Episode
from engine.training.grpo_config import GrpoConfig
from engine.training.looked_at import attempts_of, is_kept
from engine.training.snapshot import describe, keep_examples, rl_examples_of, versions
from engine.training.trap import is_trapped

if TYPE_CHECKING:
    from engine.training.on_backbone import Trained

__all__ = ["GrpoKind", "GrpoWork"]

_NO_ANSWER = "its answer is not known"


@dataclass(frozen=True, slots=True)
class GrpoKind:
    workshop: Workshop
    name: str = GRPO
    title: str = TITLES[GRPO]

    def plan(
        self,
        config: GrpoConfig | None = None,
        *,
        examples: Sequence[Example] | None = None,
        revision_ids: Sequence[str] | None = None,
        name: str = "",
        held_out: HeldOut | None = None,
    ) -> Plan:
        """A job on `examples` (kept in a file), or on the questions of `revision_ids`, by default of every accepted
        revision, with the gold answer where one is known and else the accepted one. `start_from="live"` becomes the
        adapter that answers now, if there is one. What has no answer is left out and listed; `held_out` is what is measured
        before and after, and not rolled out.

        Raises InvalidInput where nothing is left, NotFound for unknown revisions or adapters.
        """
        store, backbone = self.workshop.store, self.workshop.backbone
        config = with_parent(self.workshop, config or GrpoConfig())
        settings: dict[str, Any] = {
            "name": name or f"rl {len(store.adapters.list()) + 1}",
            "grpo": config.as_json(),
            "backbone": describe(backbone),
        }
        items: list[Revision] | list[Example]
        if examples is not None:
            items = [one for one in examples if one.answer]
            settings["left_out"] = [
                {"question": one.question, "reason": _NO_ANSWER} for one in examples if not one.answer
            ]
        else:
            revisions = (
                store.reviews.accepted() if revision_ids is None else [store.revisions.get(one) for one in revision_ids]
            )
            questions = [(revision, question_of(store, revision)) for revision in revisions]
            items = [revision for revision, one in questions if one.answer]
            settings["left_out"] = [
                {"revision": revision.id, "reason": _NO_ANSWER} for revision, one in questions if not one.answer
            ]
        if not items:
            raise InvalidInput(
                "there is nothing to roll out: RL needs questions with known answers; accept some traces first"
            )
        apart = set_apart(self.workshop, held_out, items, start_from=config.start_from)
        settings["evaluation"] = None if apart.evaluation is None else apart.evaluation.as_json()
        settings["notes"] = list(apart.notes)
        learned = [one for k, one in enumerate(items) if k not in apart.positions]
        if examples is not None:
            settings["examples"] = keep_examples(
                self.workshop.artifacts, [one for one in learned if isinstance(one, Example)]
            )
        chosen = [one.id for one in learned if isinstance(one, Revision)]
        return Plan(settings, {"seed": config.seed}, versions(), chosen)

    def prepare(self, job: Job) -> GrpoWork:
        workshop, config = self.workshop, GrpoConfig.from_json(job.config["grpo"])
        require_same_backbone(workshop, job)
        examples = rl_examples_of(workshop.store, workshop.artifacts, job)
        return GrpoWork(workshop, job, config, examples, parent_folder(workshop, config.start_from))


@dataclass(slots=True)
class GrpoWork(AdapterWork):
    config: GrpoConfig
    examples: Sequence[Example]
    start_from: Path | None
    _rates: dict[int, float] = field(default_factory=dict, init=False)
    _is_alarmed: bool = field(default=False, init=False)

    def opening(self) -> str:
        config = self.config
        reward = f"reward of the variant {config.variant!r}" if config.is_curious else "reward without curiosity"
        return (
            f"rolling out {len(self.examples)} questions, {config.steps} steps of {config.queries_a_step} x "
            f"{config.rollouts} rollouts; {reward}, advantages {config.advantage}"
        )

    @property
    def items(self) -> Sequence[Any]:
        return self.examples

    def learn(self, report: Report, on_metric: OnStep) -> Trained:
        # Imported here: TRL brings its data sets along, and a studio that starts need not wait for them.
        from engine.training.grpo import run_grpo

        # A resumed run goes on watching what it has seen.
        self._rates = {event.step: event.data["rapr"] for event in report.said("metric") if event.step is not None}
        return run_grpo(
            self.workshop.backbone,
            self.examples,
            self.config,
            load_pictures=self.workshop.load_pictures,
            on_metric=partial(on_metric, report),
            should_stop=report.should_stop_soon,
            checkpoint_dir=report.folder,
            resume=True,
            start_from=self.start_from,
            on_episode=partial(self._on_episode, report),
        )

    def on_metric(self, report: Report, step: int, total: int, numbers: Mapping[str, float]) -> None:
        AdapterWork.on_metric(self, report, step, total, numbers)
        self._rates[step] = numbers["rapr"]
        rates = [self._rates[one] for one in sorted(self._rates) if one <= step]
        was_alarmed, self._is_alarmed = self._is_alarmed, is_trapped(rates, self.config.threshold)
        if self._is_alarmed and not was_alarmed:
            text = (
                f"the learning trap: operations are being given up, RaPR fell to {numbers['rapr']:.2f}. Stop, and go on "
                "from a warm start that operates with success, or with a larger curiosity"
            )
            report.say(step, "alarm", {"text": text, "rapr": numbers["rapr"]})
        elif was_alarmed and not self._is_alarmed:
            report.say(step, "log", {"text": "operations are used again; the alarm is over"})

    def metrics(self, numbers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        ends = {"first": numbers[0], "last": numbers[-1]} if numbers else {}
        found = {f"{when}_{name}": one[name] for when, one in ends.items() for name in ("reward", "rapr")}
        return found | {
            "examples": len(self.examples),
            "variant": self.config.variant if self.config.is_curious else "without curiosity",
            "advantage": self.config.advantage,
            "seed": self.config.seed,
        }

    def _on_episode(self, report: Report, step: int, episode: Episode) -> None:
        if is_kept(step, self.config.steps):
            report.say(step, "rollouts", attempts_of(episode))
