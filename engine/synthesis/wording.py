"""What is thought in a trajectory: sentences from templates, or from any policy as the teacher.

The template of a trajectory fixes its stages (paper, section 4.1: the whole, the operation on the cue, the local view,
the answer); a `Wording` is asked for one thought at each:

    look      the whole was seen, and an operation comes
    again     the last operation showed the wrong place
    closer    the last operation showed the right place, but far too much of it
    answer    the local view was analysed, and the answer comes
    text      the answer comes from the first views alone

Invariants: a thought never holds a call or a box; a teacher is shown no more than the thought may know (the first views,
and what operations have shown so far), is told what is to come, and an empty word of its own is replaced by a template.
Different from the paper, whose teacher (GPT-4o) writes whole turns: ours writes thoughts only, so that no operation and no
answer can differ from the evidence.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.media import Pictures
from engine.policies.base import Policy, Told, never
from engine.protocols import Part, PicturePart, TextPart, picture_role
from engine.protocols.calls import thought_so_far
from engine.trace import Example, Operation, View, ZoomIn, first_views

__all__ = ["Situation", "Stage", "Wording", "taught_by", "templates"]

Stage = Literal["look", "again", "closer", "answer", "text"]

_MAX_THOUGHT_TOKENS = 160


@dataclass(frozen=True, slots=True)
class Situation:
    """Where in a trajectory a thought is needed: `views` were seen so far, `operation` or `answer` comes next."""

    stage: Stage
    example: Example
    pictures: Pictures
    views: tuple[View, ...]
    operation: Operation | None
    answer: str | None


Wording = Callable[[Situation, random.Random], str]
"""wording(situation, rng) -> the thought."""

_ZOOM = {
    "look": (
        "It is too small to read. I will zoom in.",
        "It is too small to see in the whole picture. I will zoom in.",
        "The answer is in a small part of the picture. I will zoom in.",
    ),
    "again": (
        "That is not it. I will look again.",
        "It is not there. I will look at another place.",
        "This part does not show it. I will look somewhere else.",
    ),
    "closer": (
        "It is still too small to read. I will zoom in.",
        "This part shows it, but too small. I will zoom in further.",
    ),
    "answer": ("Here it is.", "This part shows it.", "Now it is large enough."),
    "text": ("It is large enough.", "The picture shows it.", "I see it."),
}
_FRAMES = {
    "look": (
        "It is too small to read. I will select the frame.",
        "It shows in a few frames. I will look at them more closely.",
    ),
    "again": ("That is not it. I will look again.", "These frames do not show it. I will look at others."),
    "answer": ("Here it is.", "These frames show it."),
    "text": ("It is large enough.", "The frames show it.", "I see it."),
}


def templates(situation: Situation, rng: random.Random) -> str:
    """A sentence or two of ours. The first of each stage are words that the embedded reasoner's tokenizer has whole."""
    is_clip = situation.example.media[0].kind == "video"
    return rng.choice((_FRAMES if is_clip else _ZOOM)[situation.stage])


# --- a policy as the teacher -----------------------------------------------------------------------------------------


def taught_by(policy: Policy, fallback: Wording = templates) -> Wording:
    """Thoughts in the words of `policy`, which is asked afresh at every situation; `fallback` where it says nothing."""

    def wording(situation: Situation, rng: random.Random) -> str:
        conversation = policy.converse(situation.pictures, rng.getrandbits(32))
        try:
            system = policy.protocol.system(situation.views, False)
            conversation.add([Told((*_seen(situation), TextPart(_instruction(situation))), system)])
            (turn,) = policy.speak([conversation], [_MAX_THOUGHT_TOKENS], never)
        finally:
            conversation.close()
        thought = " ".join(thought_so_far(turn.text).split())
        return thought or fallback(situation, rng)

    return wording


def _seen(situation: Situation) -> Sequence[Part]:
    openings = len(first_views(situation.example.media))
    return [PicturePart(view, picture_role(view, is_opening=view.number <= openings)) for view in situation.views]


def _instruction(situation: Situation) -> str:
    question = f'Somebody is asked about these pictures: "{situation.example.question}" '
    if isinstance(situation.operation, ZoomIn):
        box = ", ".join(f"{edge:.2f}" for edge in situation.operation.box.as_list())
        plan = f"They will now zoom in on the region [{box}] (shares of the picture {situation.operation.view})."
    elif situation.operation is not None:
        plan = f"They will now look at the frames {', '.join(map(str, situation.operation.frames))} more closely."
    else:
        plan = f"They will now answer: {situation.answer}."
    reason = {
        "look": "What they need is too small in the first view.",
        "again": "The last picture shows the wrong place.",
        "closer": "The last picture shows the right place, but too much of it.",
        "answer": "The last picture shows what they need.",
        "text": "The pictures show what they need.",
    }[situation.stage]
    return (
        f"{question}{reason} {plan} Write what they think just before, in one or two sentences in the first person, "
        "about what can be seen. Write the thought alone."
    )
