r"""A benchmark's verdicts: was the answer right, was the evidence looked at, and what does a whole run come to.

    score of an answer      1.0 right, 0.0 wrong, in between where a rule gives part marks (ANLS), None unscored
    hit of a trace          True or False against the example's evidence, None where the example has none

Invariant: None is unscored and never counts as zero: an example without a gold answer leaves the denominator, while an
attempt without an answer (cut off, or empty) is wrong and stays in it (paper: MVBench's rule). Pure: no I/O, no torch.

Rules are those of shared/design/paper.md: text (exact after normalising: ours, for the bundled benchmarks), letter
(V*, MVBench), number (TallyQA-Complex), anls (InfographicsVQA).

Not covered: rewards for training, and judges that are models themselves.
"""

from __future__ import annotations

import math
import re
import statistics
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from engine.trace import MAX_SELECTED_FRAMES, Box, Evidence, Example, SelectFrames, Trace, ZoomIn

__all__ = [
    "LARGEST_HIT_AREA",
    "LEAST_COVERAGE",
    "RULES",
    "Result",
    "Rule",
    "Score",
    "Summary",
    "anls",
    "is_box_hit",
    "is_frame_hit",
    "is_hit",
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

LEAST_COVERAGE = 0.9
"""The share of an evidence box that a zoom must show."""
LARGEST_HIT_AREA = 0.25
"""The share of the picture that a zoom may show at most and still count: looking at everything finds nothing."""


# --- answers --------------------------------------------------------------------------------------------------------


def score_answer(answer: str | None, example: Example, rule: Rule | None = None) -> Score:
    """The score of an answer to `example`, in [0, 1]; None where the example has no gold answer.

    Without a `rule`, an example with options is scored by letter and any other as text.
    """
    if example.answer is None:
        return None
    rule = rule or ("letter" if example.options else "text")
    said = answer or ""
    if rule == "letter":
        return letter_score(said, example.answer, example.options)
    if rule == "number":
        return number_score(said, example.answer)
    if rule == "anls":
        return anls(said, [example.answer])
    return text_score(said, example.answer)


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


# --- evidence -------------------------------------------------------------------------------------------------------


def is_hit(trace: Trace, evidence: Evidence | None) -> bool | None:
    """Whether any operation of the trace showed the evidence; None where there is no evidence.

    Only operations that were executed count (those that came back with views). What counts as shown is what was cut,
    in the original's coordinates, so nested zooms and a protocol's padding are judged by their pixels: a zoom hits by
    `is_box_hit` on any evidence box, where evidence lies on a clip's frames only on one of these frames; a selection
    hits by `is_frame_hit`. Evidence of boxes is hit by zooms alone, evidence of frames alone by selections alone. Boxes
    are those of the trace's first media.
    """
    if evidence is None or not (evidence.boxes or evidence.frames):
        return None
    return any(_shows(trace, step_index, evidence) for step_index in range(len(trace.steps)))


def _shows(trace: Trace, step_index: int, evidence: Evidence) -> bool:
    step = trace.steps[step_index]
    if step.observation is None or not step.observation.views:
        return False
    shown = [trace.view(number) for number in step.observation.views]
    if isinstance(step.operation, ZoomIn) and evidence.boxes:
        view = shown[0]
        is_there = view.sha256 == trace.media[0].sha256 and (not evidence.frames or view.frame in evidence.frames)
        return is_there and is_box_hit(view.box, evidence.boxes)
    if isinstance(step.operation, SelectFrames) and not evidence.boxes:
        return is_frame_hit([view.frame for view in shown if view.frame is not None], evidence.frames)
    return False


def is_box_hit(shown: Box, boxes: Iterable[Box]) -> bool:
    """Whether `shown`, in the original's coordinates, covers at least LEAST_COVERAGE of the area of one of `boxes`
    while its own area is at most LARGEST_HIT_AREA of the picture."""
    if shown.area > LARGEST_HIT_AREA:
        return False
    return any(shown.coverage_of(box) >= LEAST_COVERAGE for box in boxes)


def is_frame_hit(selected: Sequence[int], frames: Iterable[int]) -> bool:
    """Whether one of the `selected` frames is among `frames`, and at most MAX_SELECTED_FRAMES were selected."""
    return len(selected) <= MAX_SELECTED_FRAMES and not set(selected).isdisjoint(frames)


# --- a whole run ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to. `cpu_s` is CPU time of the whole process in seconds."""

    trace: Trace
    score: Score
    hit: bool | None
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in eight numbers; rates are in [0, 1], None where nothing could be counted.

    accuracy       mean score of the scored attempts
    stderr         standard error of that mean: sqrt(mean squared deviation / scored), for right and wrong the binomial
                   sqrt(p (1 - p) / scored)
    hit_rate       share of hits among attempts at examples with evidence
    rapr           share of attempts in which at least one operation was executed (rate of pixel-space reasoning)
    error_rate     share of attempts in which at least one turn came back with an execution error
    cpu_s_median   median CPU time of one attempt in seconds
    """

    benchmark: str
    n: int
    accuracy: float | None
    stderr: float | None
    hit_rate: float | None
    rapr: float | None
    error_rate: float | None
    cpu_s_median: float | None


def summarise(benchmark: str, results: Iterable[Result]) -> Summary:
    """The summary of `results`, in any order."""
    results = list(results)
    scores = [result.score for result in results if result.score is not None]
    hits = [result.hit for result in results if result.hit is not None]
    accuracy = _mean(scores)
    return Summary(
        benchmark=benchmark,
        n=len(results),
        accuracy=accuracy,
        stderr=None if accuracy is None else math.sqrt(math.fsum((s - accuracy) ** 2 for s in scores)) / len(scores),
        hit_rate=_mean(hits),
        rapr=_mean([result.trace.has_operation for result in results]),
        error_rate=_mean([result.trace.operation_errors > 0 for result in results]),
        cpu_s_median=statistics.median(result.cpu_s for result in results) if results else None,
    )


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
