"""One part of a study, from what it needs to its result on disk.

The idea: a part reads files, and its last act is to write its result; so it can run in any process, and again. SFT and RL
go on from their checkpoints, an evaluation from the last benchmark that it finished, drawing begins anew.

    result of a part   {"part", "kind", "seconds", ...}
        draw           {"count"}
        sft, grpo      {"settings", "metrics": [{"step", ...}], "machine", "learned_from"}
        evaluate       {"row", "seed", "machine", "benchmarks": {name: {"summary", "scores", "used_operation"}}}

Invariants: a part leaves the backbone as it found it: no adapter answers and none is in training. `scores` are of the
examples in the order of their list.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import Result, summarise
from engine.lab.study.folder import Folder, write_whole
from engine.lab.study.identity import machine
from engine.lab.study.material import Stopped, draw_examples, media_folder, posed_in, questions_in
from engine.lab.study.plan import BENCHMARKS, SOURCES, Draw, Evaluate, Grpo, Sft, Sizes, StudyPart
from engine.media import MediaFolder
from engine.protocols import protocol_named
from engine.reasoning import Limits
from engine.synthesis.kinds import Planned, plan
from engine.synthesis.recording import Trajectory, trajectory_line
from engine.synthesis.trajectories import synthesize
from engine.training.grpo_config import GrpoConfig
from engine.training.sft_config import SftConfig

if TYPE_CHECKING:
    from engine.backbone.loading import Backbone

__all__ = ["Workplace", "grpo_config", "run_part", "sft_config", "trajectories_of"]

_AT_ONCE = 48
"""Attempts of an evaluation that run together."""

OnProgress = Callable[[int, int, Mapping[str, Any]], None]
"""(done, of how many, numbers worth a line); what is counted is the part's own: examples or steps."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What a part works with. `backbone` is called by the parts that need one; `should_stop` is asked often."""

    folder: Folder
    sizes: Sizes
    backbone: Callable[[], Backbone]
    on_progress: OnProgress
    should_stop: Callable[[], bool]


def run_part(part: StudyPart, place: Workplace) -> dict[str, Any]:
    """Run a part to its result, which is also returned. Raises Stopped, and whatever is raised on the way."""
    started = time.time()
    if isinstance(part, Draw):
        result = _draw(part, place)
    elif isinstance(part, Sft):
        result = _warm_up(part, place)
    elif isinstance(part, Grpo):
        result = _practise(part, place)
    else:
        result = _examine(part, place)
    whole = {"part": part.name, "kind": type(part).__name__.lower(), "seconds": time.time() - started} | result
    place.folder.finish(part.name, whole)
    if isinstance(part, (Sft, Grpo)):
        shutil.rmtree(place.folder.checkpoints(part.name), ignore_errors=True)
    return whole


def _draw(part: Draw, place: Workplace) -> dict[str, Any]:
    count = draw_examples(
        part,
        place.folder.examples(part.name),
        media_folder(place.folder.media),
        lambda done, total: place.on_progress(done, total, {}),
        place.should_stop,
    )
    return {"count": count}


# --- training ---------------------------------------------------------------------------------------------------------


def sft_config(sizes: Sizes) -> SftConfig:
    return SftConfig(
        passes=sizes.sft_passes,
        batch_size=sizes.sft_batch_size,
        learning_rate=sizes.sft_learning_rate,
        micro_batch_size=1,
    )


def grpo_config(sizes: Sizes, part: Grpo) -> GrpoConfig:
    """What is neither a size nor among the part's own settings is as GrpoConfig has it, the paper's reward among it."""
    config = GrpoConfig(
        steps=sizes.rl_steps,
        queries_a_step=sizes.queries_a_step,
        rollouts=sizes.rollouts,
        micro_batch_size=sizes.rollouts,
        learning_rate=sizes.rl_learning_rate,
        max_turns=sizes.max_turns,
        max_tokens=sizes.max_tokens,
        max_turn_tokens=sizes.max_turn_tokens,
        is_curious=part.is_curious,
        seed=part.seed,
        start_from=part.start_from or "",
    )
    return GrpoConfig.from_json(config.as_json() | dict(part.settings))


def _limits_of(sizes: Sizes) -> Limits:
    return Limits(max_steps=sizes.max_turns, max_tokens=sizes.max_tokens, max_turn_tokens=sizes.max_turn_tokens)


def trajectories_of(part: Sft, folder: Folder, media: MediaFolder, protocol_name: str) -> list[Trajectory]:
    """A trajectory of each drawn example, in the paper's kinds and shares over pictures and over clips. Those without an
    operation are of easy examples, or the warm start would teach to guess. Thoughts are in the steps that the embedded
    reasoner's recipe teaches, and the frames are those that it selects: a warm start that went straight to the answer, or
    looked at all that there is, would unlearn them."""
    from engine.lab.recipe.world_poses import own_pose
    from engine.lab.recipe.world_wording import drawing_named, thinking

    protocol = protocol_named(protocol_name)
    lists = [folder.examples(f"trajectories-{name}") for name in BENCHMARKS]
    posed = [one for path in lists for one in posed_in(path, media)]
    drawing_of = lru_cache(maxsize=1)(lambda example: drawing_named(example.source.rpartition("/")[2]))
    wording = thinking(drawing_of)
    examples = [(one.example.answer, one.example.evidence) for one in posed]
    easy = {k for k, one in enumerate(posed) if one.example.difficulty == "easy"}
    planned = plan(examples, protocol.CROP_RULE, seed=SOURCES["trajectories"].seed, easy=easy).trajectories
    made = []
    for one in planned if part.is_correcting else map(_without_errors, planned):
        example, pictures = posed[one.example].example, posed[one.example].pictures
        drawing = drawing_of(example)
        frames = () if drawing is None else own_pose(drawing).frames
        trace = synthesize(example, pictures, one.kind, one.seed, protocol, wording, frames=frames)
        made.append(Trajectory(trace, one.kind, example))
    return made


def _without_errors(one: Planned) -> Planned:
    return one if one.kind == "text" else dataclasses.replace(one, kind="single_pass")


def _warm_up(part: Sft, place: Workplace) -> dict[str, Any]:
    from engine.training.dataset import TrainingExample
    from engine.training.sft import run_sft

    folder, backbone, media = place.folder, place.backbone(), media_folder(place.folder.media)
    trajectories = trajectories_of(part, folder, media, backbone.protocol_name)
    lines = [trajectory_line(one) for one in trajectories]
    write_whole(folder.trajectories(part.name), "\n".join(lines) + "\n")
    examples = [TrainingExample(one.trace, one.example, one.example.source) for one in trajectories]
    config = sft_config(place.sizes)
    result = run_sft(
        backbone,
        examples,
        config,
        load_pictures=media.pictures,
        on_metric=_noting(part.name, place),
        should_stop=place.should_stop,
        checkpoint_dir=folder.checkpoints(part.name),
        resume=True,
    )
    _keep(part.name, place, backbone, result.is_stopped)
    kinds = Counter(one.kind for one in trajectories)
    return _trained(part.name, place, backbone, config.as_json(), {"trajectories": len(examples), "kinds": dict(kinds)})


def _practise(part: Grpo, place: Workplace) -> dict[str, Any]:
    from engine.training.grpo import run_grpo

    folder, backbone, media = place.folder, place.backbone(), media_folder(place.folder.media)
    questions = [one for name in BENCHMARKS for one in questions_in(folder.examples(f"practice-{name}"))]
    config = grpo_config(place.sizes, part)
    result = run_grpo(
        backbone,
        questions,
        config,
        load_pictures=media.pictures,
        on_metric=_noting(part.name, place),
        should_stop=place.should_stop,
        checkpoint_dir=folder.checkpoints(part.name),
        resume=True,
        start_from=None if part.start_from is None else folder.adapter(part.start_from),
    )
    _keep(part.name, place, backbone, result.is_stopped)
    return _trained(part.name, place, backbone, config.as_json(), {"questions": len(questions)})


def _noting(part: str, place: Workplace) -> Callable[[int, int, Mapping[str, float]], None]:
    noted_at_s = time.process_time()

    def on_metric(step: int, total: int, numbers: Mapping[str, float]) -> None:
        nonlocal noted_at_s
        now_s = time.process_time()
        place.folder.add_metric(part, step, {**numbers, "cpu_seconds": now_s - noted_at_s})
        noted_at_s = now_s
        place.on_progress(step, total, numbers)

    return on_metric


def _keep(part: str, place: Workplace, backbone: Backbone, is_stopped: bool) -> None:
    """Save the adapter in training, unless it is half trained, and drop it."""
    with backbone.lease.held():
        try:
            if not is_stopped:
                place.folder.save_adapter(part, backbone.adapters.save_training)
        finally:
            backbone.adapters.drop_training()
    if is_stopped:
        raise Stopped(f"{part} was stopped; it goes on from its last checkpoint")


def _trained(
    part: str, place: Workplace, backbone: Backbone, settings: dict[str, Any], learned_from: dict[str, Any]
) -> dict[str, Any]:
    metrics = place.folder.metrics(part)
    return {
        # Steps of earlier sessions count too, so this is no difference of two clocks.
        "seconds": sum(one["seconds"] for one in metrics),
        "settings": settings,
        "learned_from": learned_from,
        "metrics": metrics,
        "machine": machine(backbone, os.cpu_count() or 1),
    }


# --- evaluation -------------------------------------------------------------------------------------------------------


def _examine(part: Evaluate, place: Workplace) -> dict[str, Any]:
    from engine.backbone.unpacked import unpacked
    from engine.policies.local import LocalPolicy

    folder, backbone, media = place.folder, place.backbone(), media_folder(place.folder.media)
    total, before = place.sizes.test_examples * len(BENCHMARKS), 0
    found: dict[str, Any] = {}
    if part.adapter is not None:
        with backbone.lease.held():
            backbone.adapters.promote(folder.adapter(part.adapter), part.adapter)
    try:
        for name in BENCHMARKS:
            if (kept := folder.partial(part.name, name)) is None:
                started, results = time.time(), []
                examples = posed_in(folder.examples(f"{part.purpose}-{name}"), media)
                with unpacked(backbone.model):
                    for result in evaluate(
                        LocalPolicy(backbone),
                        examples,
                        _limits_of(place.sizes),
                        is_operating=part.is_operating,
                        is_cancelled=place.should_stop,
                        at_once=_AT_ONCE,
                    ):
                        results.append(result)
                        place.on_progress(before + len(results), total, {})
                if len(results) < place.sizes.test_examples:
                    raise Stopped(f"{part.name} was stopped; the benchmarks that it has finished are kept")
                kept = _examined(name, results) | {"seconds": time.time() - started}
                folder.keep_partial(part.name, name, kept)
            found[name] = kept
            before += place.sizes.test_examples
    finally:
        with backbone.lease.held():
            backbone.adapters.demote()
    return {
        "seconds": sum(one["seconds"] for one in found.values()),
        "row": part.row,
        "seed": part.seed,
        "machine": machine(backbone, os.cpu_count() or 1),
        "benchmarks": found,
    }


def _examined(name: str, results: Sequence[Result]) -> dict[str, Any]:
    return {
        "summary": dataclasses.asdict(summarise(name, results)),
        "scores": [result.score for result in results],
        "used_operation": [result.trace.has_operation for result in results],
        "difficulties": [result.example.difficulty for result in results],
        "categories": [result.example.category for result in results],
        "answers": [result.trace.answer for result in results],
    }
