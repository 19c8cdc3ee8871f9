"""`evaluate BENCHMARK|EXAMPLES.jsonl`: how often a policy is right, and how it got there."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from engine.commands.attempting import ASKING, configure_asking, run_attempting
from engine.commands.examples import BENCHMARK_NAMES
from engine.commands.progress import ProgressLine
from engine.errors import InvalidInput
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.evaluation.examples import Posed
    from engine.evaluation.scoring import Result, Summary
    from engine.media import Sampling

ACTION = "evaluate"
SUMMARY = "score a policy on a bundled or published benchmark or on examples of your own"
PUBLISHED_NAMES = (
    "vstar, tallyqa-complex, infographicsvqa, mvbench, hr-bench-4k, hr-bench-8k, visualprobe-easy, visualprobe-medium, "
    "visualprobe-hard"
)
"""Repeated here for the same reason as BENCHMARK_NAMES; a test compares."""

CROP_NAMES = ("real", "black", "random")
"""For the same reason."""
PROJECT_NAMES = ("pixel-reasoner", "lmms-eval", "vlmevalkit")
"""For the same reason."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "benchmark",
        metavar="BENCHMARK|EXAMPLES.jsonl",
        help=f"one of {BENCHMARK_NAMES}; from the Hugging Face Hub {PUBLISHED_NAMES}; or a file with one "
        f' {{"question", "media", "answer", "options"?, "evidence"?}} a line, '
        "media paths relative to it",
    )
    parser.add_argument(
        "--policy",
        metavar="P",
        help="who answers: tiny, scripted, a model's folder, an id of the Hugging Face Hub, openai:URL#MODEL "
        "(default: STUDIO_MODEL, with the adapter that was promoted in the studio)",
    )
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        help="how many examples (default: 500 of a bundled benchmark, 200 of mini-clips, all others whole)",
    )
    parser.add_argument("--no-operations", action="store_true", help="answer from the first view alone")
    parser.add_argument(
        "--crops",
        choices=CROP_NAMES,
        default="real",
        help="what a zoom shows: what it asked for (the default), black, or an equally large region elsewhere of the picture, "
        "from --seed. What is lost is what the model had from its crops; such attempts are scored, never kept as traces",
    )
    parser.add_argument(
        "--protocol-of",
        metavar="WHO",
        choices=PROJECT_NAMES,
        help=f"ask and score as another project does ({', '.join(PROJECT_NAMES)}): its words around a question, its rule, "
        "its denominator; what else of theirs the score depends on is said with it (docs/evaluation.md)",
    )
    parser.add_argument(
        "--looks",
        action="store_true",
        help="with --record: weigh what each look was worth, the probability of the answer before it and after",
    )
    parser.add_argument("--json", action="store_true", help="print one trace a line, and last the summary")
    parser.add_argument(
        "--record",
        action="store_true",
        help="run it as the studio's job: every attempt becomes a trace of the store, beside the summary stands what it "
        "depends on, and the same command goes on where it was stopped or killed",
    )
    configure_asking(parser.add_argument_group("with --record"), attempts=1)


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    if arguments.record:
        return _run_recorded(arguments, settings, out)
    if given := [name for name in ASKING if getattr(arguments, name) is not None]:
        raise InvalidInput(f"--{given[0].replace('_', '-')} goes with --record")
    if arguments.looks:
        raise InvalidInput("--looks goes with --record: what a look was worth is kept with its trace")
    from engine.evaluation.conventions.projects import following
    from engine.evaluation.crops import showing
    from engine.evaluation.drawing import FEW
    from engine.evaluation.examples import Posed
    from engine.evaluation.runner import evaluate
    from engine.evaluation.scoring import summarise
    from engine.opening import loop_limits, open_policy
    from engine.trace_json import trace_to_json

    pose_all, count = _examples(arguments.benchmark, arguments.limit, settings)
    policy = open_policy(settings, arguments.policy, is_for_many=count is None or count > FEW)
    posed = pose_all(policy.protocol.CLIP_SAMPLING)
    followed = following(arguments.protocol_of, arguments.benchmark)
    examples = (Posed(one.example, showing(one.pictures, arguments.crops, 0)) for one in posed)
    is_traced = arguments.json and arguments.crops == "real"
    shown: dict[str, Any] = {} if arguments.crops == "real" else {"crops": arguments.crops}
    progress = Progress(count, sys.stderr)
    results: list[Result] = []
    is_interrupted = False
    try:
        running = evaluate(
            policy, examples, loop_limits(settings), is_operating=not arguments.no_operations, following=followed
        )
        for result in running:
            results.append(result)
            if is_traced:
                print(json.dumps(trace_to_json(result.trace)), file=out, flush=True)
            progress.show(len(results), summarise(arguments.benchmark, results).accuracy)
    except KeyboardInterrupt:
        is_interrupted = True
    finally:
        progress.end()
    summary = summarise(arguments.benchmark, results)
    if followed is not None:
        rules = {followed.convention(result.example).rule for result in results}
        shown["protocol_of"] = followed.as_json(rules, policy.settings())
    if is_interrupted:
        print(f"stopped after {len(results)} of {count or 'all'} examples", file=sys.stderr)
    if not arguments.json:
        print(table(summary, shown), file=out)
    elif not is_interrupted:  # a summary of half a run would be taken for that of the whole
        print(json.dumps(dataclasses.asdict(summary) | shown), file=out)
    return 130 if is_interrupted else 0


def _run_recorded(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.evaluation.scoring import summarise
    from engine.opening import open_store
    from engine.trace_json import trace_to_json

    with open_store(settings) as store:
        job = run_attempting(arguments, settings, store, arguments.benchmark, None, attempts=1)
        evaluation = store.evaluations.get(job.id)
        made = list(store.attempts.of(job.id))
        if not arguments.json:
            summary = summarise(evaluation.provenance["benchmark"], made)
            told = evaluation.provenance | {"looks": (evaluation.summary or {}).get("looks")}
            print(table(summary, told), file=out)
            print(f"evaluation {evaluation.id}", file=out)
            return 0
        for one in made:
            if one.trace_id is not None:
                print(json.dumps(trace_to_json(store.revisions.head(one.trace_id).trace, one.trace_id)), file=out)
        told = {"evaluation": evaluation.id, "provenance": evaluation.provenance}
        print(json.dumps((evaluation.summary or {}) | told), file=out)
    return 0


def _examples(
    name: str, limit: int | None, settings: Settings
) -> tuple[Callable[[Sampling], Iterator[Posed]], int | None]:
    """What gives the examples, loaded one by one as they are asked for, with clips sampled as the protocol wants; and how
    many they are (None where only the end will tell)."""
    from engine.evaluation.drawing import draw_beside
    from engine.evaluation.drawn import ABSENT, benchmark_named, drawn_benchmarks
    from engine.evaluation.examples import pose, read_examples
    from engine.evaluation.published.benchmarks import published_named
    from engine.evaluation.published.source import pose_published
    from engine.opening import media_limits

    if limit is not None and limit < 1:
        raise InvalidInput(f"--limit takes a whole number from 1, not {limit}")
    if benchmark := benchmark_named(name):
        drawn_ones = draw_beside(benchmark, limit)
        return lambda sampling: (pose(one, sampling=sampling) for one in drawn_ones), limit or benchmark.count
    if published := published_named(name):
        count = None if published.count is None else min(published.count, limit or published.count)
        return lambda sampling: pose_published(published, limit, media_limits(settings), sampling=sampling), (
            limit if count is None else count
        )
    path = Path(name)
    if not path.exists():
        drawn = f"drawn ones are {BENCHMARK_NAMES}" if drawn_benchmarks() else ABSENT
        raise InvalidInput(
            f"there is neither a benchmark nor a file {name!r}; the benchmarks of the Hugging Face Hub are "
            f"{PUBLISHED_NAMES}; {drawn}"
        )
    lines = read_examples(path)[:limit]
    allowed = media_limits(settings)
    return lambda sampling: (pose(line, allowed, sampling) for line in lines), len(lines)


def table(summary: Summary, ran: Mapping[str, Any]) -> str:
    """The summary for people, with what of its provenance is not as usual; a dash where nothing could be counted."""
    rate = _percent(summary.accuracy)
    error = "" if summary.stderr is None else f" (standard error {summary.stderr * 100:.1f} points)"
    rows = [
        ("benchmark", summary.benchmark),
        ("examples", str(summary.n)),
        ("right", rate + error),
        ("evidence looked at", _percent(summary.hit_rate)),
        ("used an operation", f"{_percent(summary.rapr)} (RaPR)"),
        ("had an execution error", _percent(summary.error_rate)),
        ("CPU time of an answer", "-" if summary.cpu_s_median is None else f"{summary.cpu_s_median:.2f} s (median)"),
    ]
    if (crops := ran.get("crops", "real")) != "real":
        rows.insert(2, ("crops", f"{crops}, not what they asked for"))
    if protocol := ran.get("protocol_of"):
        rows.insert(2, ("asked and scored as", f"{protocol['project']} {protocol['version']}"))
        rows += [("but there", sentence.removesuffix(" there")) for sentence in protocol["differs"]]
    if (looks := ran.get("looks")) and looks["looks"]:
        worth = f"{_percent(looks['before'])} before, {_percent(looks['after'])} after ({looks['looks']} looks)"
        rows.append(("the answer's probability", worth))
    for part in summary.parts:
        error = "" if part.stderr is None else f" ± {part.stderr * 100:.1f}"
        value = f"{_percent(part.accuracy)}{error} right of {part.n}, {_percent(part.rapr)} RaPR"
        rows.append((part.name.replace("_", " "), value))
    width = max(len(label) for label, _ in rows)
    return "\n".join(f"{label:<{width}}  {value}" for label, value in rows)


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1%}"


class Progress:
    """How far a run is and, where its `total` is known, how long it will take, on `stream`."""

    def __init__(self, total: int | None, stream: TextIO, quiet_s: float = 15.0) -> None:
        self._total = total
        self._line = ProgressLine(stream, quiet_s)
        self._started_s = time.monotonic()

    def show(self, done: int, accuracy: float | None) -> None:
        text = f"{done}  {_percent(accuracy)} right"
        if self._total is not None:
            left_s = round((time.monotonic() - self._started_s) / done * (self._total - done))
            text = f"{done}/{self._total}  {_percent(accuracy)} right  {left_s // 60}:{left_s % 60:02} left"
        self._line.show(text, is_last=self._total is not None and done >= self._total)

    def end(self) -> None:
        self._line.end()
