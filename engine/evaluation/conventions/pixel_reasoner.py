r"""The released Pixel-Reasoner (a3a6c3a): one rule for every benchmark, its RL reward (experience_maker.py, `rule_reward`).

    all in lower case; without \dfrac, \text, "minutes" and "cm"; equal by math-verify to any gold answer
    a gold answer with "%" is right without it, too
    a gold answer with commas is right where all its parts occur somewhere in the answer

What that does: letters are compared whole ("B. green" is wrong for B: the code's `startswith` waits for capital letters, which
lower case has taken away); an order of words does not matter to math-verify, which reads "new york" as a product of letters; and
the parts overestimate, as the code's own comment says. What differs: the code gives math-verify five seconds, by a signal that
only a main thread receives; here what could take longer (powers, factorials, sums) is wrong unless it is the gold answer word
for word.
"""

from __future__ import annotations

import logging
import re

from engine.evaluation.conventions.convention import KINDS, Convention, Project
from engine.evaluation.scoring import Score
from engine.protocols.calls import question_text
from engine.trace import Example

__all__ = ["PIXEL_REASONER", "released_score"]

_ENDLESS = re.compile(r"[\^!]|\*\*|\\(?:sum|prod|int|lim|binom)")
_LONGEST = 500


def released_score(answer: str, golds: tuple[str, ...]) -> float:
    """1.0 or 0.0, by the rule above."""
    said, wanted = answer.lower(), [gold.lower() for gold in golds]
    if percent := next((gold for gold in wanted if "%" in gold), None):
        wanted.insert(0, percent.replace("%", ""))
    for gold in wanted:
        parts = [part.strip() for part in gold.split(",")]
        if _is_equal(_normalised(said), _normalised(gold)) or (len(parts) > 1 and all(part in said for part in parts)):
            return 1.0
    return 0.0


def _normalised(text: str) -> str:
    text = text.replace("dfrac", "frac").replace("\\text", "").replace("\\varnothing", "\\emptyset")
    return text.replace("minutes", "").replace("cm", "")


def _is_equal(said: str, gold: str) -> bool:
    if said == gold != "":
        return True
    if len(said) > _LONGEST or _ENDLESS.search(said):
        return False
    # Imported here: it takes most of a second, and only who asks for this rule needs it.
    from math_verify import parse, verify

    # It says at every call that nobody keeps its time.
    logging.getLogger("math_verify").setLevel(logging.ERROR)
    read = [parse(f"\\boxed{{{text}}}", parsing_timeout=None, raise_on_error=False) for text in (said, gold)]
    return all(read) and bool(verify(*read, timeout_seconds=None))


def _score(answer: str, example: Example) -> Score:
    return released_score(answer, example.right_answers)


_RELEASED = Convention(
    "pixel-reasoner reward",
    question_text,
    _score,
    (
        "data of its own there (JasperHaozhe/...-EvalData-PixelReasoner): of TallyQA 3,200 rows, of clips 16 frames that "
        "were extracted beforehand",
    ),
)
PIXEL_REASONER = Project(
    "pixel-reasoner",
    "a3a6c3a",
    dict.fromkeys(KINDS, _RELEASED),
    {"image": (401_408, 4_014_080), "crop": (256 * 28 * 28, 5_120 * 28 * 28)},
)
