"""THE loop: a policy looks, operates, reads what came back, and answers.

    opening -> turn -> (operation -> observation -> turn)* -> answer

The algorithm is that of the paper (section 3). With views v, steps s and the protocol's render and parse:

    say the opening of the question and the first views
    repeat
        stop where cancelled, or s, v or the tokens spent reach a limit
        say what the last operation brought: pictures, or the error that the model made
        receive a turn; parse it into a thought and an operation or an answer
        execute the operation on the original's pixels, number its new views on from v
    until it answers, or a turn was cut off

Different from the released code: the model's own text is never dropped, a bad call does not end the attempt but comes back
as an observation, boxes stay in the original's coordinates however deeply crops nest, and limits are named in the trace.

The idea: the loop has no voice. `reason` is a generator that yields what it wants said, as a `Request`, and receives the
`Turn`; it calls no model, so one loop serves a screen, a batch of rollouts and a server over HTTP (`engine.drivers` asks
the policies). In between it yields notices, for whoever watches, and its last one is always `Finished`, with the whole
trace. `replay` says a recorded trace in the same words, for going on from it and for training on it.

Invariants: a mistake of the model becomes an Observation and the loop goes on; a mistake of ours raises, after a
`Finished` whose trace says "failed" and keeps what had been done.

Not covered: asking a policy, training and scoring of traces, storage, cutting and wire formats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass

from engine.errors import ModelMistake
from engine.media import Pictures
from engine.operations import execute
from engine.policies.base import Described, Recalled, Said, Told, Turn, never
from engine.protocols import PicturePart, picture_role
from engine.protocols.calls import thought_so_far
from engine.trace import Example, Observation, Step, StopReason, Trace, View, first_views, shown_before

__all__ = [
    "Finished",
    "Limits",
    "Notice",
    "Opened",
    "Reasoning",
    "Request",
    "Stepped",
    "Thinking",
    "Waiting",
    "reason",
    "replay",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where an attempt ends without an answer.

    `max_steps`: model turns (stop_reason max_steps). `max_views`: pictures shown, the first views among them; the step
    that passes it is the last (stop_reason max_steps). `max_tokens`: tokens generated over all turns, `max_turn_tokens`
    in one turn (stop_reason max_tokens). A policy that notices that a turn says the same over and over ends it earlier
    (stop_reason repetition).
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
class Waiting:
    """Step `index` (from 0) has not begun: `before` others wait as well and come first."""

    index: int
    before: int


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
    in (0, 1]; None where nothing was, or the policy does not tell. `tokens` is how many were generated here."""

    trace: Trace
    confidence: float | None = None
    tokens: int = 0


Notice = Opened | Waiting | Thinking | Stepped | Finished
"""What a watcher is told."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the loop wants: say `said`, which is new since the last request, and let the model speak for at most
    `max_tokens` (from 1). What it says becomes step `index`."""

    said: tuple[Said, ...]
    max_tokens: int
    index: int

    def thinking(self, text: str) -> Thinking:
        """What a watcher is told when the model has said `text` so far."""
        return Thinking(self.index, thought_so_far(text))


Reasoning = Generator[Request | Notice, Turn | None, None]
"""Send the turn after a Request, None after a Notice; throw what kept the model from speaking."""


def reason(
    policy: Described,
    example: Example,
    pictures: Pictures,
    limits: Limits | None = None,
    *,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
    earlier: Trace | None = None,
) -> Reasoning:
    """One attempt at `example`, as requests and notices.

    `policy` is never asked to speak. `pictures` holds the loaded media of the example by hash. `is_operating=False` asks
    for an answer from the first views and refuses calls. `is_cancelled` is asked before every turn. `earlier` gives steps
    to go on from: they are recalled as if the policy had taken them, with their observations.

    Raises what was thrown into it and whatever the pixels raise, after a Finished with stop_reason "failed".
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
            sum(turn.tokens for turn in turns),
        )

    try:
        yield Opened(tuple(views[: len(first_views(example.media))]))
        said = list(replay(policy, example, pictures, views, steps, is_operating=is_operating))
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
            if steps and steps[-1].observation is not None:
                said.append(_observed(policy, steps[-1].observation, views, example, pictures))

            max_tokens = min(limits.max_turn_tokens, limits.max_tokens - spent_tokens)
            turn = yield Request(tuple(said), max_tokens, len(steps))
            if turn is None:
                raise TypeError("a request is answered by sending the turn that the model said")
            said.clear()
            turns.append(turn)
            spent_tokens += max(turn.tokens, 1)

            new_views: tuple[View, ...] = ()
            if not turn.is_complete:
                step = Step(turn.text.strip())
            else:
                step, new_views = _take(turn.text, policy, example, views, pictures, is_operating)
            steps.append(step)
            views.extend(new_views)
            yield Stepped(len(steps) - 1, step, new_views)
            if not turn.is_complete:
                if turn.is_repetitive:
                    yield finished("repetition")
                else:
                    yield finished("cancelled" if is_cancelled() else "max_tokens")
                return
            if step.answer is not None:
                yield finished("answered")
                return
    except Exception:
        yield finished("failed")
        raise


def replay(
    policy: Described,
    example: Example,
    pictures: Pictures,
    views: Sequence[View],
    steps: Sequence[Step],
    *,
    is_operating: bool = True,
) -> Iterator[Said]:
    """Everything that stood before the model when it had taken these steps: the opening, each step as the protocol writes
    it, and what came back to all but the last. `views` are all that were shown, `is_operating` whether the question
    invited operations.

    Raises InvalidInput where the protocol cannot write a step, NotFound where a picture is missing.
    """
    protocol = policy.protocol
    opening_views = views[: len(first_views(example.media))]
    yield Told(
        protocol.opening(example.question, example.options, opening_views, is_operating),
        system=protocol.system(opening_views, is_operating),
    )
    for number, (step, shown) in enumerate(zip(steps, shown_before(views, steps), strict=True), 1):
        yield Recalled(step, protocol.render(step, views[:shown], example.media))
        if step.observation is not None and number < len(steps):
            yield _observed(policy, step.observation, views, example, pictures)


def _observed(
    policy: Described, observation: Observation, views: Sequence[View], example: Example, pictures: Pictures
) -> Told:
    parts = _shown([views[number - 1] for number in observation.views], example)
    sizes = policy.shown_sizes(parts, pictures)
    return Told(policy.protocol.observation(observation, views, example.media, sizes))


def _shown(views: Sequence[View], example: Example) -> list[PicturePart]:
    """The views as the pictures that the model saw, each in its role."""
    opened = len(first_views(example.media))
    return [PicturePart(view, picture_role(view, is_opening=view.number <= opened)) for view in views]


def _confidence(turns: Sequence[Turn]) -> float | None:
    told = [turn.log_probability for turn in turns if turn.log_probability is not None]
    tokens = sum(turn.tokens for turn in turns)
    return math.exp(sum(told) / tokens) if tokens and len(told) == len(turns) else None


def _take(
    text: str,
    policy: Described,
    example: Example,
    views: Sequence[View],
    pictures: Pictures,
    is_operating: bool,
) -> tuple[Step, tuple[View, ...]]:
    """The step that a complete turn amounts to, its operation executed, and the views that it brought."""
    protocol = policy.protocol
    sizes = policy.shown_sizes(_shown(views, example), pictures)
    try:
        step = protocol.parse(text, views, example.media, sizes)
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
