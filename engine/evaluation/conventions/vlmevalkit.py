"""VLMEvalKit (ms-vlmeval 0.0.20): ImageMCQ for V* and HR-Bench, MVBench, TallyQA, InfoVQA_VAL. It has no free text.

    choice      the one option letter among the words, where it is one of the last five; else the one option whose text occurs
                in an answer that is not twice as long as all options
    MVBench     the first word, without full stops, is a piece of "(b)" or holds it: an empty answer counts as right
    TallyQA     the first number from 0 to 20, in digits or as a word
    InfoVQA     ANLS whose length counts white space that its distance does not

What is not followed: a language model reads there what the rule cannot, where the host gives it a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from engine.evaluation.conventions.convention import Convention, Project, lettered, right_letters
from engine.evaluation.scoring import Score, edit_distance
from engine.trace import Example

__all__ = ["VLMEVALKIT", "document_score", "is_first_word", "read_few", "read_option"]

_REFUSALS = (
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
)
_LAST_WORDS = 5
_FEW = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
)
_FIRST_FEW = re.compile(rf"\b(?:[0-9]|1[0-9]|20|{'|'.join(_FEW)})\b")


def read_option(answer: str, options: Sequence[str], *, is_lenient: bool = False) -> str | None:
    """The letter of the option that an answer names, or None. `is_lenient` is lmms-eval's reading of HR-Bench: the letter may
    stand anywhere, and the answer may be of any length."""
    letters = [chr(ord("A") + k) for k in range(len(options))]
    if any(refusal in answer for refusal in _REFUSALS):
        return None
    words = re.sub(r"[.()\[\],:;!*#{}]", " ", answer).split()
    named = [letter for letter in letters if letter in words]
    if len(named) == 1 and (is_lenient or words.index(named[0]) >= len(words) - _LAST_WORDS + 1):
        return named[0]
    if not named and "Z" in words:  # "none of them"
        return None
    if not is_lenient and len(answer) > 2 * sum(map(len, options)):
        return None
    said = answer.lower()
    occurring = [letter for letter, option in zip(letters, options, strict=True) if option.lower() in said]
    return occurring[0] if len(occurring) == 1 else None


def is_first_word(answer: str, gold: str) -> bool:
    """Whether the first word of an answer about a clip is that of the gold letter's option, "(b)"."""
    said, right = answer.lower().strip().split(" ")[0], f"({gold.lower()})"
    return said.replace(".", "") in right or right in said


def read_few(answer: str) -> int | None:
    """The first number from 0 to 20, in digits or as a word: "1,024" is 1, and 21 is none."""
    found = _FIRST_FEW.search(answer.lower())
    if found is None:
        return None
    return int(found[0]) if found[0].isdigit() else _FEW.index(found[0])


def document_score(answer: str, golds: Iterable[str]) -> float:
    """ANLS: the distance is of texts in lower case with single spaces, the length that of the texts as they are."""
    best = 0.0
    for gold in golds:
        longer = max(len(gold), len(answer))
        distance = edit_distance(" ".join(answer.lower().split()), " ".join(gold.lower().split()))
        best = max(best, 1 - distance / longer if longer else 1.0)
    return best if best >= 0.5 else 0.0


def _option_score(answer: str, example: Example) -> Score:
    return float(read_option(answer, example.options) in right_letters(example))


def _clip_score(answer: str, example: Example) -> Score:
    return float(any(is_first_word(answer, gold) for gold in right_letters(example)))


def _count_score(answer: str, example: Example) -> Score:
    said = read_few(answer)
    return float(said is not None and str(said) in example.right_answers)


def _question_and_options(question: str, options: Sequence[str]) -> str:
    instruction = "\nPlease select the correct answer from the options above. \n"
    return f"Question: {question}\nOptions:\n{lettered(options, '{}. {}')}{instruction}"


_CHOICE = Convention(
    "vlmevalkit option",
    _question_and_options,
    _option_score,
    ("data xjtupanda/VStar_Bench there", "with a key, a language model reads there what the rule cannot"),
)
VLMEVALKIT = Project(
    "vlmevalkit",
    "0.0.20",
    {
        "choice": _CHOICE,
        "choice of HR-Bench": _CHOICE,
        "choice of a clip": Convention(
            "vlmevalkit first word",
            lambda question, options: (
                f"Question: {question}\nOptions:\n{lettered(options, '({}) {}')}\nOnly give the best option."
            ),
            _clip_score,
            (
                "8 frames there",
                "a system message of its own, and an answer begun with 'Best option:(' there",
                "with a key, a language model reads there what the rule cannot",
            ),
        ),
        "count": Convention(
            "vlmevalkit count to 20",
            lambda question, options: f"{question}\nAnswer the question using a single number.",
            _count_score,
            ("data moondream/TallyQA-VLMEvalKit there, simple and complex questions together",),
        ),
        "document": Convention(
            "vlmevalkit anls",
            lambda question, options: f"{question}\nAnswer the question using a single word or phrase.",
            lambda answer, example: document_score(answer, example.right_answers),
            ("data InfoVQA_VAL.tsv there",),
        ),
    },
)
