"""Thoughts of synthesised trajectories: those that the embedded reasoner's recipe teaches, word for word."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from engine.evaluation import benchmarks
from engine.evaluation.drawn import benchmark_named
from engine.lab.recipe import world_poses, world_views
from engine.lab.world.miniature import vstar
from engine.synthesis.wording import Situation
from engine.trace import Box, Example, Media, View

from .drawn import PLACE, drawings, every


@every
def test_synthesised_thoughts_are_those_that_are_taught(room, lexicon):
    from engine.lab.recipe import world_speech, world_thoughts, world_wording

    for drawing in drawings(room, 4):
        pose = world_poses.own_pose(drawing)
        if len(drawing.frames) > 1:
            shown = [View(17 + k, "0" * 64, frame, Box.full()) for k, frame in enumerate(pose.frames)]
            seen = {frame: world_speech.Seen(world_views.whole(drawing, frame), 0) for frame in pose.frames}
            first = [View(k, "0" * 64, k, Box.full()) for k in range(1, 17)]
        else:
            box = world_thoughts.shown_box(drawing, pose.box)
            shown = [View(2, "0" * 64, None, Box(*box))]
            seen = {1: world_speech.Seen(world_views.crop(drawing, box), 0)}
            first = [View(1, "0" * 64, None, Box.full())]
        example = Example(pose.question, (), pose.answer, pose.options, drawing.evidence)
        situation = Situation("answer", example, SimpleNamespace(), (*first, *shown), None, pose.answer)
        said = world_wording.thinking(lambda _, drawing=drawing: drawing)(situation, random.Random(0))
        taught = "".join(piece.text for piece in world_thoughts.thought_pieces(pose, seen.get, world_thoughts.HERE))
        assert PLACE.sub("", said) == PLACE.sub("", taught)
        places = [[float(value) for value in PLACE.findall(text)] for text in (said, taught)]
        assert all(abs(one - two) < 0.02 for one, two in zip(*places, strict=True))


def test_a_drawing_is_found_by_its_examples_name():
    from engine.lab.recipe import world_wording

    drawn = next(iter(benchmarks.draw(benchmark_named("mini-tally"), 1, 3, "train")))
    found = world_wording.drawing_named(drawn.name)
    assert found is not None and (found.question, found.answer) == (drawn.example.question, drawn.example.answer)
    assert world_wording.drawing_named("mini-signs-0-00001") is None


@pytest.mark.parametrize("stage", ["again", "closer"])
def test_what_is_thought_after_a_wrong_look_is_what_is_taught(stage):
    """A sentence that the recipe never said has words that the reasoner never wrote: up to 20 nats each in the warm start."""
    from engine.lab.recipe import world_thoughts, world_wording

    taught = {"again": world_thoughts.AGAIN, "closer": world_thoughts.CLOSER}[stage]
    (drawing,) = drawings(vstar, 1)
    pose = world_poses.own_pose(drawing)
    media = (Media("0" * 64, "image", *drawing.frames[0].size),)
    example = Example(pose.question, media, pose.answer, pose.options, drawing.evidence)
    situation = Situation(stage, example, SimpleNamespace(), (), None, None)
    wording = world_wording.thinking(lambda _: drawing)
    assert {wording(situation, random.Random(seed)) for seed in range(20)} == {taught}
