"""Questions from outside the drawn world: what the embedded reasoner should not be believed about.

    absent        a drawn picture, asked for a sign that is not in it
    elsewhere     a drawn picture, asked something that has nothing to do with the world
    photograph    a photograph of the assets, asked what anybody would ask of a photograph
    sign          a photograph, asked for a sign that is not in it

Invariants: pure in (count, seed); seeds of different parity share neither questions nor photographs, so that a line that is
chosen on one can be reported on the other. No example has a gold answer: whatever is said is not to be believed.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from typing import Literal, get_args

from engine.evaluation.examples import Unposed
from engine.lab.world import fonts, signs
from engine.lab.world.questions import question_about
from engine.lab.world.scenes import Scene, draw_scene, seed_for
from engine.trace import Example

__all__ = ["KINDS", "OutsideKind", "draw_outside"]

OutsideKind = Literal["absent", "elsewhere", "photograph", "sign"]
KINDS: tuple[OutsideKind, ...] = get_args(OutsideKind)

_SEED_STRIDE = 100_000
_PAST_BENCHMARKS = 95_000
"""Benchmarks draw at most 90,000 scenes of a seed."""
_QUESTIONS = (
    "Describe this picture.",
    "What do you see?",
    "What animal is this?",
    "Is there an animal in the picture?",
    "How many people are there?",
    "Who is this person?",
    "What is the weather like?",
    "What season is it?",
    "Was this taken indoors or outdoors?",
    "Where was this taken?",
    "What is the capital of France?",
    "What is two plus two?",
    "Who painted this?",
    "What is this building called?",
    "What is the person doing?",
    "What is happening here?",
    "What is written here?",
    "Read all the text.",
    "What colour is the car?",
    "What colour is the sky?",
    "Is this a photograph or a drawing?",
    "What is in the background?",
    "What brand is shown?",
    "What time is it on the clock?",
)


def draw_outside(count: int, seed: int) -> Iterator[tuple[OutsideKind, Unposed]]:
    """`count` examples of each kind."""
    rng = random.Random(f"outside {seed}")
    questions = _QUESTIONS[seed % 2 :: 2]
    photographs = sorted(row["file"] for row in fonts.catalogue()["photographs"])[seed % 2 :: 2]
    for kind in KINDS:
        for index in range(count):
            name = f"outside-{kind}-{seed}-{index:05}"
            photograph = fonts.ASSETS / "photographs" / rng.choice(photographs)
            scene_number = seed * _SEED_STRIDE + _PAST_BENCHMARKS + index
            if kind == "photograph":
                yield kind, Unposed(name, Example(rng.choice(questions), ()), (photograph,))
            elif kind == "sign":
                yield kind, Unposed(name, Example(_absent(rng, None), ()), (photograph,))
            else:
                scene = draw_scene(seed_for("test", scene_number), "test")
                question = _absent(rng, scene) if kind == "absent" else rng.choice(questions)
                content = io.BytesIO()
                scene.picture.save(content, "PNG", compress_level=1)
                yield kind, Unposed(name, Example(question, ()), (content.getvalue(),))


def _absent(rng: random.Random, scene: Scene | None) -> str:
    """A question about a sign that the scene does not have."""
    there = {(sign.color, sign.shape) for sign in scene.signs} if scene else set()
    color, shape = rng.choice([(c, s) for c in signs.COLORS for s in signs.SHAPES if (c, s) not in there])
    return question_about(color, shape, rng)
