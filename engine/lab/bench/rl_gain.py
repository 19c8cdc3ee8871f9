"""What RL adds to the warm start: accuracy on held-out questions of the four miniature benchmarks, before and after.

    warm start         SFT on synthesised trajectories, shorter than the study's (`engine.lab.study`); what RL begins with
    full               GRPO with curiosity                        (the paper's reward)
    without curiosity  the same, with the correctness alone as its reward
    credit             the same, with what each look was worth    (`engine.training.rewards`), where it is asked for

    gain     of an example: its mean score over the seeds' runs, less its score before; of a benchmark the mean over its
             examples; in all the mean of the four, in points
    stderr   sqrt(e^2 + s^2 / k): e the standard error of the gain over the examples (they are the same ones before and after,
             and the benchmarks share none), s the standard deviation of the k seeds' gains, so that neither other
             examples nor other seeds are forgotten

The idea: a bench of an hour must go on after a stop, and a run must cost what it says. So it is a plan of the study's own parts
in a folder: the same drawing, warm start, RL and evaluation, with settings of its own. A run's CPU time is counted step by
step, rollouts and updates together; evaluations are beside it.

Invariants: RL learns from `practice`, which shares no seed with `held-out`, and from nothing else; settings are chosen on
`development` alone (docs/rl.md); each run is asked the held-out questions once.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from engine.lab.study.figures import cell
from engine.lab.study.folder import Folder
from engine.lab.study.plan import BENCHMARKS, Draw, Evaluate, Grpo, Row, Sft, Sizes, StudyPart
from engine.policies.base import never
from engine.settings import Settings
from engine.training.trap import WINDOW

if TYPE_CHECKING:
    from engine.lab.study.schedule import StudyEvent

__all__ = [
    "MOST_CPU_S",
    "PRACTICE",
    "RUNS",
    "SETTINGS",
    "SIZES",
    "done_in",
    "figures",
    "gain_of",
    "measure",
    "parts_of",
    "report",
]

MOST_CPU_S = 40 * 60
"""CPU seconds that a run may take: 20 minutes on two cores."""

SIZES = Sizes(
    test_examples=150,
    trajectories=25,
    sft_passes=2.0,
    sft_learning_rate=1e-3,
    practice_examples=240,
    rl_steps=24,
    rl_learning_rate=1e-3,
)
"""At full size: a warm start of 25 updates, after which a policy that never operated does so seldom, and 24 steps of 64 rollouts,
less than half a pass over what is practised; docs/rl.md says how they were chosen."""

PRACTICE: Mapping[str, float] = {"mini-vstar": 1.0, "mini-tally": 0.5, "mini-info": 0.25, "mini-mv": 0.125}
"""Share of `Sizes.practice_examples` that RL rolls out of each benchmark: most where looking is most often in doubt and a look is
worth most (docs/rl.md)."""

RUNS: Mapping[str, Row] = {"with_curiosity": "full", "without_curiosity": "no-curiosity", "with_credit": "credit"}

_VARIANT: Mapping[str, Mapping[str, Any]] = {"with_credit": {"variant": "credit"}}

SETTINGS: Mapping[str, Any] = {
    "advantage": "centred-by-prefix",
    "taught": "decisions",
    "threshold": 0.6,
    "averaged_share": 0.4,
    "replay_age": 3,
    "warmup_share": 0.1,
}
"""Of GrpoConfig, where they are others than the study's; docs/rl.md says why."""


def measure(
    settings: Settings,
    out: Path | None,
    sizes: Sizes = SIZES,
    runs: Sequence[str] = tuple(RUNS),
    *,
    purpose: str = "held-out",
    grpo: Mapping[str, Any] = SETTINGS,
    jobs: int = 1,
    progress: Callable[[str], None] = print,
) -> dict[str, Any]:
    """`figures` of `runs` (keys of RUNS), measured in the folder `out`, in which a measurement that was stopped goes on; None
    takes a temporary one. Up to `jobs` parts run at once. Raises InvalidInput where another measurement is there."""
    parts = parts_of(sizes, runs, purpose, grpo)
    with done_in(out, parts, settings, sizes, purpose, grpo, jobs, progress) as folder:
        return {"bench": "rl-gain", "asked": purpose} | figures(folder, parts, runs)


@contextmanager
def done_in(
    out: Path | None,
    parts: Sequence[StudyPart],
    settings: Settings,
    sizes: Sizes,
    purpose: str,
    grpo: Mapping[str, Any],
    jobs: int,
    progress: Callable[[str], None],
) -> Iterator[Folder]:
    """The folder `out`, or a temporary one, in which all `parts` are done. Raises InvalidInput where another measurement is
    there."""
    # Imported only now: torch takes seconds.
    from engine.lab.study.identity import identity_of
    from engine.lab.study.schedule import run_parts

    with ExitStack() as opened:
        folder = Folder(Path(opened.enter_context(TemporaryDirectory())) / "bench" if out is None else out)
        purposes = ("trajectories", "practice", purpose)
        folder.claim(identity_of(sizes, settings, purposes) | {"grpo": dict(grpo), "practice": dict(PRACTICE)})

        def on_event(event: StudyEvent) -> None:
            if event.kind == "done":
                progress(f"  {event.part} done in {event.data['seconds']:.0f} s")

        with folder.alone():
            run_parts(folder, parts, sizes, settings, jobs, on_event, never)
        yield folder


def parts_of(
    sizes: Sizes, runs: Sequence[str], purpose: str = "held-out", grpo: Mapping[str, Any] = SETTINGS
) -> tuple[StudyPart, ...]:
    """The parts of a measurement of `runs` (keys of RUNS) on the examples drawn for `purpose`; `grpo` are GrpoConfig's settings
    that differ from the study's."""
    made = [
        Grpo(RUNS[run], seed, "sft", run != "without_curiosity", {**grpo, **_VARIANT.get(run, {})})
        for seed in range(sizes.seeds)
        for run in runs
    ]
    return (
        *(Draw(name, "trajectories", sizes.trajectories) for name in BENCHMARKS),
        *(Draw(name, "practice", max(1, round(PRACTICE[name] * sizes.practice_examples))) for name in BENCHMARKS),
        Sft(True),
        *(Draw(name, purpose, sizes.test_examples) for name in BENCHMARKS),
        Evaluate("warm-start", 0, "sft", purpose=purpose),
        *(part for one in made for part in (one, Evaluate(one.row, one.seed, one.name, purpose=purpose))),
    )


def figures(folder: Folder, parts: Sequence[StudyPart], runs: Sequence[str]) -> dict[str, Any]:
    """What the finished parts in `folder` come to; the figures of `with_curiosity` stand at the top, too."""
    evaluations = [folder.result(part.name) for part in parts if isinstance(part, Evaluate)]
    before = next(one for one in evaluations if one["row"] == "warm-start")
    practised = [part for part in parts if isinstance(part, Grpo)]
    found: dict[str, Any] = {"machine": before["machine"], "before": _accuracy([before])}
    for run in runs:
        after = [one for one in evaluations if one["row"] == RUNS[run]]
        results = [folder.result(part.name) for part in practised if part.row == RUNS[run]]
        found[run] = gain_of(before, after) | {
            "accuracy": _accuracy(after),
            "rapr_last": round(statistics.fmean(_last(one, "rapr") for one in results), 3),
            "agreement": round(statistics.fmean(_mean(one, "agreement") for one in results), 5),
            "cpu_s": [round(sum(step["cpu_seconds"] for step in one["metrics"])) for one in results],
            "rollouts": [
                one["settings"]["queries_a_step"] * one["settings"]["rollouts"] * len(one["metrics"]) for one in results
            ],
        }
    return found | {name: value for name, value in found.get(runs[0], {}).items() if name in _TOP}


_TOP = ("gain_points", "gain_stderr", "rapr_last")


def gain_of(before: Mapping[str, Any], after: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """In points, from the results of `Evaluate` parts: as in the module docstring, and of each benchmark and seed."""
    of_benchmark: dict[str, tuple[list[float], float, float]] = {}
    for name in BENCHMARKS:
        first = before["benchmarks"][name]["scores"]
        runs = [one["benchmarks"][name]["scores"] for one in after]
        gains = [statistics.fmean(scores) - one for one, *scores in zip(first, *runs, strict=True)]
        by_seed = [statistics.fmean(scores) - statistics.fmean(first) for scores in runs]
        error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else 0.0
        of_benchmark[name] = by_seed, statistics.fmean(gains), error
    seeds = [statistics.fmean(one) for one in zip(*(by_seed for by_seed, _, _ in of_benchmark.values()), strict=True)]
    examples = math.sqrt(math.fsum(error**2 for _, _, error in of_benchmark.values())) / len(BENCHMARKS)
    spread = statistics.stdev(seeds) if len(seeds) > 1 else 0.0
    return {
        "gain_points": _points(statistics.fmean(gain for _, gain, _ in of_benchmark.values())),
        "gain_stderr": _points(math.sqrt(examples**2 + spread**2 / len(seeds))),
        "by_seed": [_points(one) for one in seeds],
        "by_benchmark": {name: [_points(gain), _points(error)] for name, (_, gain, error) in of_benchmark.items()},
    }


def report(found: Mapping[str, Any], runs: Sequence[str]) -> list[str]:
    """The same for people."""
    lines = [f"rl-gain, {found['asked']} questions: warm start {_cells(found['before'])}"]
    for run in runs:
        one = found[run]
        by = ", ".join(
            f"{name.removeprefix('mini-')} {gain:+.1f} ± {error:.1f}"
            for name, (gain, error) in one["by_benchmark"].items()
        )
        seeds = ", ".join(f"{gain:+.1f}" for gain in one["by_seed"])
        lines += [
            f"  {run.replace('_', ' ')}: {one['gain_points']:+.1f} ± {one['gain_stderr']:.1f} points (seeds {seeds}); {by}",
            f"    {_cells(one['accuracy'])}; RaPR at last {one['rapr_last']:.2f}; CPU {max(one['cpu_s'])} s a run at most "
            f"(allowed {MOST_CPU_S}), {max(one['rollouts'])} rollouts; gradients of two groups agree by {one['agreement']:.4f}",
        ]
    return lines


def _accuracy(evaluations: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    cells = {
        name: cell(
            [one["benchmarks"][name] for one in evaluations], range(len(evaluations[0]["benchmarks"][name]["scores"]))
        )
        for name in BENCHMARKS
    }
    shares = {name: _points(one["accuracy"]) for name, one in cells.items()}
    mean = _points(statistics.fmean(one["accuracy"] for one in cells.values()))
    return shares | {"mean": mean, "rapr": round(statistics.fmean(one["rapr"] for one in cells.values()), 3)}


def _cells(accuracy: Mapping[str, float]) -> str:
    return f"{accuracy['mean']:.1f}% on the mean of the four, RaPR {accuracy['rapr']:.2f}"


def _mean(result: Mapping[str, Any], name: str) -> float:
    return statistics.fmean(step[name] for step in result["metrics"])


def _last(result: Mapping[str, Any], name: str) -> float:
    return statistics.fmean(step[name] for step in result["metrics"][-WINDOW:])


def _points(share: float) -> float:
    return round(100 * share, 2)
