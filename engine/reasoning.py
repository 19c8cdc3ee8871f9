"""THE loop: a policy looks, operates, reads what came back, and answers.

    opening -> turn -> (operation -> observation -> turn)* -> answer

The idea: one generator serves the screen, the command line, rollouts and evaluation; whoever consumes it decides what to
show, keep or score. It yields an event for everything that a person would want to see happen, and its last event is
always `Finished`, with the whole trace.

Invariants: a mistake of the model becomes an Observation and the loop goes on; a mistake of ours raises, after a
`Finished` whose trace says "failed" and keeps what had been done. Operations are executed on the originals' pixels.
Closing the generator closes the conversation. The algorithm is that of the paper (section 3): interleaved text and
operations until an answer or a limit. Different from the released code: the model's own text is never dropped, a bad call
does not end the attempt, and limits are named in the trace.

Not covered: training and scoring of traces, storage, cutting and wire formats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.errors import ModelMistake
from engine.media import Pictures
from engine.operations import execute
from engine.policies.base import Policy, Turn, never
from engine.protocols import WireProtocol
from engine.protocols.calls import BOX_START, CALL_START
from engine.trace import Example, Observation, Step, StopReason, Trace, View, first_views

__all__ = ["Event", "Finished", "Limits", "Opened", "Stepped", "Thinking", "reason"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an attempt ends without an answer.

    `max_steps`: model turns (stop_reason max_steps). `max_views`: pictures shown, the first views among them; the step
    that passes it is the last (stop_reason max_steps). `max_tokens`: tokens generated over all turns, `max_turn_tokens`
    in one turn (stop_reason max_tokens).
    """

    max_steps: int = 6
    max_views: int = 40
    max_tokens: int = 4096
    max_turn_tokens: int = 2048


@dataclass(frozen=True, slots=True)
class Opened:
    """The first views, before anything was asked of the model."""

    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Thinking:
    """The thought of step `index` (from 0) so far, without a call and without the box of an answer."""

    index: int
    thought: str


@dataclass(frozen=True, slots=True)
class Stepped:
    """Step `index` is done; `views` are the new ones that it brought."""

    index: int
    step: Step
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """`confidence` is exp(mean log p) over the tokens that were generated here, the geometric mean of their probabilities,
    in (0, 1]; None where nothing was, or the policy does not tell."""

    trace: Trace
    confidence: float | None = None


Event = Opened | Thinking | Stepped | Finished


def reason(
    policy: Policy,
    example: Example,
    pictures: Pictures,
    limits: Limits | None = None,
    *,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
    seed: int | None = None,
    earlier: Trace | None = None,
) -> Iterator[Event]:
    """One attempt at `example`, as events.

    `pictures` holds the loaded media of the example by hash. `is_operating=False` asks for an answer from the first views
    and refuses calls. `is_cancelled` is asked before every token. `earlier` gives steps to go on from: they are recalled
    as if the policy had taken them, with their observations.

    Raises whatever the policy or the pixels raise, after a Finished with stop_reason "failed".
    """
    limits = limits or Limits()
    views = list(earlier.views if earlier else first_views(example.media))
    steps = list(earlier.steps if earlier else ())
    turns: list[Turn] = []

    def finished(stop_reason: StopReason) -> Finished:
        return Finished(
            Trace(
                question=example.question,
                media=example.media,
                views=tuple(views),
                steps=tuple(steps),
                stop_reason=stop_reason,
                policy=policy.name,
                protocol=policy.protocol.NAME,
                is_operating=is_operating,
            ),
            _confidence(turns),
        )

    conversation = policy.converse(pictures, seed)
    try:
        protocol = policy.protocol
        opening_views = views[: len(first_views(example.media))]
        yield Opened(tuple(opening_views))
        conversation.append(
            protocol.opening(example.question, example.options, opening_views, is_operating),
            system=protocol.system(is_operating),
        )

        def answer_with(observation: Observation) -> None:
            sizes = conversation.shown_sizes([views[number - 1] for number in observation.views])
            conversation.append(protocol.observation(observation, views, example.media, sizes))

        for step in steps:
            conversation.recall(protocol.render(step, views, example.media))
            if step.observation is not None:
                answer_with(step.observation)

        spent_tokens = 0
        while True:
            if is_cancelled():
                yield finished("cancelled")
                return
            if len(steps) >= limits.max_steps or len(views) > limits.max_views:
                yield finished("max_steps")
                return
            if spent_tokens >= limits.max_tokens:
                yield finished("max_tokens")
                return
            if steps and steps[-1].observation is not None and spent_tokens:
                answer_with(steps[-1].observation)

            text = ""
            for piece in conversation.generate(
                min(limits.max_turn_tokens, limits.max_tokens - spent_tokens), is_cancelled
            ):
                text += piece
                yield Thinking(len(steps), text.partition(CALL_START)[0].partition(BOX_START)[0].strip())
            turns.append(conversation.last_turn)
            spent_tokens += max(conversation.last_turn.tokens, 1)

            new_views: tuple[View, ...] = ()
            if not conversation.last_turn.is_complete:
                step = Step(text.strip())
            else:
                step, new_views = _take(text, protocol, example, views, pictures, is_operating)
            steps.append(step)
            views.extend(new_views)
            yield Stepped(len(steps) - 1, step, new_views)
            if not conversation.last_turn.is_complete:
                yield finished("cancelled" if is_cancelled() else "max_tokens")
                return
            if step.answer is not None:
                yield finished("answered")
                return
    except GeneratorExit:
        raise
    except Exception:
        yield finished("failed")
        raise
    finally:
        conversation.close()


def _confidence(turns: Sequence[Turn]) -> float | None:
    told = [turn.log_probability for turn in turns if turn.log_probability is not None]
    tokens = sum(turn.tokens for turn in turns)
    return math.exp(sum(told) / tokens) if tokens and len(told) == len(turns) else None


def _take(
    text: str,
    protocol: WireProtocol,
    example: Example,
    views: Sequence[View],
    pictures: Pictures,
    is_operating: bool,
) -> tuple[Step, tuple[View, ...]]:
    """The step that a complete turn amounts to, its operation executed, and the views that it brought."""
    try:
        step = protocol.parse(text, views, example.media)
    except ModelMistake as mistake:
        return Step(text.strip(), observation=Observation(error=str(mistake))), ()
    if step.operation is None:
        return step, ()
    try:
        if not is_operating:
            raise ModelMistake("operations are not allowed for this question; answer from what you see")
        new_views = execute(step.operation, views, pictures, protocol.CROP_RULE)
        observation = Observation(views=tuple(view.number for view in new_views))
    except ModelMistake as mistake:
        new_views, observation = (), Observation(error=str(mistake))
    return Step(step.thought, step.operation, observation), new_views
