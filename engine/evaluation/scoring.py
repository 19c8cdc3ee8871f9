r"""A benchmark's verdicts: was the answer right, and what does a whole run come to.

    score of an answer      1.0 right, 0.0 wrong, in between where a rule gives part marks (ANLS), None unscored

Invariant: None is unscored and never counts as zero: an example without a gold answer leaves the denominator, while an
attempt without an answer (cut off, or empty) is wrong and stays in it (paper: MVBench's rule). Pure: no I/O, no torch.

Rules are those of docs/paper.md: text (exact after normalising: ours, for the bundled benchmarks), letter
(V*, MVBench), number (TallyQA-Complex), anls (InfographicsVQA).

Not covered: whether the evidence was looked at (`engine.evaluation.hits`), rewards for training, and judges that are
models themselves.
"""

from __future__ import annotations

import math
import re
import statistics
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from engine.trace import Example, Trace

__all__ = [
    "Part",
    "RULES",
    "Result",
    "Rule",
    "Score",
    "Summary",
    "anls",
    "letter_score",
    "normalised",
    "number_score",
    "read_letter",
    "read_number",
    "score_answer",
    "summarise",
    "text_score",
]

Score = float | None
Rule = Literal["text", "letter", "number", "anls"]
RULES: tuple[Rule, ...] = get_args(Rule)


# --- answers --------------------------------------------------------------------------------------------------------


def score_answer(answer: str | None, example: Example, rule: Rule | None = None) -> Score:
    """The score of an answer to `example`, in [0, 1], the best over its gold answers; None where it has none.

    Without a `rule`, an example with options is scored by letter and any other as text.
    """
    if example.answer is None:
        return None
    rule = rule or ("letter" if example.options else "text")
    said, golds = answer or "", (example.answer, *example.other_answers)
    if rule == "letter":
        return max(letter_score(said, gold, example.options) for gold in golds)
    if rule == "number":
        return max(number_score(said, gold) for gold in golds)
    if rule == "anls":
        return anls(said, golds)
    return max(text_score(said, gold) for gold in golds)


def normalised(text: str) -> str:
    """Case folded, inner white space single, and white space, quotes and punctuation around it dropped:
    `normalised(' "Kx7421". ') == "kx7421"`. What belongs to a value stays (%, #, &, @ and the sign of a number), and so
    does a text of punctuation alone, or it would equal every other."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    start, end = 0, len(folded)
    while start < end and _is_wrapping(folded[start]) and not re.match(r"[-.]\d", folded[start:]):
        start += 1
    while end > start and _is_wrapping(folded[end - 1]):
        end -= 1
    return folded[start:end] or folded


def _is_wrapping(character: str) -> bool:
    is_punctuation = unicodedata.category(character)[0] == "P" and character not in "%#&@"
    return is_punctuation or character.isspace() or character in "`´"


def text_score(answer: str, gold: str) -> float:
    """1.0 where both are the same after `normalised`."""
    return float(normalised(answer) == normalised(gold) != "")


def letter_score(answer: str, gold: str, options: Sequence[str]) -> float:
    """1.0 where both name the same option, by its letter or by its text."""
    count = len(options) or 26
    said, right = read_letter(answer, options, count), read_letter(gold, options, count)
    return float(said is not None and said == right)


def read_letter(text: str, options: Sequence[str] = (), count: int | None = None) -> str | None:
    """The option that a text names, as a capital letter among the first `count` (the number of options by default).

    In this order: the letter alone ("b", "(B)", "B."); the text of exactly one option; a letter set off at the
    beginning ("B) the cat", "B: the cat", "(B) the cat"), in brackets or after "answer is" or "option" ("the answer is B",
    "I choose (B)"), where it is the only one. None otherwise.
    """
    allowed = [chr(ord("A") + k) for k in range(min(count if count is not None else len(options), 26))]
    bare = normalised(text).upper()
    if bare in allowed:
        return bare
    matching = [k for k, option in enumerate(options) if normalised(option) == normalised(text)]
    if len(matching) == 1 and matching[0] < len(allowed):
        return allowed[matching[0]]
    said = re.findall(r"\(([A-Z])\)|(?i:\b(?:answer is|answer:|option)\s*\(?)([A-Z])\b", text)
    named = {first or second for first, second in said} & set(allowed)
    if found := re.match(r"\s*(?:\(([A-Za-z])\)|([A-Za-z])[).:,])(?=\s|$)", text):
        named.add((found[1] or found[2]).upper())
    letter = named.pop() if len(named) == 1 else None
    return letter if letter in allowed else None


_NUMBER_WORDS = (
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
    "twenty",
)
_NUMBER = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:,\d{3})+|\d+)(?![\w]|[.,]\d)|(?<![\w-])(" + "|".join(_NUMBER_WORDS) + r")\b(?!-)",
    re.IGNORECASE,
)


def read_number(text: str) -> int | None:
    """The first whole number of a text, in digits ("1,024" is one) or as a word from zero to twenty. A decimal such as
    2.5 is none, nor are the digits of KX7421."""
    found = _NUMBER.search(text)
    if found is None:
        return None
    return int(found[1].replace(",", "")) if found[1] else _NUMBER_WORDS.index(found[2].lower())


def number_score(answer: str, gold: str) -> float:
    """1.0 where the first whole numbers of both are equal (TallyQA's rule)."""
    said = read_number(answer)
    return float(said is not None and said == read_number(gold))


def anls(answer: str, golds: Iterable[str]) -> float:
    """Average normalised Levenshtein similarity of one answer: 1 - edit distance / longer length, after lower case and
    strip; below 0.5 it is 0; the best over the gold answers (Biten et al. 2019, arXiv 1905.13648)."""
    best = 0.0
    said = answer.strip().lower()
    for gold in golds:
        wanted = gold.strip().lower()
        longer = max(len(said), len(wanted))
        similarity = 1.0 - _edit_distance(said, wanted) / longer if longer else 1.0
        best = max(best, similarity)
    return best if best >= 0.5 else 0.0


def _edit_distance(one: str, two: str) -> int:
    """Levenshtein distance: insertions, deletions and substitutions cost 1. O(len(one) * len(two)) time."""
    previous = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        current = [i]
        for j, b in enumerate(two, 1):
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b)))
        previous = current
    return previous[-1]


# --- a whole run ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to. `cpu_s` is CPU time of the whole process in seconds; `category` and `difficulty` are
    those of the example, None where the benchmark has none."""

    trace: Trace
    score: Score
    hit: bool | None
    cpu_s: float
    category: str | None = None
    difficulty: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The attempts at one category or one difficulty of a benchmark; the rest as in `Summary`."""

    by: Literal["category", "difficulty"]
    name: str
    n: int
    accuracy: float | None
    stderr: float | None
    hit_rate: float | None
    rapr: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in eight numbers and its parts; rates are in [0, 1], None where nothing could be counted.

    accuracy       mean score of the scored attempts
    stderr         standard error of that mean: sqrt(mean squared deviation / scored), for right and wrong the binomial
                   sqrt(p (1 - p) / scored)
    hit_rate       share of hits among attempts at examples with evidence
    rapr           share of attempts in which at least one operation was executed (rate of pixel-space reasoning)
    error_rate     share of attempts in which at least one turn came back with an execution error
    cpu_s_median   median CPU time of one attempt in seconds
    parts          the same apart for every category and every difficulty, in alphabetical order; empty without
    """

    benchmark: str
    n: int
    accuracy: float | None
    stderr: float | None
    hit_rate: float | None
    rapr: float | None
    error_rate: float | None
    cpu_s_median: float | None
    parts: tuple[Part, ...] = ()


def summarise(benchmark: str, results: Iterable[Result]) -> Summary:
    """The summary of `results`, in any order."""
    results = list(results)
    accuracy, stderr = _accuracy(results)
    return Summary(
        benchmark=benchmark,
        n=len(results),
        accuracy=accuracy,
        stderr=stderr,
        hit_rate=_hit_rate(results),
        rapr=_rapr(results),
        error_rate=_mean([result.trace.operation_errors > 0 for result in results]),
        cpu_s_median=statistics.median(result.cpu_s for result in results) if results else None,
        parts=(
            *_parts("category", [(result.category, result) for result in results]),
            *_parts("difficulty", [(result.difficulty, result) for result in results]),
        ),
    )


def _parts(by: Literal["category", "difficulty"], named: Sequence[tuple[str | None, Result]]) -> Iterable[Part]:
    for name in sorted({name for name, _ in named if name is not None}):
        own = [result for other, result in named if other == name]
        accuracy, stderr = _accuracy(own)
        yield Part(by, name, len(own), accuracy, stderr, _hit_rate(own), _rapr(own))


def _accuracy(results: Sequence[Result]) -> tuple[float | None, float | None]:
    """Mean score of the scored, and its standard error."""
    scores = [result.score for result in results if result.score is not None]
    mean = _mean(scores)
    if mean is None:
        return None, None
    return mean, math.sqrt(math.fsum((score - mean) ** 2 for score in scores)) / len(scores)


def _hit_rate(results: Sequence[Result]) -> float | None:
    return _mean([result.hit for result in results if result.hit is not None])


def _rapr(results: Sequence[Result]) -> float | None:
    return _mean([result.trace.has_operation for result in results])


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
