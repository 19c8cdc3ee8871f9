"""Accepted traces as training conversations: the same tokens, positions and pictures as in inference, and a mask.

The idea: `engine.reasoning.replay` says a trace as the loop says it, and it is said to the very conversation that answers
(`LocalConversation` on a `Session`), so the sequence cannot differ from what the model will see; only where a turn begins
and ends is noted on the way.

    ids        [n]     every token: opening, the model's turns, what came back
    labels     [n]     the token itself where it carries loss, IGNORED elsewhere
    positions  [3, n]  temporal, height, width rotary positions
    pixels     [p, d]  patches of all pictures and clips in order; grids [k, 3] their (temporal patches, rows, columns)

What carries loss: the model's own words and the end of its turn, in steps that `carries_loss` lets through. Never the
system message, a question, an observation, a turn marked erroneous, a turn whose operation failed (paper, section 4.1:
"the turns that hold an erroneous operation"), or a turn that was cut off.

Invariant: nothing is truncated; a trace that is too long is refused by name. Not covered: which traces can be learned from
(`engine.training.fitting`), rollouts with their sampled
tokens (RL), traces that were asked for without operations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from engine.backbone.loading import Backbone
from engine.backbone.session import IMAGE_PAD, Session
from engine.errors import InvalidInput
from engine.lessons import carries_loss, is_finished
from engine.media import Pictures
from engine.policies.base import Recalled
from engine.policies.local import LocalConversation, LocalPolicy
from engine.reasoning import replay
from engine.trace import Example, Media, Trace

__all__ = [
    "IGNORED",
    "MEMORY_BYTES",
    "Collator",
    "Encoded",
    "PictureLoader",
    "TrainingExample",
    "encode",
    "recall",
]

IGNORED = -100
"""The label of a token without loss (PyTorch's and transformers' convention)."""

MEMORY_BYTES = 512 * 2**20
"""About 300 traces of the embedded reasoner."""

PictureLoader = Callable[[Sequence[Media]], Pictures]
"""Loads the media of one trace; `MediaFolder.pictures` is one."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A trace to learn from, and the example that it is an attempt at; `name` (a revision's id) names it in messages. Steps
    before `first_step` (from 0) carry no loss; where `is_rejected`, every later turn does, erroneous and failed ones too:
    they are what is to be said less."""

    trace: Trace
    example: Example
    name: str = ""
    first_step: int = 0
    is_rejected: bool = False

    def carries_loss(self, number: int) -> bool:
        """Whether the model's turn of step `number` (from 0) carries loss."""
        step = self.trace.steps[number]
        return number >= self.first_step and (is_finished(step) if self.is_rejected else carries_loss(step))


@dataclass(frozen=True, slots=True)
class Encoded:
    """One conversation as tensors on the CPU; shapes in the module docstring."""

    ids: torch.Tensor
    labels: torch.Tensor
    positions: torch.Tensor
    pixels: torch.Tensor
    grids: torch.Tensor

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in (self.ids, self.labels, self.positions, self.pixels, self.grids))


def recall(conversation: LocalConversation, example: TrainingExample) -> tuple[tuple[int, int], ...]:
    """Say the whole trace in a fresh `conversation` and return the spans (start, end) of tokens that carry loss.

    Raises InvalidInput where the protocol cannot write a step, NotFound where a picture is missing.
    """
    trace, session = example.trace, conversation.session
    policy, pictures = LocalPolicy(session.backbone), conversation.pictures
    spans, number = [], 0
    for said in replay(
        policy, example.example, pictures, trace.views, trace.steps, is_operating=trace.invites_operations
    ):
        start = session.ids.shape[1]
        conversation.add([said])
        if isinstance(said, Recalled):
            if is_finished(said.step):
                session.end_turn()
            if example.carries_loss(number):
                spans.append((start, session.ids.shape[1]))
            number += 1
    return tuple(spans)


def encode(example: TrainingExample, backbone: Backbone, pictures: Pictures) -> Encoded:
    """The conversation of `example` in the wire format and at the pixel budgets of `backbone`. Touches no weights, so
    the lease is not needed."""
    session = Session(backbone)
    spans = recall(LocalConversation(session, pictures), example)
    ids = session.network_ids[0]
    labels = torch.full_like(ids, IGNORED)
    for start, end in spans:
        labels[start:end] = ids[start:end]
    positions, _ = session.positions()
    return Encoded(ids, labels, positions[:, 0], torch.cat(session.pixels), torch.cat(session.grids))


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows `{"example": index}` -> one right-padded batch of model inputs; encodes when a batch is needed. What was encoded
    first is kept for the next passes, up to `most_bytes`, so that memory never holds a large data set's pictures. An index
    beyond the examples is that of a variant: `variant(example, pictures, k)` of example i is number i + k * len(examples), and
    the example itself where that is too long.

    Raises InvalidInput for a conversation of more than `max_tokens` tokens.
    """

    examples: Sequence[TrainingExample]
    backbone: Backbone
    load_pictures: PictureLoader
    max_tokens: int
    most_bytes: int = MEMORY_BYTES
    variant: Callable[[TrainingExample, Pictures, int], TrainingExample] = lambda example, pictures, k: example
    _kept: dict[int, Encoded] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        encoded = [self._remembered(row["example"]) for row in rows]
        image_pad = self.backbone.tokenizer.convert_tokens_to_ids(IMAGE_PAD)
        ids = _padded([one.ids for one in encoded], self._padding_id())
        return {
            "input_ids": ids,
            "attention_mask": _padded([torch.ones_like(one.ids) for one in encoded], 0),
            "labels": _padded([one.labels for one in encoded], IGNORED),
            # [3, batch, n]: given, so that the model neither derives them nor keeps state about them.
            "position_ids": torch.stack([_padded([one.positions[k] for one in encoded], 0) for k in range(3)]),
            "mm_token_type_ids": (ids == image_pad).int(),
            "pixel_values": torch.cat([one.pixels for one in encoded]).to(self.backbone.model.dtype),
            "image_grid_thw": torch.cat([one.grids for one in encoded]),
        }

    def _remembered(self, index: int) -> Encoded:
        if index not in self._kept:
            encoded = self._encoded(self.examples[index % len(self.examples)], index // len(self.examples))
            if sum(one.nbytes for one in self._kept.values()) + encoded.nbytes > self.most_bytes:
                return encoded
            self._kept[index] = encoded
        return self._kept[index]

    def _encoded(self, example: TrainingExample, k: int) -> Encoded:
        pictures = self.load_pictures(example.trace.media)
        if k:
            varied = encode(self.variant(example, pictures, k), self.backbone, pictures)
            if len(varied.ids) <= self.max_tokens:
                return varied
        encoded = encode(example, self.backbone, pictures)
        if len(encoded.ids) > self.max_tokens:
            raise InvalidInput(
                f"the trace {example.name or example.trace.question!r} has {len(encoded.ids)} tokens and the limit is "
                f"{self.max_tokens}: raise max_tokens, or leave the trace out"
            )
        return encoded

    def _padding_id(self) -> int:
        tokenizer = self.backbone.tokenizer
        return tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id


def _padded(rows: Sequence[torch.Tensor], value: int) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True, padding_value=value)
