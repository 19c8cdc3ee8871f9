"""What `collect` and `evaluate --record` take and do alike: the words of the command line, and a job of attempts in the
foreground."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from engine.commands.progress import ProgressLine
from engine.errors import Unavailable
from engine.policies.address import is_address
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.jobs.asking import Asked, Keep
    from engine.store import Job, Store

__all__ = ["ASKING", "configure_asking", "run_attempting"]

ASKING = ("attempts", "adapter", "temperature", "seed", "draw_seed", "option_seed", "max_tokens", "at_once")
"""What `configure_asking` adds; each is None where it was not given."""


def configure_asking(parser: argparse._ActionsContainer, attempts: int) -> None:
    """The options of how examples are asked, `attempts` times where nothing is said."""
    parser.add_argument("--attempts", metavar="N", type=int, help=f"at each example (default: {attempts})")
    parser.add_argument(
        "--adapter",
        metavar="A",
        help="who answers on the studio's model: live (the default), base (none), or an adapter by its name or id; with "
        "--policy the default is base",
    )
    parser.add_argument(
        "--temperature",
        metavar="T",
        type=float,
        help="sample at this temperature (default: 1 for several attempts, greedy for one)",
    )
    parser.add_argument("--seed", metavar="K", type=int, help="of the sampling (default: 0)")
    parser.add_argument("--draw-seed", metavar="K", type=int, help="of a drawn benchmark (default: 0)")
    parser.add_argument("--option-seed", metavar="K", type=int, help="shuffle each example's options from this seed")
    parser.add_argument(
        "--max-tokens", metavar="N", type=int, help="begin no example once so many are generated in all"
    )
    parser.add_argument("--at-once", metavar="N", type=int, help="attempts on their way at once (default: 16)")


def run_attempting(
    arguments: argparse.Namespace, settings: Settings, store: Store, name: str, keep: Keep | None, attempts: int
) -> Job:
    """Plan the job of the command line on the examples `name`, or find the one that was stopped, and run it here: one that
    collects, or where nothing is said of what to `keep` one that evaluates. Raises Unavailable where it did not come to its
    end."""
    from engine.evaluation.sources import source_named
    from engine.jobs.asking import Services
    from engine.jobs.collect import CollectKind
    from engine.jobs.evaluate import EvaluateKind
    from engine.jobs.running import run_in_foreground, unfinished
    from engine.opening import loop_limits, open_answering, open_media

    source = source_named(name, store, limit=arguments.limit, seed=arguments.draw_seed or 0)
    asked = _asked(arguments, keep or "all", arguments.attempts or attempts)
    answering = open_answering(settings, store, arguments.policy)
    services = Services(store, open_media(settings), answering, loop_limits(settings))
    kind: CollectKind | EvaluateKind = EvaluateKind(services) if keep is None else CollectKind(services)
    plan = kind.plan(source, asked, arguments.adapter or _answers(arguments.policy))
    line = ProgressLine(sys.stderr)
    try:
        going_on = unfinished(store, kind, plan)
        job = run_in_foreground(store, settings.artifacts, kind, going_on or plan, on_progress=line.show)
    finally:
        line.end()
    if job.state != "done":
        raise Unavailable(f"the job {job.id} did not come to its end: {job.message}")
    return job


def _answers(policy: str | None) -> str:
    """A model that is named answers as it is; who has no adapters is the only one that can."""
    from engine.jobs.answering import BARE, LIVE

    return LIVE if policy in (None, "scripted") or is_address(policy) else BARE


def _asked(arguments: argparse.Namespace, keep: Keep, attempts: int) -> Asked:
    from engine.jobs.asking import Asked

    temperature = arguments.temperature
    if temperature is None and attempts > 1:
        temperature = 1.0
    return Asked(
        attempts=attempts,
        temperature=temperature or None,
        seed=arguments.seed or 0,
        is_operating=not arguments.no_operations,
        option_seed=arguments.option_seed,
        max_tokens=arguments.max_tokens,
        at_once=16 if arguments.at_once is None else arguments.at_once,
        keep=keep,
        crops=getattr(arguments, "crops", "real"),
        protocol_of=getattr(arguments, "protocol_of", None),
        is_weighing_looks=getattr(arguments, "looks", False),
    )
