"""Remakes the weights: `python -m engine.lab.recipe.remake --seed 0 --minutes 100 --out DIR`.

Algorithm. Every stage draws its pictures from training seeds and minimises what `losses` says.
1. vision: the tower alone, densely supervised: 40 tiles of text and 8 scenes a step, throw-away heads on patches
and merged tokens say which character or sign stands there, and where its box is.
2. ground: the language model learns to name a sign's box and its frame, tower frozen, one or two signs first.
3. joint: everything trains on whole traces (zoom, select, read, recover), on their parts alone, on strips with one
text each, and still on tiles; the rates fall for the last three quarters of it.
4. world: as joint, mixed with the four miniature benchmarks and their parts (`world_curriculum`).
Apart from these, `--only sight` goes on with what of `world` has no call in it, so that calling is forgotten: the base of
the learning trap (`engine.lab.bench.trap`).

How it differs from the sources: Qwen3-VL is trained on text and pictures of the web from a pretrained language
model; here nothing is pretrained, and the tower learns by classification before it ever meets language. Pixel
Reasoner warm-starts a pretrained model on synthesised traces and then rewards curiosity by RL; here only the
traces' supervised part is used, with its masks on erroneous turns. Training-only aids that neither has: attention
pulled to the right picture token, softened coordinates, Muon.

A run goes by minutes, so a faster machine sees more. To train on: `--only joint --seed 1 --start DIR/joint.pt --out OTHER
--minutes M --rate-share 0.35`; another seed, so that no batch is seen twice.
`--steps-per-stage` is the smoke mode of CI. A stopped run goes on from DIR/last.pt when started again.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast

from engine.lab.recipe import architecture, averaging, curriculum, tokenizer, trainer, turns, world_curriculum
from engine.lab.recipe.curriculum import SMALL, Sizes
from engine.lab.recipe.fast import AttentionPull, speed_up
from engine.lab.recipe.feeding import Feeder
from engine.lab.recipe.optimiser import MasterOptimiser
from engine.lab.recipe.trainer import Run, Stage
from engine.lab.recipe.turns import Lexicon
from engine.lab.recipe.world_curriculum import WorldSizes

__all__ = ["sight", "stages"]


def stages(lexicon: Lexicon, sizes: Sizes, world_sizes: WorldSizes) -> tuple[Stage, ...]:
    ground = partial(curriculum.ground_mix, lexicon, sizes)
    grounding: dict[str, Any] = {
        "matrix_rate": 3e-3,
        "rest_rate": 1.5e-3,
        "decay_from": 1.0,
        "floor": 1.0,
        "is_vision_frozen": True,
    }
    return (
        Stage(
            name="vision",
            share=0.08,
            makers=curriculum.vision_mix(sizes),
            matrix_rate=3e-3,
            rest_rate=1.5e-3,
            decay_from=0.65,
            floor=0.2,
        ),
        Stage(name="ground_few", share=0.02, makers=ground((1, 2), 0.3), **grounding),
        Stage(name="ground_some", share=0.03, makers=ground((1, 5), 0.5), **grounding),
        Stage(
            name="joint",
            share=0.37,
            makers=curriculum.joint_mix(lexicon, sizes),
            matrix_rate=2.2e-3,
            rest_rate=1e-3,
            decay_from=0.27,
            floor=0.2,
        ),
        Stage(
            name="world",
            share=0.5,
            makers=world_curriculum.world_mix(lexicon, sizes, world_sizes),
            matrix_rate=2.2e-3,
            rest_rate=1e-3,
            decay_from=0.27,
            floor=0.02,
        ),
    )


def sight(lexicon: Lexicon, sizes: Sizes, world_sizes: WorldSizes) -> Stage:
    """The stage that forgets to call. It is no part of a whole run. The tower stays as it is: the throw-away heads, which start
    anew, would pull at what it has learned."""
    return Stage(
        name="sight",
        share=1.0,
        makers=world_curriculum.sight_mix(lexicon, sizes, world_sizes),
        matrix_rate=2.2e-3,
        rest_rate=1e-3,
        decay_from=0.27,
        floor=0.02,
        is_vision_frozen=True,
    )


def _begin(seed: int, folder: Path) -> Run:
    torch.manual_seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    words = tokenizer.build_tokenizer()
    vocabulary = tokenizer.vocabulary_of(words)
    model = architecture.build_model(architecture.build_config(len(words), tokenizer.special_ids(words)))
    architecture.order_coordinates(model.model.language_model.embed_tokens.weight, vocabulary.coordinate_ids.tolist())
    probes = architecture.Probes()
    pull = AttentionPull()
    speed_up(model, pull)
    optimiser = MasterOptimiser({"model": model, "probes": probes}, 3e-3, 1.5e-3, architecture.working_type())
    return Run(model, probes, vocabulary, pull, optimiser, folder, tokenizer.tokens_of(words))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m engine.lab.recipe.remake", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=100.0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps-per-stage", type=int, help="smoke mode: this many steps of each stage")
    parser.add_argument("--small", action="store_true", help="smoke mode: hardly anything in a batch")
    parser.add_argument("--only", help="run this stage alone, from DIR/last.pt or --start")
    parser.add_argument(
        "--start", type=Path, help="begin from the weights of this checkpoint, or of an exported folder"
    )
    parser.add_argument(
        "--rate-share", type=float, default=1.0, help="share of the rates, for going on from trained weights"
    )
    parser.add_argument(
        "--generators", type=int, default=1, help="processes that draw batches; 0 draws them in the trainer"
    )
    parser.add_argument("--generator-core", type=int, help="pin the generators to this core")
    parser.add_argument(
        "--floor", type=float, help="share of the rates that is left at a stage's end, instead of its own"
    )
    parser.add_argument("--quantised", action="store_true", help="train with the matrices as 4 bit leave them")
    parser.add_argument("--trainers", type=int, default=1, help="processes that train and average their weights")
    parser.add_argument("--cores", help="pin the trainers to these cores, and each one's generators too: 0,1")
    options = parser.parse_args()
    if options.trainers > 1 and options.steps_per_stage:
        parser.error("--steps-per-stage goes with one trainer: several meet by the clock")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "meeting"
        spawn = multiprocessing.get_context("spawn")
        others = [spawn.Process(target=_train, args=(options, rank, place)) for rank in range(1, options.trainers)]
        for other in others:
            other.start()
        try:
            _train(options, 0, place)
        finally:
            for other in others:
                if sys.exc_info()[0] is not None:
                    other.kill()  # it may be waiting for us at a meeting, and has nothing to save
                other.join()


def _train(options: argparse.Namespace, rank: int, place: Path) -> None:
    """One trainer of `options.trainers`, which meet at `place`."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # generators are forked
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    core = options.generator_core
    if options.cores:
        core = int(options.cores.split(",")[rank])
        os.sched_setaffinity(0, {core})
    run = _begin(options.seed, options.out)
    run.is_reporting = rank == 0
    run.optimiser.is_quantised = options.quantised
    last = options.out / "last.pt"
    done: dict = {"stage": None, "spent_s": 0.0, "step": 0}
    if options.start or last.exists():
        done = _loaded(options.start or last)
        fresh = run.optimiser.state()["model.model.language_model.embed_tokens.weight"]
        state = tokenizer.fitted(done["state"], tokenizer.tokens_in(done), run.tokens, fresh)
        missing = run.optimiser.restore(state)
        print(f"starting from {done['stage']} at {done['spent_s']:.0f} s; {len(missing)} tensors are new", flush=True)
        if options.start:
            done = {"stage": None, "spent_s": 0.0, "step": 0}
    sizes = (SMALL, world_curriculum.SMALL) if options.small else (Sizes(), WorldSizes())
    lexicon = turns.lexicon_of(tokenizer.build_tokenizer())
    plan = (sight(lexicon, *sizes),) if options.only == "sight" else stages(lexicon, *sizes)
    names = [stage.name for stage in plan]
    skipped = names.index(done["stage"]) if done["stage"] in names else 0
    for number, stage in enumerate(plan):
        if (options.only and stage.name != options.only) or number < skipped:
            continue
        if options.floor is not None:
            stage = dataclasses.replace(stage, floor=options.floor)
        is_resumed = stage.name == done["stage"]
        spent = done["spent_s"] if is_resumed else 0.0
        step = done["step"] if is_resumed else 0
        # A resumed stage must not draw the batches again that it began with: it would learn them by heart.
        seed = (options.seed * 100 + number) * 1_000_000 + rank * 500_000 + step
        feeder = Feeder(stage.makers, seed=seed, count=options.generators, core=core)
        run.optimiser.begin(stage.matrix_rate * options.rate_share, stage.rest_rate * options.rate_share)
        try:
            limit_s = options.minutes * 60 * stage.share
            meetings = None
            if options.trainers > 1:
                meetings = averaging.join_meetings(rank, options.trainers, place=place, spent_s=spent)
            trainer.run_stage(
                run,
                stage,
                feeder,
                limit_s=limit_s,
                limit_steps=options.steps_per_stage,
                spent_s=spent,
                step=step,
                meetings=meetings,
            )
        finally:
            feeder.close()


def _loaded(path: Path) -> dict:
    """A checkpoint, or what of one an exported folder holds: the weights, without the throw-away heads."""
    if not path.is_dir():
        return torch.load(path)
    weights = load_file(path / "model.safetensors")
    tokens = tokenizer.tokens_of(PreTrainedTokenizerFast.from_pretrained(path))
    return {
        "state": {f"model.{name}": it for name, it in weights.items()},
        "tokens": tokens,
        "stage": None,
        "spent_s": 0.0,
    }


if __name__ == "__main__":
    main()
