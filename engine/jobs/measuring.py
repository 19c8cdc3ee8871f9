"""Before and after a training job: attempts at held-out examples, by whom the new adapter is compared with and by itself.

    attempt 0 at example i    before: whoever answered when the job was planned, or what it starts from
    attempt 1 at example i    after: the new adapter

The idea: both are attempts of the training job, recorded as every other attempt (`engine.jobs.keeping`), each with its trace;
so they are compared as two evaluations are (`engine.evaluation.comparing`), a job that was stopped or killed asks nothing
twice, and the two traces at one example stand together in Curate.

Invariant: an example with a medium that either of the two has learned from is passed over, and named in what is returned.
Importing this needs no torch. Not covered: which examples are held out (`engine.evaluation.held_out`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import NotFound
from engine.evaluation.comparing import Compared, Comparison, compare
from engine.evaluation.drawn import ABSENT, drawn_benchmarks
from engine.evaluation.examples import Posed
from engine.evaluation.held_out import HeldOutSet
from engine.evaluation.options import chance
from engine.evaluation.runner import AT_ONCE, Task, run_attempts
from engine.evaluation.scoring import rule_of, summarise
from engine.evaluation.sources import Offered, offered
from engine.jobs.keeping import record_attempts
from engine.media import MediaFolder
from engine.policies.base import Policy
from engine.reasoning import Limits
from engine.store import Attempt, Job, JobEvent, Store

if TYPE_CHECKING:
    from engine.jobs.workshop import Evaluate, Measuring, When

__all__ = ["before_and_after", "held_out_measuring", "measured", "offered_examples"]

_NUMBERS: dict[When, int] = {"before": 0, "after": 1}
_NAMED = 20
"""Examples that are named where they are passed over."""


def held_out_measuring(store: Store, media: MediaFolder, artifacts: Path, limits: Limits) -> Measuring:
    """Measures what stands under "evaluation" in a job's configuration; `limits` are those of an answer."""

    def measuring(job: Job) -> Evaluate | None:
        held_out = HeldOutSet.from_json(job.config.get("evaluation"))
        if held_out is None:
            return None
        seen = _learned_from(store, artifacts, job, held_out)
        return partial(_measure, store, media, artifacts, limits, job, held_out, seen)

    return measuring


def before_and_after(store: Store, job_id: str) -> tuple[list[Attempt], list[Attempt]]:
    """The attempts of a training job at its held-out examples, before and after; empty where they were not made."""
    made = list(store.attempts.of(job_id))
    return [one for one in made if one.number == 0], [one for one in made if one.number == 1]


def measured(store: Store, job_id: str, events: list[JobEvent] | None = None) -> Comparison | None:
    """The job's adapter against what was there before; None where it was not measured to the end."""
    told = store.jobs.events(job_id, kind="evaluation") if events is None else events
    by_when = {event.data.get("when"): event.data for event in told if event.kind == "evaluation"}
    if "after" not in by_when or "before" not in by_when:
        return None
    before, after = before_and_after(store, job_id)
    if before or after:
        return compare(before, after)
    return compare(*(_told_examples(by_when[when]) for when in ("before", "after")))


@dataclasses.dataclass(frozen=True, slots=True)
class _Told:
    """An example as builds before 2026-11-29 told of it in an event, with no attempt beside."""

    example_key: str
    score: float | None


def _told_examples(data: dict[str, Any]) -> list[Compared]:
    return [
        _Told(f"{position} {one.get('sha256')} {one.get('question')}", one.get("score"))
        for position, one in enumerate(data.get("examples", ()))
    ]


def _measure(
    store: Store,
    media: MediaFolder,
    artifacts: Path,
    limits: Limits,
    job: Job,
    held_out: HeldOutSet,
    seen: frozenset[str],
    when: When,
    policy: Policy,
    is_cancelled: Callable[[], bool],
) -> dict[str, Any]:
    number = _NUMBERS[when]
    made = {position for position, numbers in store.attempts.made(job.id).items() if number in numbers}
    passed_over: list[str] = []
    size = held_out.source.size

    def tell(done: int) -> None:
        of = "" if size is None else f" of {size}"
        store.jobs.heartbeat(job.id, message=f"measuring on held-out examples, {when}: {done}{of}")

    def tasks() -> Iterator[Task]:
        for position, one in offered_examples(store, media, artifacts, held_out, policy):
            if position in made:
                continue
            posed = one.pose()
            example = posed.example
            if any(medium.sha256 in seen for medium in example.media):
                passed_over.append(example.question)
                continue
            store.attempts.begin(job.id, position, example, rule_of(example), chance(example))
            yield Task(position, posed, {number: None}, one.files)

    tell(len(made))
    for done, attempted in enumerate(
        run_attempts(policy, tasks(), limits, at_once=AT_ONCE, is_cancelled=is_cancelled), len(made) + 1
    ):
        asked = {number: {"seed": None}}
        record_attempts(store, media, policy, job.id, [attempted], asked, is_kept=True, is_group=True)
        tell(done)
    found = before_and_after(store, job.id)[number]
    note = held_out.note
    if held_out.source.kind == "drawn" and not drawn_benchmarks():
        note = f"measured on nothing: {ABSENT}"
    return dataclasses.asdict(summarise(held_out.source.title, found)) | {
        "note": note,
        "passed_over": {"count": len(passed_over), "questions": passed_over[:_NAMED]},
    }


def offered_examples(
    store: Store, media: MediaFolder, artifacts: Path, held_out: HeldOutSet, policy: Policy
) -> Iterator[tuple[int, Offered]]:
    """Examples with their positions, which stay the same where a trace in between was deleted."""
    source = held_out.source
    if held_out.examples is not None:
        from engine.training.snapshot import kept_examples

        for position, example in enumerate(kept_examples(artifacts, held_out.examples)):
            yield position, Offered(lambda example=example: Posed(example, media.pictures(example.media)))  # type: ignore[misc]
        return
    if source.kind == "drawn" and not drawn_benchmarks():
        return
    sampling = policy.protocol.CLIP_SAMPLING
    if source.kind != "accepted":
        yield from enumerate(offered(source, store, media, sampling))
        return
    for position, revision_id in enumerate(held_out.revision_ids):
        try:
            store.revisions.get(revision_id)
        except NotFound:
            continue
        for one in offered(source, store, media, sampling, [revision_id]):
            yield position, one


def _learned_from(store: Store, artifacts: Path, job: Job, held_out: HeldOutSet) -> frozenset[str]:
    """The media that the new adapter, or whom it is compared with, learns or has learned from."""
    from engine.training.snapshot import learned_from

    found = learned_from(store, artifacts, job)
    parent = (held_out.answerer or {}).get("adapter")
    job_id = None if parent is None else store.adapters.get(parent).job_id
    if job_id is not None:
        found |= learned_from(store, artifacts, store.jobs.get(job_id))
    return frozenset(found)
