r"""What a look was worth: how likely the answer was before an operation brought what it brought, and after.

    before(k)   p(answer | what stood before the model at its turn k)
    after(k)    p(answer | the same, its turn k, and the observation that came back)

Algorithm, ours: the turn that answers is said again, word for word, up to where it first says the answer (in its thought, or
in the `\boxed{`; a letter's option counts as the letter), and the answer with the character that follows is weighed,
teacher-forced: exp of the sum of log p of its tokens. The model's own words are given, since a model that answers after a
thought gives an answer without one next to no probability, whatever it saw; they hold the answer nowhere. The character that
follows counts, or "17" would include "175". The sum, not a mean over tokens: it is a probability, and before and after are of
the same words.

Another answer than the trace's own, such as the gold one, is weighed in the same place: there the model says the one or the
other. Where it counts on its way ("1 at ..., 2 at ...") that place is the last of them, and a gold answer that is another
number is next to impossible there before as well as after: such a look comes out as worth nothing.

Invariants: both are of one answer, after the same words; the history is that of `engine.reasoning.replay`, word for word.

Not covered: policies whose conversations do not weigh, such as servers (`engine.policies.base.can_weigh`).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import exp

from engine.errors import InvalidInput
from engine.media import Pictures
from engine.policies.base import Described, Policy, Recalled, can_weigh
from engine.protocols import WireProtocol
from engine.reasoning import replay
from engine.trace import Example, Trace

__all__ = ["LookWorth", "answer_words", "looks_of", "no_probabilities", "weigh_looks"]


@dataclass(frozen=True, slots=True)
class LookWorth:
    """The probability (0 to 1) of the answer before step `step_index` (from 0), which brought views, and after."""

    step_index: int
    before: float
    after: float


def weigh_looks(
    trace: Trace, policy: Policy, pictures: Pictures, *, options: Sequence[str] = (), answer: str | None = None
) -> Generator[LookWorth, None, None]:
    """What each look of the trace was worth to this policy, in order, as it becomes known; whoever stops asking stops the
    work. `answer` is weighed, None for the trace's own. Raises InvalidInput where the trace has no answer, holds no look, or
    the policy gives no probabilities, and whatever the policy raises."""
    if trace.answer is None:
        raise InvalidInput("this attempt has no answer, so nothing can be said of what a look was worth to it")
    looks = looks_of(trace)
    if not looks:
        raise InvalidInput("nothing was looked at in this attempt")
    example = Example(trace.question, trace.media, options=tuple(options))
    given, words = answer_words(policy.protocol, trace, options=options, answer=answer)
    with closing(policy.converse(pictures, None)) as conversation:
        if not can_weigh(conversation):
            raise no_probabilities(policy)
        now: float | None = None
        index, before = -1, 0.0
        for said in replay(policy, example, pictures, trace.views, trace.steps, is_operating=trace.invites_operations):
            if isinstance(said, Recalled):
                index += 1
                if index > looks[-1]:
                    return
                if index in looks:
                    before = exp(conversation.weigh(given, words)) if now is None else now
            conversation.add([said])
            now = None
            if not isinstance(said, Recalled) and index in looks:
                now = exp(conversation.weigh(given, words))
                yield LookWorth(index, before, now)


def looks_of(trace: Trace) -> tuple[int, ...]:
    """The steps (from 0) that brought views."""
    return tuple(k for k, step in enumerate(trace.steps) if step.observation is not None and step.observation.views)


def no_probabilities(policy: Described) -> InvalidInput:
    return InvalidInput(f"{policy.name} does not tell how likely an answer is; a model that runs here does")


def answer_words(
    protocol: WireProtocol, trace: Trace, *, options: Sequence[str] = (), answer: str | None = None
) -> tuple[str, str]:
    """The turn that answers, up to where it first says its answer as whole words, and `answer` (None: its own) with the
    character that follows."""
    own = trace.answer or ""
    turn = protocol.render(trace.steps[-1], trace.views, trace.media)
    said = {own: own if answer is None else answer}
    if (letter := _option(own, options)) is not None and (other := _option(said[own], options)) is not None:
        said[letter] = other
    places = [(found.start(), form) for form in said if (found := _found(form, turn))]
    start, form = min(places) if places else (turn.rindex(own), own)
    end = start + len(form)
    return turn[:start], said[form] + turn[end : end + 1]


def _option(letter: str, options: Sequence[str]) -> str | None:
    """The text of the option that a letter names."""
    place = ord(letter) - ord("A") if len(letter) == 1 else -1
    return options[place] if 0 <= place < len(options) else None


def _found(form: str, turn: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(form)}(?!\w)", turn)
