"""`bench`: measurements, each a ratio against a baseline taken in the same run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TextIO

from engine.settings import Settings

__all__ = ["ACTION", "SUMMARY", "configure", "run"]

ACTION = "measure"
SUMMARY = "measure the studio against a baseline"

_NAMES = (
    "decode",
    "serving",
    "evaluate",
    "cache",
    "rl",
    "collect",
    "queue",
    "train",
    "editor",
    "people",
    "import",
    "export",
)

_LONG = ("grpo", "rl-gain", "teaching", "trap")
"""Many minutes each: only measured by name."""

_FULL = {
    "traces": 100_000,
    "repeats": 40,
    "drags": 20,
    "people": 20,
    "seconds": 60.0,
    "answers": 40,
    "prompts": 16,
    "trained": 2,
    "rollouts": 8,
    "askers": 8,
    "questions": 3,
    "rounds": 7,
    "examples": 10_000,
}
_QUICK = _FULL | {
    "traces": 10_000,
    "repeats": 10,
    "drags": 5,
    "seconds": 10.0,
    "answers": 8,
    "prompts": 4,
    "questions": 1,
    "rounds": 3,
    "examples": 300,
}
"""Without a name everything is measured, quickly."""
_LESSONS = 25_000
"""Accepted traces at which a look at the Train screen is measured."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        nargs="?",
        choices=(*_NAMES, *_LONG),
        help=f"what to measure at full size; without a name all but {', '.join(_LONG)}, at quick sizes",
    )
    parser.add_argument(
        "--traces",
        type=int,
        help="queue, train, export: traces in the generated store (100000, train 25000; quick: 10000)",
    )
    parser.add_argument(
        "--repeats", type=int, help="queue, train: how often each is asked for; decode: turns (40; quick: 10)"
    )
    parser.add_argument("--store-only", action="store_true", help="queue: without the browser's end")
    parser.add_argument("--drags", type=int, help="editor: drags of a box of each size (20; quick: 5)")
    parser.add_argument("--people", type=int, help="people: how many edit at once (20)")
    parser.add_argument("--seconds", type=float, help="people: for how long (60; quick: 10)")
    parser.add_argument("--answers", type=int, help="cache, evaluate: questions of each kind of media (40; quick: 8)")
    parser.add_argument("--prompts", type=int, help="rl, collect: questions, each tried 8 or 4 times (16; quick: 4)")
    parser.add_argument("--trained", type=int, help="grpo: questions of the step, of pictures and clips in turn (2)")
    parser.add_argument("--rollouts", type=int, help="grpo: rollouts of each question (8)")
    parser.add_argument(
        "--while-training",
        action="store_true",
        help="serving: one asker, beside an SFT and an RL run, instead of several",
    )
    parser.add_argument("--askers", type=int, help="serving: how many ask at once (8)")
    parser.add_argument("--questions", type=int, help="serving: questions of each asker in a round (3; quick: 1)")
    parser.add_argument("--rounds", type=int, help="serving: rounds of each side (7; quick: 3)")
    parser.add_argument(
        "--against",
        metavar="CHECKOUT",
        type=Path,
        help="serving: the folder of an earlier build, which answers one turn at a time (this one)",
    )
    parser.add_argument("--examples", type=int, help="import: pictures that are brought in (10000; quick: 300)")
    parser.add_argument(
        "--out", metavar="DIR", help="rl-gain, trap: where it is kept, so that the same command goes on (kept nowhere)"
    )
    parser.add_argument("--jobs", type=int, default=1, help="rl-gain, trap: how many of its parts run at once (1)")
    parser.add_argument("--seeds", type=int, help="rl-gain, trap: runs of each kind (3)")
    parser.add_argument(
        "--development",
        action="store_true",
        help="rl-gain, teaching, trap: ask the questions that settings are chosen on, not the held-out",
    )
    parser.add_argument("--credit", action="store_true", help="rl-gain: runs with the reward `credit` as well")
    parser.add_argument("--json", action="store_true", help="one JSON object for each bench and nothing else")
    parser.epilog = (
        "Everything is made in the temporary folder (TMPDIR) and removed afterwards; the queue's store takes about 6 KB "
        "a trace. editor, and the browser's end of queue, drive a Chromium with Playwright (requirements-dev.txt)."
    )


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.errors import InvalidInput, Unavailable

    sizes: dict[str, Any] = dict(_QUICK if arguments.name is None else _FULL)
    sizes |= {name: given for name in sizes if (given := getattr(arguments, name)) is not None}
    if arguments.name == "train" and arguments.traces is None:
        sizes["traces"] = _LESSONS
    if sizes["traces"] < 100 or sizes["repeats"] < 3:
        raise InvalidInput("a measurement needs at least 100 traces and 3 repeats")
    counted = ("answers", "prompts", "trained", "rollouts", "askers", "questions", "rounds", "examples")
    if min(sizes[name] for name in counted) < 1 or sizes["rollouts"] < 2:
        raise InvalidInput("a measurement needs a question at least")
    if sizes["drags"] < 1 or sizes["people"] < 1 or not 0 < sizes["seconds"] <= 3600:
        raise InvalidInput("a measurement needs a drag, a person and up to 3600 seconds at least")
    if arguments.name in ("rl-gain", "trap"):
        return _rl_gain(arguments.name, arguments, settings, out)
    if arguments.name == "teaching":
        return _teaching(arguments, settings, out)
    missing: list[str] = []
    for name in _NAMES if arguments.name is None else (arguments.name,):
        try:
            which = "while-training" if name == "serving" and arguments.while_training else name
            found, lines = _measured(which, sizes, settings, arguments.store_only, arguments.against)
        except Unavailable as error:
            if arguments.name is not None:
                raise
            missing.append(f"{name} was not measured: {error}")
            continue
        print(json.dumps(found) if arguments.json else "\n".join(lines), file=out, flush=True)
    for sentence in missing:
        print(f"error: {sentence}", file=sys.stderr)
    return 2 if missing else 0


def _measured(
    name: str, sizes: dict[str, Any], settings: Settings, is_store_only: bool, against: Path | None
) -> tuple[dict[str, Any], list[str]]:
    """What a bench found, and the same as lines for people."""
    progress: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    if name == "editor":
        from engine.lab.bench import editor

        found = editor.measure(sizes["drags"], progress=progress)
        return found, editor.report(found)
    if name == "people":
        from engine.lab.bench import people

        found = people.measure(sizes["people"], sizes["seconds"], progress=progress)
        return found, people.report(found)
    if name == "grpo":
        from engine.lab.bench import grpo

        found = grpo.measure(sizes["trained"], sizes["rollouts"], progress)
        return found, grpo.report(found)
    if name in ("decode", "serving", "while-training", "evaluate"):
        return _speed(name, sizes, settings, progress, against)
    if name in ("cache", "rl"):
        from engine.lab.bench import answers
        from engine.opening import open_backbone

        backbone = open_backbone(settings)
        measure, count = (
            (answers.measure_cache, sizes["answers"]) if name == "cache" else (answers.measure_rl, sizes["prompts"])
        )
        found = measure(backbone, count, progress)
        return found, answers.report(found)
    if name == "import":
        from engine.lab.bench import importing

        found = importing.measure(sizes["examples"], progress)
        return found, importing.report(found)
    if name == "export":
        from engine.lab.bench import exporting

        found = exporting.measure(sizes["traces"], progress=progress)
        return found, exporting.report(found)
    if name == "collect":
        from engine.lab.bench import collecting
        from engine.opening import open_backbone

        found = collecting.measure(open_backbone(settings), sizes["prompts"], progress=progress)
        return found, collecting.report(found)
    if name == "train":
        from engine.lab.bench import train

        found = train.measure(sizes["traces"], sizes["repeats"], progress=progress)
        return found, train.report(found)
    from engine.lab.bench import queue

    found = queue.measure(sizes["traces"], sizes["repeats"], has_browser=not is_store_only, progress=progress)
    return found, queue.report(found)


def _speed(
    name: str, sizes: dict[str, Any], settings: Settings, progress: Callable[[str], None], against: Path | None
) -> tuple[dict[str, Any], list[str]]:
    from engine.lab.bench import decode, evaluating, serving
    from engine.opening import open_backbone

    backbone = open_backbone(settings)
    if name == "decode":
        found = decode.measure(backbone, sizes["repeats"], progress)
        return found, decode.report(found)
    if name == "serving":
        found = serving.measure(backbone, sizes["askers"], sizes["questions"], sizes["rounds"], progress, against)
        return found, serving.report(found)
    if name == "while-training":
        from engine.lab.bench import while_training

        found = while_training.measure(backbone, progress=progress)
        return found, while_training.report(found)
    found = evaluating.measure(backbone, sizes["answers"], progress=progress)
    return found, evaluating.report(found)


def _teaching(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.lab.bench import teaching
    from engine.opening import open_backbone

    progress: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    split: Literal["validation", "test"] = "validation" if arguments.development else "test"
    found = teaching.measure(open_backbone(settings), split=split, progress=progress)
    print(json.dumps(found) if arguments.json else "\n".join(teaching.report(found)), file=out, flush=True)
    return 0


def _rl_gain(name: str, arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    """`rl-gain`, or `trap` of the same runs."""
    import dataclasses
    from pathlib import Path

    from engine.lab.bench import rl_gain, trap

    sizes = rl_gain.SIZES if arguments.seeds is None else dataclasses.replace(rl_gain.SIZES, seeds=arguments.seeds)
    runs = [run for run in rl_gain.RUNS if run != "with_credit" or arguments.credit]
    folder = None if arguments.out is None else Path(arguments.out)
    how: dict[str, Any] = {
        "purpose": "development" if arguments.development else "held-out",
        "jobs": arguments.jobs,
        "progress": lambda line: print(line, file=sys.stderr, flush=True),
    }
    if name == "trap":
        found = trap.measure(settings, folder, sizes, **how)
        lines = trap.report(found)
    else:
        found = rl_gain.measure(settings, folder, sizes, runs, **how)
        lines = rl_gain.report(found, runs)
    print(json.dumps(found) if arguments.json else "\n".join(lines), file=out, flush=True)
    return 0
