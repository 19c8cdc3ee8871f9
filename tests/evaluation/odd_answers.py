r"""Answers as models write them, each with its question's gold answer and rule: the rows of docs/scoring.md.

`said` is the text inside `\boxed{}`, which is what a score sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.trace import Rule

__all__ = ["ODD_ANSWERS", "OddAnswer"]


@dataclass(frozen=True, slots=True)
class OddAnswer:
    rule: Rule
    said: str
    gold: str
    options: tuple[str, ...] = ()


_COLOURS = ("red", "green", "blue", "white")
_YES_NO = ("Yes", "No")

ODD_ANSWERS = (
    *(
        OddAnswer("letter", said, "B", _COLOURS)
        for said in (
            "B",
            "(b)",
            r"\text{B}",
            r"\mathrm{B}",
            "**B**",
            "B. green",
            "green",
            r"\text{green}",
            "The answer is **B**.",
            "The answer is: B",
            "the answer is b",
            "A dog, so B",
            "(A) or (B)",
            "A and B",
            "Blue",
            "",
        )
    ),
    OddAnswer("letter", "Yes, it is", "A", _YES_NO),
    OddAnswer("letter", "No doubt", "B", _YES_NO),
    *(
        OddAnswer(rule, said, gold)
        for rule in ("number", "only-number")
        for said, gold in (
            ("3", "3"),
            ("3.0", "3"),
            ("1,024", "1024"),
            ("1{,}024", "1024"),
            ("twenty-one", "21"),
            ("ninety nine", "99"),
            ("none", "0"),
            ("There are no dogs.", "0"),
            ("Of the 5 people, 3 wear hats", "3"),
            ("8, no, 7", "7"),
            ("KX7", "7"),
        )
    ),
    OddAnswer("anls", "New  York", "New York"),
    OddAnswer("anls", "new york", "New York"),
    OddAnswer("anls", r"12\%", "12%"),
    OddAnswer("anls", "Hello world", "Hello"),
    OddAnswer("text", r"\text{red}", "red"),
    OddAnswer("text", r"12\%", "12%"),
    OddAnswer("text", "**red**", "red"),
    OddAnswer("text", "It is red", "red"),
)
