r"""What an answer says: the option that it names, the number that it gives, its plain text.

The idea: models write "The answer is **B**.", `\text{red}` and "Of the 5 people, 3 wear hats"; benchmarks want B, red and
a number. Reading turns the first into the second or into None, which scores as wrong: a reading that guesses would reward
guesses. `docs/scoring.md` shows each rule on the same strings beside what other evaluators read there.

Pure: strings in, strings and numbers out. Not covered: scores (`engine.evaluation.scoring`), and the box of a turn, which
the protocols cut out (`engine.protocols.calls`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

__all__ = ["normalised", "read_letter", "read_number", "read_only_number", "unmarked"]

# --- plain text -----------------------------------------------------------------------------------------------------

_COMMANDS = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|mathsf|mathtt|operatorname|mbox|boxed)\s*\{([^{}]*)\}"
)
_ESCAPED = re.compile(r"\\([%$&#_{}])")
_SPACES = re.compile(r"\\[,;:! ]")
_MATH = re.compile(r"\\\((.*?)\\\)|\\\[(.*?)\\\]|\$\$(.*?)\$\$|\$\s*([^\s$]+)\s*\$(?!\d)", re.DOTALL)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{2,3})(?=\S)(.+?)(?<=\S)\1(?![\w*])", re.DOTALL)


def unmarked(text: str) -> str:
    r"""The text without the marks of LaTeX and Markdown around its words: `\text{red}` is red, `12\%` is 12%, `1{,}024` is
    1,024, `$B$` and `**B**` are B. Applying it twice changes nothing."""
    while True:
        plain = text.replace("{,}", ",")
        plain = _COMMANDS.sub(r"\1", plain)
        plain = _ESCAPED.sub(r"\1", plain)
        plain = _SPACES.sub(" ", plain)
        plain = _MATH.sub(lambda found: next(group for group in found.groups() if group is not None), plain)
        plain = _EMPHASIS.sub(r"\2", plain)
        if plain == text:
            return text
        text = plain


def normalised(text: str) -> str:
    """Unmarked, case folded, inner white space single, and white space, quotes and punctuation around it dropped:
    `normalised(' "Kx7421". ') == "kx7421"`. What belongs to a value stays (%, #, &, @ and the sign of a number), and so
    does a text of punctuation alone, or it would equal every other."""
    while True:
        folded = " ".join(unmarked(unicodedata.normalize("NFKC", text).casefold()).split())
        start, end = 0, len(folded)
        while start < end and _is_wrapping(folded[start]) and not re.match(r"[-.]\d", folded[start:]):
            start += 1
        while end > start and _is_wrapping(folded[end - 1]):
            end -= 1
        # What a quotation mark hid from `unmarked` is laid bare by dropping it.
        if (bare := folded[start:end] or folded) == text:
            return bare
        text = bare


def _is_wrapping(character: str) -> bool:
    is_punctuation = unicodedata.category(character)[0] == "P" and character not in "%#&@"
    return is_punctuation or character.isspace() or character in "`´"


# --- letters --------------------------------------------------------------------------------------------------------

_ANNOUNCED = re.compile(
    r"\b(?:answer|choice|option)\s+(?:is|would be|must be)\b\s*:?\s*(?:option\s+)?|\banswer\s*:\s*|\boption\s+(?=\(?[A-Z]\b)",
    re.IGNORECASE,
)
_SET_OFF = re.compile(r"\(([A-Za-z])\)|([A-Za-z])[).:,](?=\s|$)")
_ALONE = re.compile(r"(?<![\w'’])(?![aAiI]\s+(?!and\b|or\b|because\b|since\b)[a-z])([A-Za-z])(?![\w'’])")
_BRACKETED = re.compile(r"\(([A-Z])\)")


def read_letter(text: str, options: Sequence[str] = (), count: int | None = None) -> str | None:
    """The option that a text names, as a capital letter among the first `count` (the number of options by default).

    In this order: the letter alone ("b", "(B)", "B."); the text of exactly one option, alone or as the clause that opens
    ("Yes, it is"); what follows "answer is", "answer:" or "option", read in the same way; a letter set off at the beginning
    ("B) the cat") or in brackets ("I choose (B)"). Several letters that differ are None ("(A) or (B)", "A and B"), and so
    is everything else.
    """
    allowed = [chr(ord("A") + k) for k in range(min(count if count is not None else len(options), 26))]
    plain = unmarked(text)
    if (letter := _letter_alone(plain, options, allowed)) is not None:
        return letter
    named = {letter for letter in _letters_named(plain, options, allowed) if letter is not None}
    return named.pop() if len(named) == 1 else None


def _letter_alone(text: str, options: Sequence[str], allowed: Sequence[str]) -> str | None:
    """The letter where the whole text, or the clause that opens it, is a letter or the text of one option."""
    whole = normalised(text)
    if whole.upper() in allowed:
        return whole.upper()
    said = [normalised(option) for option in options[: len(allowed)]]
    for clause in (whole, normalised(re.split(r"[,.;:!\n]\s", text.strip(), maxsplit=1)[0])):
        matching = [letter for letter, option in zip(allowed, said, strict=False) if option == clause != ""]
        if len(matching) == 1:
            return matching[0]
    return None


def _letters_named(text: str, options: Sequence[str], allowed: Sequence[str]) -> Iterator[str | None]:
    """Every allowed letter that the text sets off: announced, in brackets, or at its beginning."""
    for found in _ANNOUNCED.finditer(text):
        clause = re.split(r"[.;\n](?:\s|$)", text[found.end() :], maxsplit=1)[0]
        yield from _letters_announced(clause, options, allowed)
    for bracketed in _BRACKETED.finditer(text):
        yield bracketed[1] if bracketed[1] in allowed else None
    if set_off := _SET_OFF.match(text.lstrip()):
        letter = (set_off[1] or set_off[2]).upper()
        yield letter if letter in allowed else None


def _letters_announced(clause: str, options: Sequence[str], allowed: Sequence[str]) -> Iterator[str]:
    """The letters of "B because ..." and of "A and B", where the clause begins with one; "a dog" and "I think" begin with a
    word."""
    if (letter := _letter_alone(clause, options, allowed)) is not None:
        yield letter
    elif _ALONE.match(clause.lstrip("\"'“‘([")):
        found = (one[1].upper() for one in _ALONE.finditer(clause) if one[1].isupper() or one.start() < 2)
        yield from (letter for letter in found if letter in allowed)


# --- numbers --------------------------------------------------------------------------------------------------------

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORDS = {word: value for value, word in enumerate(_UNITS)} | {word: 20 + 10 * k for k, word in enumerate(_TENS)}
_NONE = r"none|no\s+one|nobody|no(?=\s+(?!more\b|less\b|fewer\b)[a-z])"
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<digits>\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+|\d+)(?:\.0+)?(?![\w]|[.,]\d)"
    rf"|(?<![\w-])(?:(?P<tens>{'|'.join(_TENS)})[-\s](?P<unit>{'|'.join(_UNITS[1:10])})"
    rf"|(?P<none>{_NONE})|(?P<word>{'|'.join((*_UNITS, *_TENS))}))\b(?!-)",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:out\s+)?of\s+(?:(?:all|the|these|those)\s+)*$", re.IGNORECASE)


def read_number(text: str) -> int | None:
    r"""The first whole number of a text (TallyQA's rule, as the paper's: "Of the 5 people, 3 wear hats" is 5).

    In digits ("1,024", `1{,}024` and "3.0" are whole), as a word from zero to ninety-nine, and 0 for "none" and "no dogs".
    A decimal such as 2.5 is none, nor are the digits of KX7421.
    """
    return next((value for value, _ in _numbers(text)), None)


def read_only_number(text: str) -> int | None:
    """The one whole number of a text, ours: what a part is taken "of" is left out ("Of the 5 people, 3 wear hats" and "3
    of 5" are 3), and where others that differ are left ("8, no, 7") the text says none. Written as in `read_number`."""
    values = {value for value, is_whole in _numbers(text) if not is_whole}
    return values.pop() if len(values) == 1 else None


def _numbers(text: str) -> Iterator[tuple[int, bool]]:
    """Every whole number of a text in order, and whether it is what a part is taken "of"."""
    plain = unmarked(text)
    for found in _NUMBER.finditer(plain):
        yield _value(found), _WHOLE.search(plain[: found.start()]) is not None


def _value(found: re.Match[str]) -> int:
    if digits := found["digits"]:
        return int(re.sub(r"\D", "", digits))
    if found["none"]:
        return 0
    if tens := found["tens"]:
        return _WORDS[tens.lower()] + _WORDS[found["unit"].lower()]
    return _WORDS[found["word"].lower()]
