"""One stage of training: draw a batch, step, write the curve, keep a checkpoint.

Invariant: a checkpoint holds the fp32 masters of the model and of the throw-away heads, the tokens, the stage and the time
spent in it, so that a run that was killed goes on where it stopped (optimiser momenta begin anew). It is written
beside and moved into place.
"""

from __future__ import annotations

import json
import math
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import Qwen3VLForConditionalGeneration

from engine.lab.recipe import losses
from engine.lab.recipe.architecture import Probes
from engine.lab.recipe.averaging import Meetings
from engine.lab.recipe.fast import AttentionPull
from engine.lab.recipe.feeding import Feeder, Maker
from engine.lab.recipe.optimiser import MasterOptimiser

__all__ = ["Run", "Stage", "run_stage"]

WARM_UP = 40
LOG_EVERY = 25
SAVE_EVERY_S = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A part of the run. `share` is of the run's minutes, 0 to 1; `makers` are kinds of batches with their weights. The
    learning rates of matrices and of the rest fall from `decay_from` (a share of the stage, 0 to 1) on, to the share `floor`
    of themselves."""

    name: str
    share: float
    makers: tuple[tuple[Maker, float], ...]
    matrix_rate: float
    rest_rate: float
    decay_from: float
    floor: float
    is_vision_frozen: bool = False


@dataclass(slots=True)
class Run:
    """What the stages hand to each other. Of several trainers one alone `is_reporting`: it writes curves and checkpoints."""

    model: Qwen3VLForConditionalGeneration
    probes: Probes
    vocabulary: losses.Vocabulary
    pull: AttentionPull
    optimiser: MasterOptimiser
    folder: Path
    tokens: list[str]
    is_reporting: bool = True


def _rate_share(stage: Stage, step: int, progress: float) -> float:
    warm = min(1.0, (step + 1) / WARM_UP)
    if progress < stage.decay_from:
        return warm
    left = max(0.0, (1 - progress) / (1 - stage.decay_from))
    # Faster than linear: the tower's reading stood still at the full rate and rose as soon as it fell.
    return warm * (stage.floor + (1 - stage.floor) * left**1.5)


def _save(run: Run, stage: str, spent_s: float, step: int, name: str = "last") -> None:
    if not run.is_reporting:
        return
    path = run.folder / f"{name}.pt"
    beside = path.with_suffix(".part")
    torch.save(
        {"state": run.optimiser.state(), "stage": stage, "spent_s": spent_s, "step": step, "tokens": run.tokens}, beside
    )
    beside.replace(path)


def _report(run: Run, line: str) -> None:
    if run.is_reporting:
        with (run.folder / "curves.jsonl").open("a", encoding="utf-8") as curve:
            curve.write(line + "\n")
        print(line, flush=True)


def run_stage(
    run: Run,
    stage: Stage,
    feeder: Feeder,
    *,
    limit_s: float,
    limit_steps: int | None,
    spent_s: float,
    step: int,
    meetings: Meetings | None = None,
) -> None:
    """Train until the stage's time (or number of steps) is used up; with `meetings` beside other trainers."""
    sums: dict[str, list[float]] = {}
    began = meetings.began if meetings else time.monotonic() - spent_s
    first_step, saved = step, time.monotonic()
    cpu_began = time.process_time()

    asked_to_stop: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))

    def is_frozen(name: str) -> bool:
        return stage.is_vision_frozen and ".visual." in name and ".merger." not in name

    while True:
        spent = time.monotonic() - began
        progress = (step - first_step) / limit_steps if limit_steps else spent / max(limit_s, 1e-9)
        if progress >= 1:
            break
        batch = feeder.next()
        loss, figures = losses.step_losses(
            run.model, run.probes, batch, run.vocabulary, run.pull, stage.is_vision_frozen
        )
        loss.backward()
        figures["norm"] = run.optimiser.step(_rate_share(stage, step - first_step, progress), is_frozen)
        if meetings and meetings.meet_if_due(run.optimiser.masters, limit_s):
            run.optimiser.refresh()
        step += 1
        for key, value in figures.items():
            if not math.isnan(value):
                sums.setdefault(f"{batch.kind}.{key}", []).append(value)
        if step % LOG_EVERY == 0 or limit_steps:
            row = {"stage": stage.name, "step": step, "minutes": round(spent / 60, 2), "fresh": feeder.fresh}
            row["cpu_minutes"] = round((time.process_time() - cpu_began) / 60, 2)
            row |= {key: round(sum(values) / len(values), 4) for key, values in sorted(sums.items())}
            sums = {}
            _report(run, json.dumps(row))
        if asked_to_stop:
            _save(run, stage.name, spent, step)
            raise SystemExit(f"stopped by signal {asked_to_stop[0]}; start again to go on")
        if time.monotonic() - saved > SAVE_EVERY_S:
            saved = time.monotonic()
            _save(run, stage.name, spent, step)
    if meetings:
        meetings.finish(run.optimiser.masters, limit_s)
        run.optimiser.refresh()
    _save(run, stage.name, limit_s, step, stage.name)
    _save(run, stage.name, limit_s, step)
    signal.signal(signal.SIGTERM, before)
