r"""A benchmark's verdicts: was the answer right, and what does a whole run come to.

    score of an answer      1.0 right, 0.0 wrong, in between where a rule gives part marks (ANLS), None unscored

Invariant: None is unscored and never counts as zero: an example without a gold answer leaves the denominator, while an
attempt without an answer (cut off, or empty) is wrong and stays in it (paper: MVBench's rule). Pure: no I/O, no torch.

Rules: text (exact after normalising: ours, for the bundled benchmarks), letter (V*, MVBench), number (the first one:
TallyQA-Complex), only-number (ours, see `only_number_score`), anls (InfographicsVQA). What an answer says is read by
`engine.evaluation.reading`.

Not covered: whether the evidence was looked at (`engine.evaluation.hits`), rewards for training, and judges that are
models themselves.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from engine.evaluation.reading import normalised, read_letter, read_number, read_only_number, unmarked
from engine.trace import Example, Rule, Trace

__all__ = [
    "Breakdown",
    "Counted",
    "Result",
    "Score",
    "Summary",
    "anls",
    "edit_distance",
    "letter_score",
    "number_score",
    "only_number_score",
    "rule_of",
    "score_answer",
    "summarise",
    "text_score",
]

Score = float | None


# --- answers --------------------------------------------------------------------------------------------------------


def score_answer(answer: str | None, example: Example) -> Score:
    """The score of an answer to `example` by its rule, in [0, 1], the best over its right answers; None where none is
    known."""
    golds = example.right_answers
    if not golds:
        return None
    rule, said = rule_of(example), answer or ""
    if rule == "letter":
        return max(letter_score(said, gold, example.options) for gold in golds)
    if rule == "number":
        return max(number_score(said, gold) for gold in golds)
    if rule == "only-number":
        return max(only_number_score(said, gold) for gold in golds)
    if rule == "anls":
        # A box is LaTeX: its marks are not the answer's.
        return anls(unmarked(said), golds)
    return max(text_score(said, gold) for gold in golds)


def rule_of(example: Example) -> Rule:
    """How an answer is scored: by the example's own rule; without one by letter where there are options, else as text."""
    return example.rule or ("letter" if example.options else "text")


def text_score(answer: str, gold: str) -> float:
    """1.0 where both are the same after `normalised`."""
    return float(normalised(answer) == normalised(gold) != "")


def letter_score(answer: str, gold: str, options: Sequence[str]) -> float:
    """1.0 where both name the same option, by its letter or by its text."""
    count = len(options) or 26
    said, right = read_letter(answer, options, count), read_letter(gold, options, count)
    return float(said is not None and said == right)


def number_score(answer: str, gold: str) -> float:
    """1.0 where the first whole numbers of both are equal (TallyQA's rule)."""
    said = read_number(answer)
    return float(said is not None and said == read_number(gold))


def only_number_score(answer: str, gold: str) -> float:
    """1.0 where the one whole number of the answer is that of the gold answer. Ours: an answer that offers several numbers
    earns nothing by the first of them."""
    said = read_only_number(answer)
    return float(said is not None and said == read_only_number(gold))


def anls(answer: str, golds: Iterable[str]) -> float:
    """Average normalised Levenshtein similarity of one answer: 1 - edit distance / longer length, in lower case with single
    spaces; below 0.5 it is 0; the best over the gold answers (Biten et al. 2019, arXiv 1905.13648, and their script)."""
    best = 0.0
    said = " ".join(answer.lower().split())
    for gold in golds:
        wanted = " ".join(gold.lower().split())
        longer = max(len(said), len(wanted))
        similarity = 1.0 - edit_distance(said, wanted) / longer if longer else 1.0
        best = max(best, similarity)
    return best if best >= 0.5 else 0.0


def edit_distance(one: str, two: str) -> int:
    """Levenshtein distance: insertions, deletions and substitutions cost 1. O(len(one) * len(two)) time."""
    previous = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        current = [i]
        for j, b in enumerate(two, 1):
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (a != b)))
        previous = current
    return previous[-1]


# --- a whole run ----------------------------------------------------------------------------------------------------


class Counted(Protocol):
    """What a summary reads of one attempt: a `Result`, or what the store kept of one."""

    @property
    def position(self) -> int:
        """The example's place in its source: attempts at one example are not independent."""

    @property
    def score(self) -> Score: ...

    @property
    def hit(self) -> bool | None: ...

    @property
    def has_operation(self) -> bool: ...

    @property
    def operation_errors(self) -> int: ...

    @property
    def is_empty(self) -> bool:
        """Whether it ended without an answer."""

    @property
    def tokens(self) -> int:
        """Tokens that the policy generated."""

    @property
    def cpu_s(self) -> float: ...

    @property
    def category(self) -> str | None: ...

    @property
    def difficulty(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt at `example`, number `position` (from 0) of its source, came to. `cpu_s` is CPU time of the whole
    process in seconds, `tokens` how many the policy generated."""

    example: Example
    trace: Trace
    score: Score
    hit: bool | None
    cpu_s: float
    position: int
    tokens: int = 0

    @property
    def has_operation(self) -> bool:
        return self.trace.has_operation

    @property
    def operation_errors(self) -> int:
        return self.trace.operation_errors

    @property
    def is_empty(self) -> bool:
        return not (self.trace.answer or "").strip()

    @property
    def category(self) -> str | None:
        return self.example.category

    @property
    def difficulty(self) -> str | None:
        return self.example.difficulty


@dataclass(frozen=True, slots=True)
class Breakdown:
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
    """A run in a few numbers and its parts; rates are in [0, 1], None where nothing could be counted.

    n              attempts
    accuracy       mean score of the scored attempts
    stderr         standard error of that mean, with the attempts at one example taken together:
                   sqrt(sum over examples of (sum of their deviations) squared) / scored, which for one attempt an example
                   and right or wrong is the binomial sqrt(p (1 - p) / scored); None where all scores are the same, since 0
                   would say that chance had no part in it
    hit_rate       share of hits among attempts at examples with evidence
    rapr           share of attempts in which at least one operation was executed (rate of pixel-space reasoning)
    error_rate     share of attempts in which at least one turn came back with an execution error
    cpu_s_median   median CPU time of one attempt in seconds
    parts          the same apart for every category and every difficulty, in alphabetical order; empty without
    scored         attempts at examples whose answer is known: what accuracy is the mean of
    empty          those of them that ended without an answer, which count as wrong
    operation_errors  turns that came back with an execution error
    tokens         tokens that were generated
    """

    benchmark: str
    n: int
    accuracy: float | None
    stderr: float | None
    hit_rate: float | None
    rapr: float | None
    error_rate: float | None
    cpu_s_median: float | None
    parts: tuple[Breakdown, ...] = ()
    scored: int = 0
    empty: int = 0
    operation_errors: int = 0
    tokens: int = 0


def summarise(benchmark: str, results: Iterable[Counted]) -> Summary:
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
        error_rate=_mean([result.operation_errors > 0 for result in results]),
        cpu_s_median=statistics.median(result.cpu_s for result in results) if results else None,
        parts=(
            *_parts("category", [(result.category, result) for result in results]),
            *_parts("difficulty", [(result.difficulty, result) for result in results]),
        ),
        scored=sum(result.score is not None for result in results),
        empty=sum(result.score is not None and result.is_empty for result in results),
        operation_errors=sum(result.operation_errors for result in results),
        tokens=sum(result.tokens for result in results),
    )


def _parts(by: Literal["category", "difficulty"], named: Sequence[tuple[str | None, Counted]]) -> Iterable[Breakdown]:
    for name in sorted({name for name, _ in named if name is not None}):
        own = [result for other, result in named if other == name]
        accuracy, stderr = _accuracy(own)
        yield Breakdown(by, name, len(own), accuracy, stderr, _hit_rate(own), _rapr(own))


def _accuracy(results: Sequence[Counted]) -> tuple[float | None, float | None]:
    """Mean score of the scored, and its standard error, None where no two scores differ."""
    scored = [(result.position, result.score) for result in results if result.score is not None]
    mean = _mean([score for _, score in scored])
    if mean is None:
        return None, None
    if len({score for _, score in scored}) == 1:
        return mean, None
    deviations: dict[int, float] = {}
    for position, score in scored:
        deviations[position] = deviations.get(position, 0.0) + score - mean
    return mean, math.sqrt(math.fsum(one**2 for one in deviations.values())) / len(scored)


def _hit_rate(results: Sequence[Counted]) -> float | None:
    return _mean([result.hit for result in results if result.hit is not None])


def _rapr(results: Sequence[Counted]) -> float | None:
    return _mean([result.has_operation for result in results])


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
