"""Teaching a new kind of scene by hand: 60 approved traces, a short SFT, and what it brought and cost.

    new    number plates (`engine.lab.world.plates`), of which the embedded reasoner was taught nothing
    old    what it was made for: signs

    1  the model attempts new scenes of the training split, and each attempt is recorded
    2  a person corrects each: the zoom lies on the plate, the thoughts name it, the answer is what it says; and approves it
    3  attempts at old scenes that were right are approved as they are, so that what is known is practised, too
    4  a job of SFT on what was approved, whose adapter is promoted
    5  fresh scenes of the test split, new and old, asked before and after

The idea: everything goes through the doors that people use: the workbench edits and reviews, the job trains, promotion lets
the adapter answer; only the person is a program, which knows where the plate is.

Invariants: what is asked before and after is of another split than what is taught, with the same examples on both sides;
settings were chosen on the validation split. Not covered: other models, other kinds of scenes.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from engine.backbone.loading import Backbone
from engine.editing import (
    Confirm,
    DeleteStep,
    Edit,
    InsertStep,
    RemoveOperation,
    SetAnswer,
    SetBox,
    SetThought,
)
from engine.errors import Unavailable
from engine.evaluation.benchmarks import BenchmarkSplit, draw
from engine.evaluation.comparing import Comparison, compare
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Unposed, pose
from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import Result, summarise
from engine.jobs.promotion import promote
from engine.jobs.running import run_in_foreground
from engine.jobs.sft import SftKind
from engine.jobs.workshop import Workshop
from engine.media import MediaFolder
from engine.policies.local import LocalPolicy
from engine.store import Store
from engine.synthesis.regions import box_on, cue_of
from engine.trace import Example, Trace
from engine.training.sft_config import SftConfig
from engine.workbench import Workbench

__all__ = [
    "ANSWER",
    "LOOK",
    "NEW",
    "OLD",
    "PRACTISED",
    "SEED",
    "SETTINGS",
    "attempts",
    "correct",
    "corrections",
    "measure",
    "record",
    "report",
]

NEW, OLD = "mini-plates", "mini-signs"
SETTINGS = SftConfig(steps=700, learning_rate=1e-3, box_variants=3, checkpoint_every=100)
PRACTISED = 140
"""Old attempts that were right, approved beside what is taught."""
SEED = 41
"""Of what is taught and of the test. Other settings asked other seeds of the test split, once each, of 200: seed 5 without
variants and with 60 old attempts in 500 steps, 72.0 ± 3.2 and 3.5 lost; seed 23 with variants and 80 old ones in 600 steps,
80.0 ± 2.8 and 4.5 lost."""
_PERSON = "teacher"
LOOK = "The text on the number plate is too small to read. I will zoom in."
ANSWER = "It says"


@dataclass(frozen=True, slots=True)
class _Scored:
    """A result as two runs are compared by it."""

    example_key: str
    score: float | None


def measure(
    backbone: Backbone,
    taught: int = 60,
    asked: int = 400,
    settings: SftConfig = SETTINGS,
    *,
    practised: int = PRACTISED,
    seed: int = SEED,
    split: BenchmarkSplit = "test",
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """`taught` scenes of the training split are corrected and approved, and `practised` old attempts beside them; `asked` of
    each kind, of `split`, are measured; all from `seed`. Raises Unavailable where the training fails."""
    policy = LocalPolicy(backbone)
    wanted = {name: [*draw(required_benchmark(name), asked, seed, split)] for name in (NEW, OLD)}
    before = {name: _asked(policy, drawn) for name, drawn in wanted.items()}
    progress(f"  before: {_shares(before)}")
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder, "annotations.db")) as store:
        media = MediaFolder(Path(folder, "media"))
        workbench = Workbench(store, media, lambda: policy)
        for drawn, result in attempts(policy, draw(required_benchmark(NEW), taught, seed, "train")):
            correct(workbench, record(store, media, drawn, result), result.trace, result.example)
        known = draw(required_benchmark(OLD), 2 * practised, seed + 1, "validation")
        for drawn, result in islice((one for one in attempts(policy, known) if one[1].score == 1), practised):
            workbench.review(record(store, media, drawn, result), _PERSON, "accepted")
        progress(f"  {store.traces.counts()['accepted']} traces were corrected and approved")
        kind = SftKind(Workshop(store, backbone, Path(folder), media.pictures))
        began_s, cpu_began_s = time.perf_counter(), time.process_time()
        job = run_in_foreground(store, Path(folder), kind, kind.plan(settings, name="plates"))
        if job.state != "done":
            raise Unavailable(f"the training did not end as it should: {job.message}")
        seconds, cpu_seconds = time.perf_counter() - began_s, time.process_time() - cpu_began_s
        progress(f"  {job.message}, {cpu_seconds:.0f} s of CPU")
        promote(store, backbone, Path(folder), store.adapters.list()[0].id)
        after = {name: _asked(policy, drawn) for name, drawn in wanted.items()}
        with backbone.lease.held():
            backbone.adapters.demote()
    progress(f"  after: {_shares(after)}")
    compared = {name: compare(_scored(before[name]), _scored(after[name])) for name in (NEW, OLD)}
    return {
        "bench": "teaching",
        "model": backbone.name,
        "quantization": backbone.quantization,
        "taught": taught,
        "practised": practised,
        "seed": seed,
        "split": split,
        "sft": settings.as_json(),
        "sft_s": round(seconds, 1),
        "sft_cpu_s": round(cpu_seconds, 1),
        **{name: _found(before[name], after[name], compared[name]) for name in (NEW, OLD)},
        "before": _points(compared[NEW].before),
        "after": _points(compared[NEW].after),
        "lost_points": _points(-compared[OLD].difference),
    }


def report(found: Mapping[str, Any]) -> list[str]:
    """The same for people."""
    head = (
        f"teaching: {found['model']} ({found['quantization']}), {found['taught']} corrected traces and {found['practised']} old "
        f"ones, SFT of {found['sft_s']} s ({found['sft_cpu_s']} s of CPU)"
    )
    rows = [(name, found[name]) for name in (NEW, OLD)]
    return [
        head,
        f"  {'':12} {'before':>14} {'after':>14}",
        *(
            f"  {name:12} {row['before']:6.1f} ± {row['before_stderr']:4.1f}% {row['after']:6.1f} ± {row['after_stderr']:4.1f}%"
            f"   n = {row['n']}; {row['words']}"
            for name, row in rows
        ),
    ]


def corrections(trace: Trace, example: Example) -> list[Edit]:
    """What a person does to an attempt at a scene of plates: a zoom on the evidence, and the answer after it."""
    assert example.evidence is not None
    box = box_on(cue_of(example.evidence.boxes))
    last = len(trace.steps) - 1
    edits: list[Edit] = [DeleteStep(step) for step in range(last - 1, 0, -1)]
    if trace.steps[last].observation is not None:
        edits.append(RemoveOperation(min(last, 1)))
    if last == 0:
        edits.append(InsertStep(0, LOOK, box, view=1))
    else:
        edits += [SetThought(0, LOOK), SetBox(0, box, view=1)]
    return [*edits, SetThought(1, ANSWER), SetAnswer(1, example.answer), Confirm()]


def record(store: Store, media: MediaFolder, drawn: Unposed, result: Result) -> str:
    """The attempt in the queue, as a job that collects leaves it; its id."""
    for file in drawn.files:
        media.take(file)
    trace = result.trace
    return store.traces.record(trace, author=trace.policy, example=result.example, score=result.score).id


def correct(workbench: Workbench, trace_id: str, trace: Trace, example: Example) -> None:
    """Corrects and approves a recorded attempt at a scene of plates, as a person does."""
    opened = workbench.open(trace_id, _PERSON)
    for edit in corrections(trace, example):
        opened = workbench.edit(trace_id, _PERSON, edit, opened.counter)
    workbench.review(trace_id, _PERSON, "accepted")


def attempts(policy: LocalPolicy, drawn: Iterable[Unposed]) -> Iterable[tuple[Unposed, Result]]:
    """Each example with the policy's attempt."""
    wanted = list(drawn)
    return zip(wanted, evaluate(policy, map(pose, wanted)), strict=True)


def _asked(policy: LocalPolicy, drawn: Sequence[Unposed]) -> list[Result]:
    return list(evaluate(policy, map(pose, drawn)))


def _scored(results: Sequence[Result]) -> list[_Scored]:
    return [_Scored(result.example.source or "", result.score) for result in results]


def _found(before: Sequence[Result], after: Sequence[Result], compared: Comparison) -> dict[str, Any]:
    sides = {"before": summarise(NEW, before), "after": summarise(NEW, after)}
    return {
        "n": compared.n,
        **{name: _points(side.accuracy or 0.0) for name, side in sides.items()},
        **{f"{name}_stderr": _points(side.stderr or 0.0) for name, side in sides.items()},
        **{f"{name}_hit_rate": _points(side.hit_rate or 0.0) for name, side in sides.items()},
        "words": compared.words,
    }


def _points(share: float) -> float:
    return round(100 * share, 1)


def _shares(results: Mapping[str, Sequence[Result]]) -> str:
    return ", ".join(
        f"{name} {sum(result.score or 0.0 for result in some):.0f} of {len(some)}" for name, some in results.items()
    )
