r"""Answers as models write them, each with its question's gold answer and rule: the rows of docs/scoring.md.

`said` is the text inside `\boxed{}`, which is what a score sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.trace import Rule

__all__ = ["MORE_ANSWERS", "ODD_ANSWERS", "OddAnswer"]


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

_LONG = "It stands left of the tree, near the house, so of all the colours that are named it must be"

MORE_ANSWERS = (
    *(
        OddAnswer("letter", said, "B", _COLOURS)
        for said in (
            "b",
            "B)",
            "B.green",
            "B.\ngreen",
            "(B",
            "[B]",
            "Answer: (B)",
            "ANSWER B",
            "The best option is B: green",
            "Option B is right and not A",
            "I choose B, because the cat is green",
            "B because of the red hat on it",
            "It is the green one",
            "green or red",
            "Greenish",
            "neither A nor C but B",
            "Z",
            "Cannot determine the answer",
            "I'm sorry, but without the image provided I cannot tell; B",
            f"{_LONG} green",
            f"{_LONG} B",
            "B: 1,000 of them",
            "a",
            "'B'",
            '"b"',
            "b-side",
            "The cab is green",
            "D, no, B",
            "b.",
            "  B  ",
            "B\tgreen",
            "x=B",
            r"\boxed{B}",
        )
    ),
    *(
        OddAnswer("number", said, gold)
        for said, gold in (
            ("seven", "7"),
            ("Seven of them", "7"),
            ("21", "21"),
            ("20", "20"),
            ("twenty", "20"),
            ("07", "7"),
            ("7.5", "7"),
            ("about 7 or 8", "7"),
            ("6+1", "7"),
            ("14/2", "7"),
            ("7 minutes", "7"),
            ("someone", "1"),
            ("", "0"),
            (r"\frac{14}{2}", "7"),
        )
    ),
    *(
        OddAnswer("anls", said, gold)
        for said, gold in (
            ("york new", "new york"),
            ("12", "12%"),
            ("12 %", "12%"),
            ("0.12", "12%"),
            ("troubles and the siege of krishnapur", "troubles, the siege of krishnapur"),
            ("the siege of krishnapur, troubles", "troubles, the siege of krishnapur"),
            ("Helo", "Hello"),
            ("  Hello ", "Hello"),
            ("", "Hello"),
            ("10 cm", "10"),
            ("1,200", "1200"),
            ("pinterest.com", "Pinterest.com"),
            (r"\text{Hello}", "Hello"),
            ("2016-2017", "2016-2017"),
            ("2017", "2016+1"),
        )
    ),
)
"""For the conventions of other projects alone."""
