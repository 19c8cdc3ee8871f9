"""`train sft|dpo|grpo`: train an adapter here and now; the job and its adapter are the studio's own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from engine.errors import InvalidInput, InvalidSetting, NotFound
from engine.policies.address import is_address
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.media import MediaFolder
    from engine.store import Revision, Store
    from engine.trace import Example

ACTION = "train"
SUMMARY = "train an adapter in the foreground, the same job that the studio runs"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind",
        metavar="sft|dpo|grpo",
        choices=["sft", "dpo", "grpo"],
        help="sft: supervised fine-tuning of a LoRA adapter on traces; dpo: on preferences, what people corrected and which of "
        "two attempts they chose; grpo: curiosity-driven reinforcement learning on "
        "questions with known answers",
    )
    parser.add_argument(
        "--traces",
        metavar="accepted|synthesis",
        choices=["accepted", "synthesis"],
        default="accepted",
        help="what to train on: accepted (the default), the traces whose head revision was accepted; synthesis, what "
        "`synthesize --record` made; grpo takes the traces' questions",
    )
    parser.add_argument(
        "--examples", metavar="F", help="grpo: an EXAMPLES.jsonl whose questions are rolled out, instead of the traces'"
    )
    parser.add_argument(
        "--config",
        metavar="F",
        help="a JSON file with any of: name (the adapter's); sft, dpo or grpo (an object of the run's settings: passes, steps, "
        "batch_size, learning_rate, rank, alpha, seed, ...; dpo also beta; grpo also queries_a_step, rollouts, variant, "
        "is_curious, advantage; dpo and grpo also start_from: live, or an adapter's id); evaluation (an object: name, share, "
        "count and seed of what is held out, as the flags say it, or null for nothing)",
    )
    parser.add_argument("--name", metavar="NAME", help="the adapter's name")
    parser.add_argument(
        "--set",
        metavar="SETTING=VALUE",
        action="append",
        default=[],
        help="one setting of the run, such as passes=3 or learning_rate=0.0002; may be given again, and wins over --config",
    )
    held_out = parser.add_argument_group("what is measured before and after, and never learned from")
    held_out.add_argument(
        "--held-out",
        metavar="WHAT",
        help="share (the default): a share of what would be learned from; a benchmark, a data set of the store, an "
        "EXAMPLES.jsonl, or evaluation:ID for the examples of a recorded evaluation; none measures nothing",
    )
    held_out.add_argument(
        "--held-out-share", metavar="SHARE", type=float, help="of what would be learned from (default: 0.2)"
    )
    held_out.add_argument("--held-out-count", metavar="N", type=int, help="at most so many examples (default: 100)")
    held_out.add_argument("--held-out-seed", metavar="K", type=int, help="of a drawn benchmark (default: 7)")
    parser.epilog = (
        "Under `accelerate launch -m engine train sft` several processes share each step (docs/several-processes.md). "
        "Ctrl-C stops after the running step and keeps the last checkpoint. The adapter answers once it is promoted in "
        "the studio. Exit status 1 where the job failed."
    )


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    config = _with_flags(arguments, read_config(arguments.config))
    if settings.model == "scripted":
        raise InvalidSetting("STUDIO_MODEL='scripted' has no weights to train; use tiny, a folder or a model id")
    if is_address(settings.model):
        raise InvalidSetting(
            f"STUDIO_MODEL={settings.model!r} is trained where its weights are: export what was approved, and train there"
        )
    if arguments.examples and arguments.kind != "grpo":
        raise InvalidInput("--examples goes with grpo; sft learns from traces (make some with `synthesize --record`)")
    if not settings.database.exists() and not arguments.examples:
        raise NotFound(f"there is no store at {settings.database}; STUDIO_HOME says which folder is looked at")
    from engine.opening import loop_limits, open_backbone, open_media, open_store
    from engine.protocols import protocol_named

    with open_store(settings) as store:
        media = open_media(settings)
        is_on_traces = not arguments.examples and arguments.kind != "dpo"
        revisions = _revisions(store, arguments.traces) if is_on_traces else []
        # Imported only now: the trainer's libraries take seconds.
        from engine.evaluation.held_out import HeldOut
        from engine.jobs.adapter_work import follow
        from engine.jobs.answering import LIVE
        from engine.jobs.dpo import DpoKind
        from engine.jobs.grpo import GrpoKind
        from engine.jobs.kinds import Kind
        from engine.jobs.measuring import held_out_measuring, measured
        from engine.jobs.promotion import load_live
        from engine.jobs.running import run_in_foreground
        from engine.jobs.sft import SftKind
        from engine.jobs.workshop import Workshop
        from engine.training.dpo_config import DpoConfig
        from engine.training.grpo_config import GrpoConfig
        from engine.training.processes import agreed, join, process_index
        from engine.training.sft_config import SftConfig

        sft, dpo = SftConfig.from_json(config.get("sft") or {}), DpoConfig.from_json(config.get("dpo") or {})
        limits = loop_limits(settings)
        grpo = GrpoConfig.within(limits, config.get("grpo") or {})
        evaluation = config.get("evaluation", {})
        held_out = None if evaluation is None else HeldOut(**evaluation)
        join(settings.device)
        backbone = open_backbone(settings)
        media.sampling = protocol_named(backbone.protocol_name).CLIP_SAMPLING
        examples = _examples(arguments.examples, settings, media) if arguments.examples else None
        workshop = Workshop(
            store,
            backbone,
            settings.artifacts,
            media.pictures,
            held_out_measuring(store, media, settings.artifacts, limits),
        )
        named: dict[str, Any] = {"name": config.get("name") or "", "held_out": held_out}
        ids = [revision.id for revision in revisions] if is_on_traces else None
        start_from = {"dpo": dpo.start_from, "grpo": grpo.start_from}.get(arguments.kind)
        if start_from == LIVE and (problem := load_live(store, workshop.backbone, workshop.artifacts)):
            raise NotFound(f"training cannot start from what answers: {problem}")
        if process_index() > 0:
            follow(store, settings.artifacts, (SftKind(workshop), DpoKind(workshop)))
            return 0
        kind: Kind
        if arguments.kind == "sft":
            kind, plan = (learning := SftKind(workshop)), learning.plan(sft, revision_ids=ids, **named)
        elif arguments.kind == "dpo":
            kind, plan = (preferring := DpoKind(workshop)), preferring.plan(dpo, **named)
        else:
            rolling = GrpoKind(workshop)
            kind, plan = rolling, rolling.plan(grpo, examples=examples, revision_ids=ids, **named)
        job = run_in_foreground(
            store, settings.artifacts, kind, plan, on_event=lambda step, kind, data: tell(step, kind, data, out)
        )
        if job.state in ("done", "stopped"):  # else the launcher ends the others
            agreed("")
        if (compared := measured(store, job.id)) is not None:
            print(f"after against before: {compared.words}", file=out)
    print(f"job {job.id} {job.state}: {job.message}", file=out if job.state == "done" else sys.stderr)
    return 0 if job.state == "done" else 1


def _revisions(store: Store, traces: str) -> Sequence[Revision]:
    if traces == "synthesis":
        from engine.synthesis.recording import recorded

        if not (found := recorded(store)):
            raise InvalidInput(
                "there is nothing to train on: make trajectories with `synthesize EXAMPLES --record` first"
            )
        return found
    if not (accepted := store.reviews.accepted()):
        raise InvalidInput("there is nothing to train on: accept some traces in the studio first")
    return accepted


def _examples(name: str, settings: Settings, media: MediaFolder) -> list[Example]:
    """The questions of a file, their media taken into the studio's folder."""
    from engine.evaluation.examples import pose, read_examples
    from engine.opening import media_limits

    lines = read_examples(Path(name))
    for line in lines:
        for path in line.files:
            media.take(path)
    return [pose(line, media_limits(settings)).example for line in lines]


def _with_flags(arguments: argparse.Namespace, config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configuration file with what the flags say in its place. Raises InvalidInput for what is no SETTING=VALUE; which
    settings there are is the run's to say."""
    chosen = dict(config)
    if arguments.name is not None:
        chosen["name"] = arguments.name
    given = {}
    for one in arguments.set:
        name, is_said, text = one.partition("=")
        if not (name and is_said):
            raise InvalidInput(f"--set {one}: SETTING=VALUE is expected, such as passes=3")
        try:
            given[name.replace("-", "_")] = json.loads(text)
        except ValueError:  # a text needs no quotes
            given[name.replace("-", "_")] = text
    if given:
        chosen[arguments.kind] = {**(config.get(arguments.kind) or {}), **given}
    held_out = {
        "name": arguments.held_out,
        "share": arguments.held_out_share,
        "count": arguments.held_out_count,
        "seed": arguments.held_out_seed,
    }
    said = {name: value for name, value in held_out.items() if value is not None}
    if said.get("name") == "none":
        chosen["evaluation"] = None
    elif said:
        chosen["evaluation"] = {**(config.get("evaluation") or {}), **said}
    return chosen


def read_config(name: str | None) -> Mapping[str, Any]:
    """The configuration file as an object. Raises InvalidInput."""
    if name is None:
        return {}
    try:
        data = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InvalidInput(f"{name} is not JSON: {error}") from error
    shapes = {"name": (str,), "sft": (dict,), "dpo": (dict,), "grpo": (dict,), "evaluation": (dict, type(None))}
    if not isinstance(data, dict):
        raise InvalidInput(f"{name}: a JSON object is expected, with any of {', '.join(shapes)}")
    for field, value in data.items():
        if field not in shapes:
            raise InvalidInput(f"{name}: there is no setting {field!r}; there are: {', '.join(shapes)}")
        if not isinstance(value, shapes[field]):
            expected = "a text" if field == "name" else "an object"
            raise InvalidInput(f"{name}: {field}: {expected} is expected, not {json.dumps(value)[:80]}")
    evaluation = data.get("evaluation") or {}
    kinds: Mapping[str, type] = {"name": str, "share": float, "count": int, "seed": int}
    if unknown := sorted(set(evaluation) - set(kinds)):
        raise InvalidInput(f"{name}: evaluation has {', '.join(kinds)}, and no {unknown[0]!r}")
    if wrong := [field for field, value in evaluation.items() if type(value) is not kinds[field]]:
        raise InvalidInput(f"{name}: evaluation.{wrong[0]} is not of the right kind: {evaluation[wrong[0]]!r}")
    return data


def tell(step: int | None, kind: str, data: Mapping[str, Any], out: TextIO) -> None:
    """One event of the job, as a line."""
    if kind == "metric" and "rapr" in data:
        line = (
            f"step {step}: reward {data['reward']:.3f}, RaPR {data['rapr']:.2f}, operation errors "
            f"{data['operation_errors']:.2f}, uniform groups {data['uniform_share']:.2f}, about {data['left_s']:.0f} s left"
        )
    elif kind == "metric":
        line = f"step {step}: loss {data['loss']:.4f}, about {data['left_s']:.0f} s left"
    elif kind == "evaluation":
        accuracy = "-" if data["accuracy"] is None else f"{data['accuracy']:.1%}"
        found = f"{accuracy} of {data['n']} held-out examples right"
        line = f"{data['when']} training: {data['note'] if not data['n'] and data.get('note') else found}"
    elif kind == "adapter":
        line = f"adapter {data['name']!r} ({data['id']}) saved after {data['steps']} steps"
    elif kind == "alarm":
        line = f"ALARM: {data['text']}"
    else:
        line = str(data.get("text", ""))
    print(line, file=out, flush=True)
