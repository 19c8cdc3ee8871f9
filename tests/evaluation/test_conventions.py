"""The conventions of other projects: each rule scores what that project's own function scores, and the words are theirs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from engine.errors import InvalidInput
from engine.evaluation.conventions.projects import PROJECTS, following
from engine.evaluation.published.tallyqa import TALLYQA_COMPLEX
from engine.trace import Example, Media

PICTURE, CLIP = Media("a" * 64, "image", 8, 8), Media("b" * 64, "video", 8, 8)
COLOURS = ("red", "green")
SCORED = [
    json.loads(line) for line in (Path(__file__).parent / "conventions.jsonl").read_text(encoding="utf-8").splitlines()
]
"""What the projects' own functions score, as `python -m tests.peers.scoring --released FOLDER` writes it."""


def ours(case: dict) -> dict[str, float | None]:
    """By the names of the rules that know such a question."""
    options, found = tuple(case["options"]), {}
    for media in ((PICTURE,), (CLIP,)):
        for benchmark in ("mine", "hr-bench-4k"):
            for rule in ("letter",) if options else ("anls", "number"):
                example = Example("?", media, case["gold"], options, rule=rule)
                for project in PROJECTS:
                    by = following(project.name, benchmark)
                    if (rule, project.name) != ("number", "lmms-eval"):
                        found[by.convention(example).rule] = by.score(case["said"], example)
    return found


@pytest.mark.parametrize("rule", sorted({rule for case in SCORED for rule in case["scores"]}))
def test_a_rule_scores_as_its_project_does(rule: str) -> None:
    differing = []
    for case in SCORED:
        if rule in case["scores"] and ours(case)[rule] != pytest.approx(case["scores"][rule]):
            differing.append((case["said"], case["gold"], case["scores"][rule]))
    assert differing == []


def test_every_rule_is_held_to_both_verdicts() -> None:
    rules = {convention.rule for project in PROJECTS for convention in project.conventions.values()}
    seen = Counter((rule, score) for case in SCORED for rule, score in case["scores"].items())
    assert {rule for rule, _ in seen} == rules
    assert all(seen[rule, 1.0] and seen[rule, 0.0] for rule in rules)
    assert seen["lmms-eval letter, empty left out", None] == 1


def test_questions_are_put_in_each_project_s_words() -> None:
    """As lmms-eval 0.7.3 (tasks/*/utils.py) and VLMEvalKit (dataset/image_mcq.py, mvbench.py, image_vqa.py) write them."""
    choice, clip = Example("Which?", (PICTURE,), "A", COLOURS), Example("Which?", (CLIP,), "A", COLOURS)
    count = Example("How many?" + TALLYQA_COMPLEX.suffix, (PICTURE,), "3", rule="number")
    lmms, kit, released = (following(name, "tallyqa-complex") for name in ("lmms-eval", "vlmevalkit", "pixel-reasoner"))
    assert lmms.worded(choice).question == (
        "Which?\nA. red\nB. green\nAnswer with the option's letter from the given choices directly."
    )
    assert lmms.worded(clip).question == "Question:Which?\nOption:\n(A) red\n(B) green\nOnly give the best option."
    assert following("lmms-eval", "hr-bench-8k").worded(choice).question == (
        "Which?\nA. red\nB. green\nAnswer the option letter directly."
    )
    assert kit.worded(choice).question == (
        "Question: Which?\nOptions:\nA. red\nB. green\nPlease select the correct answer from the options above. \n"
    )
    assert kit.worded(clip).question == "Question: Which?\nOptions:\n(A) red\n(B) green\nOnly give the best option."
    assert kit.worded(count).question == "How many?\nAnswer the question using a single number."
    assert released.worded(count).question == "How many?"
    assert released.worded(choice).question == "Which?\n(A) red\n(B) green"
    assert all(by.worded(choice).options == () for by in (lmms, kit, released))


def test_what_is_otherwise_there_is_said() -> None:
    lmms, released = following("lmms-eval", "vstar"), following("pixel-reasoner", "vstar")
    told = lmms.as_json(["lmms-eval first letter"], {})
    assert (told["project"], told["version"]) == ("lmms-eval", "0.7.3")
    assert told["differs"][0].startswith("at most 16 generated tokens there")
    assert lmms.as_json([], {})["differs"] == []
    theirs = {
        "image": {"min_pixels": 401_408, "max_pixels": 4_014_080},
        "crop": {"min_pixels": 200_704, "max_pixels": 4_014_080},
    }
    assert len(released.as_json([], {"pixel_budgets": theirs})["differs"]) == 0
    assert released.as_json([], {"pixel_budgets": theirs | {"image": {"min_pixels": 1, "max_pixels": 2}}})[
        "differs"
    ] == ["image at 401,408 to 4,014,080 pixels there"]


def test_a_question_that_a_project_cannot_score_is_refused() -> None:
    with pytest.raises(InvalidInput, match="lmms-eval scores no question of the kind 'count' such as 'How many"):
        following("lmms-eval", "mine").worded(Example("How many?", (PICTURE,), "3", rule="number"))
    with pytest.raises(InvalidInput, match="--protocol-of takes pixel-reasoner, lmms-eval, vlmevalkit, not 'mine'"):
        following("mine", "vstar")
    assert following(None, "vstar") is None
    assert following("lmms-eval", "vstar").score("A", Example("?", (PICTURE,), None, COLOURS)) is None
