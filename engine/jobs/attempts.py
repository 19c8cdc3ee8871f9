"""Attempts as a job: a policy is asked the examples of a source, and each attempt is recorded as it ends.

    plan      who answers, which examples, how they are asked: plain JSON
    run       the attempts that are not recorded yet, many on their way at once (`engine.evaluation.runner.run_attempts`)
    keeping   all traces, only right ones, or only those of examples whose attempts disagree

The idea: an attempt is named by its job, the position of its example and its number, and its seed follows from these and the
job's; so a job that was stopped or killed goes on with exactly what it lacks, and nothing is asked twice. Collecting and
evaluating are this one way; they differ in what is kept and in what is summed up.

Invariants: an attempt and its trace are recorded together or not at all; of a trace that is not kept only numbers stay, and
its media are not stored; a limit on tokens begins no further example once it is reached. Attempts that may turn out not to be
kept wait in the job's folder, which is gone when the job is done.

Not covered: how an attempt goes (`engine.reasoning`), who answers (`engine.jobs.answering`).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.evaluation.ahead import ahead
from engine.evaluation.conventions.convention import Following
from engine.evaluation.conventions.projects import following
from engine.evaluation.crops import showing
from engine.evaluation.examples import Posed
from engine.evaluation.options import chance, shuffled
from engine.evaluation.runner import Attempted, Task, run_attempts
from engine.evaluation.scoring import rule_of
from engine.evaluation.sources import Source, accepted_revisions, offered
from engine.jobs.answering import Answerer
from engine.jobs.asking import Asked, Services
from engine.jobs.keeping import Keeping
from engine.jobs.kinds import CutOff, Done, Ending, Plan
from engine.jobs.report import Report, duration
from engine.reasoning import Limits
from engine.store import AttemptCounts, Job

__all__ = ["AttemptWork", "plan_attempts"]


def plan_attempts(services: Services, source: Source, asked: Asked, adapter: str, **more: Any) -> Plan:
    """A job of attempts; `more` stands in its configuration beside. Raises what `Answering.choose` raises."""
    revision_ids = accepted_revisions(services.store) if source.kind == "accepted" else ()
    config = {
        "source": source.as_json(),
        "answerer": services.answering.choose(adapter),
        "asked": asked.as_json(),
        "limits": dataclasses.asdict(services.limits),
        **more,
    }
    return Plan(config, {"seed": asked.seed}, revision_ids=revision_ids)


@dataclass(slots=True)
class AttemptWork:
    """One job of attempts, read from its record."""

    services: Services
    job: Job
    source: Source = field(init=False)
    asked: Asked = field(init=False)
    _counts: AttemptCounts = field(init=False)
    _new: int = field(default=0, init=False)
    _began_s: float = field(default=0.0, init=False)
    _is_cut: bool = field(default=False, init=False)

    following: Following | None = field(init=False)

    def __post_init__(self) -> None:
        self.source = Source.from_json(self.job.config["source"])
        self.asked = Asked.from_json(self.job.config["asked"])
        self.following = following(self.asked.protocol_of, self.source.title)
        self._counts = self.services.store.attempts.counts(self.job.id)

    def run(self, report: Report) -> Ending:
        self._began_s = time.monotonic()
        with self.services.answering.open(self.job.config["answerer"], self.asked.temperature) as answerer:
            keeping = Keeping(self.services, self.job.id, self.asked, answerer.policy, report.folder)
            running = run_attempts(
                answerer.policy,
                self._tasks(answerer, keeping),
                Limits(**self.job.config["limits"]),
                at_once=self.asked.at_once,
                is_operating=self.asked.is_operating,
                is_cancelled=report.should_stop_soon,
            )
            try:
                self.begin(answerer)
                self._tell(report)
                with closing(running):
                    for attempted in running:
                        keeping.take(attempted)
                        self._count(attempted)
                        self._tell(report)
            finally:
                self.end(time.monotonic() - self._began_s)
        if report.should_stop():
            return CutOff(f"after {self._so_far()}")
        return Done(self._verdict())

    def begin(self, answerer: Answerer) -> None:
        """Before the first attempt of a run."""

    def end(self, seconds: float) -> None:
        """After its last, `seconds` after its first was asked."""

    @property
    def total(self) -> int | None:
        """How many attempts the whole job is, None where only the end will tell."""
        return None if self.source.size is None else self.source.size * self.asked.attempts

    def _tasks(self, answerer: Answerer, keeping: Keeping) -> Iterator[Task]:
        store = self.services.store
        examples = offered(
            self.source,
            store,
            self.services.media,
            answerer.policy.protocol.CLIP_SAMPLING,
            store.jobs.revision_ids(self.job.id),
            answerer.learned_from,
        )
        begun = (
            (position, seeds, one)
            for position, one in enumerate(examples)
            if (seeds := self.asked.seeds(position, keeping.made(position)))
        )
        with closing(ahead(((*parts, parts[-1].pose()) for parts in begun), self.asked.at_once)) as coming:
            for position, seeds, one, posed in coming:
                if self.asked.max_tokens is not None and self._counts.tokens >= self.asked.max_tokens:
                    self._is_cut = True
                    return
                yield self._task(position, posed, seeds, one.files)

    def _task(
        self, position: int, posed: Posed, seeds: Mapping[int, int | None], files: tuple[Path | bytes, ...]
    ) -> Task:
        if self.asked.option_seed is not None:
            posed = Posed(shuffled(posed.example, self.asked.option_seed, position), posed.pictures)
        example = posed.example
        posed = Posed(example, showing(posed.pictures, self.asked.crops, self.asked.seed))
        rule = rule_of(example) if self.following is None else self.following.convention(example).rule
        self.services.store.attempts.begin(self.job.id, position, example, rule, chance(example))
        return Task(position, posed, seeds, files, self.following)

    def _count(self, attempted: Attempted) -> None:
        counts, score = self._counts, attempted.result.score
        self._new += 1
        self._counts = dataclasses.replace(
            counts,
            made=counts.made + 1,
            scored=counts.scored + (score is not None),
            total_score=counts.total_score + (score or 0.0),
            tokens=counts.tokens + attempted.finished.tokens,
        )

    def _tell(self, report: Report) -> None:
        made, total = self._counts.made, self.total
        message = self._so_far()
        if self._counts.accuracy is not None:
            message += f", {self._counts.accuracy:.1%} right"
        if total is not None and self._new:
            left_s = (time.monotonic() - self._began_s) / self._new * max(0, total - made)
            message += f", about {duration(left_s)} left" if left_s else ""
        report.progress(None if total is None else min(1.0, made / total), message)

    def _so_far(self) -> str:
        made = f"{self._counts.made:,}"
        return f"{made} attempts" if self.total is None else f"{made} of {self.total:,} attempts"

    def _verdict(self) -> str:
        counts = self.services.store.attempts.counts(self.job.id)
        parts = [f"{_many(counts.made, 'attempt')} at {_many(counts.examples, 'example')}"]
        if counts.accuracy is not None:
            parts.append(f"{counts.accuracy:.1%} right")
        if counts.kept < counts.made:
            parts.append(f"{counts.kept:,} kept, {counts.made - counts.kept:,} not")
        if self._is_cut:
            parts.append(f"ended by the limit of {self.asked.max_tokens:,} tokens")
        return "; ".join(parts)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
