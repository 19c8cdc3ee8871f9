"""How people ask for the text on a sign.

Invariant: every phrasing names the colour and the shape once, in this order, and nothing else of the scene.
"""

from __future__ import annotations

import random

__all__ = ["PHRASINGS", "question_about"]

PHRASINGS = (
    "What is written on the {color} {shape}?",
    "What is written on the {color} {shape}?",
    "Read the text on the {color} {shape}.",
    "What does the {color} {shape} say?",
    "What is the text on the {color} {shape}?",
    "What text is on the {color} {shape}?",
    "What does it say on the {color} {shape}?",
    "Which text is written on the {color} {shape}?",
    "Read the {color} {shape}.",
    "What can you read on the {color} {shape}?",
    "Please read what is written on the {color} {shape}.",
    "What word or number is on the {color} {shape}?",
    "What is on the {color} {shape}?",
    "Tell me what the {color} {shape} says.",
)


def question_about(color: str, shape: str, rng: random.Random) -> str:
    return rng.choice(PHRASINGS).format(color=color, shape=shape)
