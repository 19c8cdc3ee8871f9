"""lmms-eval 0.7.3: tasks vstar_bench, hrbench, mvbench and infovqa. It has no TallyQA and no free text.

vstar_bench   the first letter from A to D that one of six patterns finds, in this order
hrbench       VLMEvalKit's reading, and a language model where that reads nothing
mvbench       the first letter from A to E that stands alone, punctuation aside; an empty answer leaves the denominator
infovqa       ANLS whose length counts white space that its distance does not
"""

from __future__ import annotations

import re

from engine.evaluation.conventions.convention import Convention, Project, lettered, right_letters
from engine.evaluation.conventions.vlmevalkit import document_score, read_option
from engine.evaluation.scoring import Score
from engine.trace import Example

__all__ = ["LMMS_EVAL", "clip_letter", "first_letter"]

_FIRST_LETTER = (
    r"^([A-D])",
    r"(?:ANSWER|CHOICE|OPTION)(?:\s+IS)?[\s:]+([A-D])",
    r"\(([A-D])\)",
    r"([A-D])\s*[.)\]]",
    r"(?:^|\s)([A-D])(?:\s|$)",
)
_MARKS = ';/[]"{}()=+\\_-><@`,?!'


def first_letter(answer: str) -> str | None:
    """The letter from A to D of an answer: at its beginning, after "answer", "choice" or "option", in brackets, before a full
    stop or bracket, alone between spaces; else the only one in it. A word that begins with A to D is that letter."""
    said = answer.strip().upper()
    for pattern in _FIRST_LETTER:
        if found := re.search(pattern, said):
            return found[1]
    letters = re.findall("[A-D]", said)
    return letters[0] if len(letters) == 1 else None


def clip_letter(answer: str) -> str:
    """The letter from A to E of an answer about a clip: before a full stop at its beginning, else the first that stands alone
    once punctuation is taken away; the words themselves, in lower case, where none does."""
    if opening := re.fullmatch(r"([A-E])\.\s*.+", answer.strip(), re.IGNORECASE):
        return opening[1].upper()
    plain = re.sub(r"[\n\t]", " ", answer).strip()
    has_thousands = re.search(r"\d,\d", plain) is not None
    said = plain
    for mark in _MARKS:
        is_dropped = has_thousands or f"{mark} " in plain or f" {mark}" in plain
        said = said.replace(mark, "" if is_dropped else " ")
    said = re.sub(r"\.(?!\d)", "", said).strip("'").strip('"').strip().lower()
    found = re.search(r"\b([a-e])\b", said)
    return found[1].upper() if found else said


def _letter_score(answer: str, example: Example) -> Score:
    return float(first_letter(answer) in right_letters(example))


def _clip_score(answer: str, example: Example) -> Score:
    return float(clip_letter(answer) in right_letters(example)) if answer else None


def _option_score(answer: str, example: Example) -> Score:
    return float(read_option(answer, example.options, is_lenient=True) in right_letters(example))


_SHORT = "at most 16 generated tokens there, greedy; with a reasoning prompt 49,152"
LMMS_EVAL = Project(
    "lmms-eval",
    "0.7.3",
    {
        "choice": Convention(
            "lmms-eval first letter",
            lambda question, options: (
                f"{question}\n{lettered(options, '{}. {}')}\nAnswer with the option's letter from the given choices directly."
            ),
            _letter_score,
            (_SHORT, "data lmms-lab-encoder/vstar-bench there"),
        ),
        "choice of HR-Bench": Convention(
            "lmms-eval option",
            lambda question, options: f"{question}\n{lettered(options, '{}. {}')}\nAnswer the option letter directly.",
            _option_score,
            (_SHORT, "a language model reads there what the rule cannot"),
        ),
        "choice of a clip": Convention(
            "lmms-eval letter, empty left out",
            lambda question, options: (
                f"Question:{question}\nOption:\n{lettered(options, '({}) {}')}\nOnly give the best option."
            ),
            _clip_score,
            (_SHORT, "the model's own number of frames there"),
        ),
        "document": Convention(
            "lmms-eval anls",
            lambda question, options: f"{question}\nAnswer the question using a single word or phrase.",
            lambda answer, example: document_score(answer, example.right_answers),
            ("at most 32 generated tokens there, greedy",),
        ),
    },
)
