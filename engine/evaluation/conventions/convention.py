"""What a convention is: the words around a question and the score of its answer, as one project has them.

    kind of a question    choice, choice about a clip, choice in HR-Bench, count, document, text
    project               a table, kind -> `Convention`; and what theirs also depends on and is not followed here

The idea: the question is worded as the project words it, options included, inside the policy's own wire format, which goes on
to say how to look and where the answer stands; what is scored is the answer as the loop read it. The trace keeps the question
as its data set has it, so runs under different conventions can be compared example by example.

Invariant: a score of None leaves the denominator, as in `engine.evaluation.scoring`. Not covered: judges that are models.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from engine.errors import InvalidInput
from engine.evaluation.published.benchmarks import published_named
from engine.evaluation.reading import read_letter
from engine.evaluation.scoring import Score, rule_of
from engine.trace import Example

__all__ = [
    "KINDS",
    "Convention",
    "Following",
    "Kind",
    "Project",
    "bare_question",
    "kind_of",
    "lettered",
    "right_letters",
]

Kind = Literal["choice", "choice of a clip", "choice of HR-Bench", "count", "document", "text"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Convention:
    """`rule` names the score beside it. `ask(question, options)` is the text that is put to the policy; `score(answer,
    example)` is in [0, 1], None where theirs leaves the attempt out of the denominator. `differs` says in sentences what
    else theirs depends on."""

    rule: str
    ask: Callable[[str, Sequence[str]], str]
    score: Callable[[str, Example], Score]
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """`version` is the one that was read. `pixel_budgets` are (least, most) pixels by a picture's role where the project
    sets them whatever the model."""

    name: str
    version: str
    conventions: Mapping[Kind, Convention]
    pixel_budgets: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Following:
    """A run over `benchmark` that asks and scores as `project` does."""

    project: Project
    benchmark: str

    def convention(self, example: Example) -> Convention:
        """Raises InvalidInput where the project has none for such a question."""
        kind = kind_of(example, self.benchmark)
        if (found := self.project.conventions.get(kind)) is None:
            raise InvalidInput(
                f"{self.project.name} scores no question of the kind {kind!r} such as {example.question[:60]!r}; it has "
                f"{', '.join(self.project.conventions)}"
            )
        return found

    def worded(self, example: Example) -> Example:
        """The example as the policy is asked it: its options stand in the question's text."""
        question = self.convention(example).ask(bare_question(example, self.benchmark), example.options)
        return replace(example, question=question, options=())

    def score(self, answer: str | None, example: Example) -> Score:
        """As `engine.evaluation.scoring.score_answer`."""
        return self.convention(example).score(answer or "", example) if example.right_answers else None

    def as_json(self, rules: Collection[str], settings: Mapping[str, Any]) -> dict[str, Any]:
        """{"project", "version", "differs"}: what scores by these `rules` depend on there and is otherwise here, in
        sentences; `settings` are the policy's."""
        ours = settings.get("pixel_budgets") or {}
        told = {d: None for one in self.project.conventions.values() if one.rule in rules for d in one.differs}
        shown = (
            f"{role} at {least:,} to {most:,} pixels there"
            for role, (least, most) in self.project.pixel_budgets.items()
            if dict(ours.get(role) or {}) != {"min_pixels": least, "max_pixels": most}
        )
        return {"project": self.project.name, "version": self.project.version, "differs": [*told, *shown]}


def kind_of(example: Example, benchmark: str) -> Kind:
    """What kind of question an example of a benchmark is, by its name and its rule."""
    rule = rule_of(example)
    if rule == "letter":
        if benchmark.startswith("hr-bench"):
            return "choice of HR-Bench"
        return "choice of a clip" if any(medium.kind == "video" for medium in example.media) else "choice"
    kinds: Mapping[str, Kind] = {"number": "count", "only-number": "count", "anls": "document"}
    return kinds.get(rule, "text")


def bare_question(example: Example, benchmark: str) -> str:
    """The question without what our reading of a published benchmark adds to it."""
    published = published_named(benchmark)
    return example.question if published is None else example.question.removesuffix(published.suffix)


def right_letters(example: Example) -> frozenset[str]:
    """The letters of the options that are right."""
    found = (read_letter(gold, example.options, len(example.options) or 26) for gold in example.right_answers)
    return frozenset(letter for letter in found if letter is not None)


def lettered(options: Sequence[str], pattern: str) -> str:
    """The options, a line each, as `pattern` writes (letter, option): "{}. {}"."""
    return "\n".join(pattern.format(chr(ord("A") + k), option) for k, option in enumerate(options))
