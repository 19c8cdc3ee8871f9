"""What an answer says, by hand: odd ways of writing a letter, a number or a word, as people's models write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.reading import normalised, read_letter, read_number, read_only_number, unmarked
from tests.evaluation.odd_answers import ODD_ANSWERS
from tests.peers.scoring import DOCUMENT, ours

ANIMALS = ("a cat", "A dog", "both of them", "B")
FOUR = ("red", "green", "blue", "white")
YES_NO = ("Yes", "No")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\text{red}", "red"),
        (r"\mathrm{B}", "B"),
        (r"\text{\textbf{red} disc}", "red disc"),
        (r"12\%", "12%"),
        (r"\$5", "$5"),
        ("$B$", "B"),
        (r"\(B\)", "B"),
        (r"$\text{B}$", "B"),
        ("**B**", "B"),
        ("__B__ and *C*", "B and C"),
        ("1{,}024", "1,024"),
        (r"1\,024", "1 024"),
        ("$5 and $6", "$5 and $6"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name", "snake_case_name"),
        ("{x}", "{x}"),
    ],
)
def test_unmarked(text, expected):
    assert unmarked(text) == expected


@given(st.text(alphabet="ab $*_{}\\text(),%12\"'."))
def test_taking_marks_off_twice_changes_nothing(text):
    assert unmarked(unmarked(text)) == unmarked(text)
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KX7421", "kx7421"),
        ("  kx7421\n", "kx7421"),
        ('"KX7421".', "kx7421"),
        ("«KX7421»", "kx7421"),
        ("“KX7421”!", "kx7421"),
        ("`KX7421`", "kx7421"),
        ("HOT   DOG", "hot dog"),
        ("don't", "don't"),
        ("(7)", "7"),
        ("-5", "-5"),
        ("- 5", "5"),
        (".5", ".5"),
        ("50%", "50%"),
        (r"\text{12\%}", "12%"),
        ('"**red**"', "red"),
        ("#1", "#1"),
        ("3.5.", "3.5"),
        ("...", "..."),
        ("ＫＸ", "kx"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("", ""),
    ],
)
def test_normalised(text, expected):
    assert normalised(text) == expected


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("C", "C"),
        ("c", "C"),
        ("(C)", "C"),
        ("C.", "C"),
        (" C) both of them", "C"),
        ("C: both of them", "C"),
        ("(c) both of them", "C"),
        ("both of them", "C"),
        ("Both of them.", "C"),
        ("A dog", "B"),  # the option's text, not the letter A
        ("a cat", "A"),
        ("The answer is C.", "C"),
        ("the answer is (C)", "C"),
        ("Answer: C", "C"),
        ("I choose option D", "D"),
        ("I am sure it is (B)", "B"),
        ("B", "B"),  # a letter before the option D, whose text is "B"
        ("The answer is a dog.", "B"),
        ("The answer is A dog", "B"),
        ("(A) or (B)", None),
        ("A bird", None),
        ("The answer is A bird", None),
        ("The answer is a bird", None),
        ("E", None),
        ("The answer is E", None),
        ("", None),
        ("I think so", None),
    ],
)
def test_letters(text, letter):
    assert read_letter(text, ANIMALS) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        (r"\text{B}", "B"),
        (r"\mathrm{B}", "B"),
        (r"\textbf{(B)}", "B"),
        ("The answer is **B**.", "B"),
        ("The answer is: B", "B"),
        ("the answer is b", "B"),
        ("the answer is b, since it is green", "B"),
        ("The correct option is B", "B"),
        ("The answer is B because the disc is green.", "B"),
        ("The answer is A because the disc is red.", "A"),
        ('The answer is "B".', "B"),
        ("**Answer:** B", "B"),
        ("The answer is green.", "B"),
        ("**B**: green", "B"),
        ("$B$", "B"),
        ("green, as the sign says", "B"),
        ("A and B", None),
        ("The answer is A and B.", None),
        ("The answer is A or B.", None),
        ("The answer is (A) or (B).", None),
        ("The answer is A. No, the answer is B.", None),
        ("Is it A?", None),
        ("I cannot tell", None),
        ("The answer is I", None),
    ],
)
def test_letters_as_models_write_them(text, letter):
    assert read_letter(text, FOUR) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Yes, it is", "A"),
        ("No, there is none.", "B"),
        ("no", "B"),
        ("Yes. The disc is red.", "A"),
        (r"\text{Yes}", "A"),
        ("The answer is yes.", "A"),
        ("Not at all", None),
        ("Yes and no", None),
    ],
)
def test_options_yes_and_no(text, letter):
    assert read_letter(text, YES_NO) == letter


@pytest.mark.parametrize(
    ("text", "first", "only"),
    [
        ("7", 7, 7),
        ("seven", 7, 7),
        ("Twenty", 20, 20),
        ("zero", 0, 0),
        ("1,024 people", 1024, 1024),
        ("1{,}024", 1024, 1024),
        ("1\u202f024", 1024, 1024),
        ("3.0", 3, 3),
        (r"\text{seven}", 7, 7),
        ("twenty-one", 21, 21),
        ("Ninety nine", 99, 99),
        ("forty", 40, 40),
        ("about 3.", 3, 3),
        ("none", 0, 0),
        ("There are no dogs.", 0, 0),
        ("No one wears a hat", 0, 0),
        ("No, there are 3", 3, 3),
        ("no more than 3", 3, 3),
        ("2.5 metres, 4 people", 4, 4),
        ("007", 7, 7),
        ("There are 12 people and 3 dogs.", 12, None),
        ("8, no, 7", 8, None),
        ("Of the 5 people, 3 wear hats", 5, 3),
        ("3 of 5", 3, 3),
        ("3 out of the 5 people", 3, 3),
        ("3, three", 3, 3),
        ("KX7421", None, None),
        ("twenty-one-year-old", None, None),
        ("someone", None, None),
        ("No.", None, None),
        ("", None, None),
    ],
)
def test_numbers(text, first, only):
    assert (read_number(text), read_only_number(text)) == (first, only)


def test_the_table_in_docs_says_what_we_read():
    rows = [line.split(" | ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.count(" | ") == 8]
    assert [tuple(row[4:6]) for row in rows[1:]] == [ours(case) for case in ODD_ANSWERS]
