"""Evaluation in batches gives the traces and scores of one at a time; and RL rewards what it scores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import benchmark_named
from engine.evaluation.runner import evaluate
from engine.evaluation.scoring import score_answer
from engine.lab.study.material import Stopped, draw_examples, media_folder, posed_in, questions_in
from engine.lab.study.plan import BENCHMARKS, SOURCES, Draw
from engine.reasoning import Limits
from engine.trace import Step, Trace, first_views
from engine.training.grpo_config import GrpoConfig

LIMITS = Limits(max_steps=3, max_tokens=160, max_turn_tokens=80)


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    """({benchmark: list of 2 examples}, media folder), of RL's source."""
    root = tmp_path_factory.mktemp("drawn")
    media = media_folder(root / "media")
    for name in BENCHMARKS:
        part = Draw(name, "practice", 2)
        assert draw_examples(part, root / f"{name}.jsonl", media, lambda done, total: None, never) == 2
    return {name: root / f"{name}.jsonl" for name in BENCHMARKS}, media


@pytest.fixture(scope="module")
def posed(lists):
    paths, media = lists
    return [one for name in BENCHMARKS for one in posed_in(paths[name], media)]


@pytest.fixture(scope="module")
def backbone():
    """The embedded reasoner in fp32, where a batch rounds as a single row does."""
    import torch

    from engine.backbone.loading import load_backbone

    return load_backbone("tiny", "none", "cpu", dtype=torch.float32)


@pytest.mark.parametrize("is_operating", [True, False])
def test_a_batch_says_what_each_says_alone(backbone, posed, is_operating):
    from engine.policies.local import LocalPolicy

    alone = list(evaluate(LocalPolicy(backbone), posed, LIMITS, is_operating=is_operating))
    together = list(evaluate(LocalPolicy(backbone), posed, LIMITS, is_operating=is_operating, at_once=5))
    assert len(together) == len(posed) == 8
    for one, other in zip(together, alone, strict=True):
        assert one.trace == other.trace
        assert (one.score, one.hit) == (other.score, other.hit)
        assert one.example == other.example
    assert {one.trace.is_operating for one in together} == {is_operating}
    assert any(one.trace.has_operation for one in together) == is_operating


@pytest.mark.parametrize("name", BENCHMARKS)
def test_what_is_read_is_what_was_drawn(lists, name):
    paths, media = lists
    source, benchmark = SOURCES["practice"], benchmark_named(name)
    for one, drawn in zip(posed_in(paths[name], media), draw(benchmark, 2, source.seed, source.split), strict=True):
        (medium,) = one.example.media
        assert one.example == replace(drawn.example, media=(medium,))
        assert (media.path(medium.sha256).read_bytes(),) == drawn.files


@pytest.mark.parametrize(
    ("name", "answer_of"),
    [
        ("mini-tally", lambda gold: f"There are {gold} of them."),  # as text it would be wrong
        ("mini-info", lambda gold: gold + "x"),  # ANLS gives part marks, text none
        ("mini-mv", lambda gold: f"({gold})"),
        ("mini-vstar", lambda gold: "Z"),
    ],
)
def test_rl_rewards_what_evaluation_scores(lists, name, answer_of):
    from engine.training.episodes import reward_group

    paths, media = lists
    (question, _), (posed, _) = questions_in(paths[name]), posed_in(paths[name], media)
    example = posed.example
    views, step = first_views(example.media), Step("I see.", answer=answer_of(example.answer))
    trace = Trace(example.question, example.media, tuple(views), (step,), "answered", "test", "studio")
    (reward,) = reward_group(GrpoConfig(is_curious=False), lambda trace, example: 0.0)([trace], question)

    assert reward.total == score_answer(step.answer, example)
    assert 0 < reward.total <= 1 or name == "mini-vstar"


def test_drawing_that_is_stopped_leaves_no_list(lists, tmp_path):
    with pytest.raises(Stopped):
        draw_examples(
            Draw("mini-info", "practice", 2), tmp_path / "a.jsonl", lists[1], lambda done, total: None, lambda: True
        )
    assert not (tmp_path / "a.jsonl").exists()
