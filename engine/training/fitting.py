"""Which traces can be learned from: by what they say, and by how long they are once they are said.

    objection          why a trace cannot be learned from, by its steps and the wire format; reads no pixels
    without_too_long   the examples whose conversation fits, and those that are too long, by name

Not covered: saying a trace (`engine.training.dataset`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.backbone.loading import Backbone
from engine.errors import PersonError
from engine.lessons import carries_loss
from engine.protocols import WireProtocol
from engine.trace import Trace, first_views, shown_before
from engine.training.dataset import PictureLoader, TrainingExample, encode

__all__ = ["TooLong", "objection", "without_too_long"]


@dataclass(frozen=True, slots=True)
class TooLong:
    """`name` is that of the example (a revision's id), or its question; its conversation has `tokens`."""

    name: str
    tokens: int
    max_tokens: int

    @property
    def sentence(self) -> str:
        return f"the trace {self.name} is left out: it has {self.tokens:,} tokens, and the limit is {self.max_tokens:,}"


def objection(trace: Trace, protocol: WireProtocol) -> str | None:
    """Why this trace cannot be learned from, as a sentence for a person, or None."""
    if not any(carries_loss(step) for step in trace.steps):
        return "it has no step to learn from: each one is erroneous, failed or was cut off"
    if len(trace.views) < len(first_views(trace.media)):
        return "its pictures do not match its media"
    try:
        for step, shown in zip(trace.steps, shown_before(trace.views, trace.steps), strict=True):
            protocol.render(step, trace.views[:shown], trace.media)
    except PersonError as error:
        return str(error)
    return None


def without_too_long(
    examples: Sequence[TrainingExample],
    backbone: Backbone,
    load_pictures: PictureLoader,
    max_tokens: int,
    on_done: Callable[[int], None] = lambda done: None,
) -> tuple[list[int], list[TooLong]]:
    """The positions of the examples whose conversation has at most `max_tokens` tokens, and the others. `on_done` hears how
    many were said. Prepares every picture once; touches no weights."""
    fitting, too_long = [], []
    for position, example in enumerate(examples):
        count = len(encode(example, backbone, load_pictures(example.trace.media)).ids)
        if count <= max_tokens:
            fitting.append(position)
        else:
            too_long.append(TooLong(example.name or repr(example.trace.question), count, max_tokens))
        on_done(position + 1)
    return fitting, too_long
