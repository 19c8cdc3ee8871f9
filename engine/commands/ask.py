"""`ask MEDIA QUESTION`: one trace, shown as it grows and recorded in the store."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from engine.settings import PROTOCOLS, Settings

if TYPE_CHECKING:
    from engine.reasoning import Notice
    from engine.trace import Step, Trace, View

ACTION = "ask"
SUMMARY = "ask one question about a picture or a video, and record the trace"
AUTHOR = "command line"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("media", metavar="MEDIA", help="a picture or a video file")
    parser.add_argument("question", metavar="QUESTION", help='such as "What is written on the red disc?"')
    parser.add_argument(
        "--policy",
        metavar="P",
        help="who answers: tiny, scripted, a model's folder, an id of the Hugging Face Hub, openai:URL#MODEL "
        "(default: STUDIO_MODEL, with the adapter that was promoted in the studio)",
    )
    parser.add_argument("--protocol", metavar="N", help=f"wire format: {', '.join(PROTOCOLS)} (default: the model's)")
    parser.add_argument("--no-operations", action="store_true", help="answer from the first view alone")
    parser.add_argument("--seed", metavar="K", type=int, help="sample with this seed (default: greedy)")
    parser.add_argument("--json", action="store_true", help="print the trace as one JSON object, and nothing else")


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    from engine.drivers.streaming import stream
    from engine.errors import InvalidInput
    from engine.opening import loop_limits, open_media, open_policy, open_store
    from engine.trace import Example
    from engine.trace_json import trace_to_json

    question = arguments.question.strip()
    if not question:
        raise InvalidInput("the question is empty; ask something about the picture or video")
    folder = open_media(settings)
    policy = open_policy(settings, arguments.policy, arguments.protocol)
    loaded = folder.take(arguments.media, policy.protocol.CLIP_SAMPLING)
    example = Example(question, (loaded.media,))
    with open_store(settings) as store, _interruptible() as is_cancelled:
        name = arguments.media.replace("\\", "/").rpartition("/")[2]
        store.media.record(loaded.media, name, folder.path(loaded.media.sha256).stat().st_size)

        def record(trace: Trace, confidence: float | None) -> str:
            return store.traces.record(
                trace, author=AUTHOR, example=example, policy_settings=dict(policy.settings()), confidence=confidence
            ).id

        notices = stream(
            policy,
            example,
            {loaded.media.sha256: loaded},
            loop_limits(settings),
            is_operating=not arguments.no_operations,
            is_cancelled=is_cancelled,
            seed=arguments.seed,
        )
        trace, trace_id = _follow(notices, record, None if arguments.json else out)
    if arguments.json:
        print(json.dumps(trace_to_json(trace, trace_id)), file=out)
    else:
        ending = f"Answer: {trace.answer}" if trace.answer is not None else f"No answer: {trace.stop_reason}"
        print(f"{ending}\n(trace {trace_id}, {trace.policy})", file=out)
    return 130 if trace.stop_reason == "cancelled" else 0


def _follow(
    notices: Iterator[Notice], record: Callable[[Trace, float | None], str], out: TextIO | None
) -> tuple[Trace, str]:
    """Show the notices on `out` as they come; the trace, recorded even where it failed, and its id."""
    from engine.reasoning import Finished, Stepped, Thinking

    ended: tuple[Trace, str] | None = None
    shown = ""
    for notice in notices:
        if isinstance(notice, Finished):
            ended = notice.trace, record(notice.trace, notice.confidence)
        elif out is not None and isinstance(notice, Thinking):
            # From a backslash on it may be the answer's wrapping: that waits until the step is read.
            thought = notice.thought.partition("\\")[0].rstrip()
            if thought.startswith(shown):
                out.write(thought[len(shown) :])
                out.flush()
                shown = thought
        elif out is not None and isinstance(notice, Stepped):
            rest = notice.step.thought.removeprefix(shown)
            out.write(rest + ("\n" if shown + rest else ""))
            for line in step_lines(notice.step, notice.views):
                print(f"  {line}", file=out)
            out.flush()
            shown = ""
    assert ended is not None  # the loop always ends with Finished, or raises
    return ended


def step_lines(step: Step, views: tuple[View, ...]) -> list[str]:
    """What a step did, in words: the operation, and the views or the error that came back."""
    from engine.trace import SelectFrames, ZoomIn

    lines = []
    if isinstance(step.operation, ZoomIn):
        box = ", ".join(f"{value:.2f}" for value in step.operation.box.as_list())
        lines.append(f"zoom in on view {step.operation.view} at [{box}]")
    elif isinstance(step.operation, SelectFrames):
        lines.append(f"select the frames {', '.join(map(str, step.operation.frames))}")
    if step.observation is not None and step.observation.error is not None:
        lines.append(f"execution error: {step.observation.error}")
    elif views:
        numbers = ", ".join(str(view.number) for view in views)
        lines[-1] += f" -> view {numbers}" if len(views) == 1 else f" -> views {numbers}"
    return lines


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C ends the attempt within one token, and the trace is kept; a second one ends the process."""
    is_interrupted = False

    def interrupt(_signal: int, _frame: object) -> None:
        nonlocal is_interrupted
        if is_interrupted:
            raise KeyboardInterrupt
        is_interrupted = True

    earlier = signal.signal(signal.SIGINT, interrupt)
    try:
        yield lambda: is_interrupted
    finally:
        signal.signal(signal.SIGINT, earlier)
