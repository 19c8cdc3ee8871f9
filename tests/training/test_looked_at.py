"""Which attempts are kept, worked by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine.trace import Example
from engine.training.rewards import Reward

from .conftest import picture, plain_trace, zoom_trace


@pytest.mark.parametrize("total", [1, 2, 19, 40, 57, 1000])
def test_some_steps_are_kept_the_first_and_the_last_among_them(total):
    from engine.training.looked_at import MOST_STEPS, is_kept

    kept = [step for step in range(1, total + 1) if is_kept(step, total)]
    assert kept[0] == 1 and kept[-1] == total
    assert len(kept) <= 2 * MOST_STEPS + 1


def test_the_best_and_the_worst_of_the_question_that_taught_most():
    from engine.training.episodes import Episode, Group
    from engine.training.looked_at import attempts_of

    loaded = picture(3)
    example = Example("What is written on the red disc?", (loaded.media,), "KX7421")
    other = Example("And on the blue one?", (loaded.media,), "1")
    traces = [plain_trace(loaded, "17"), zoom_trace(loaded, "KX7421"), plain_trace(loaded, "18")]
    rewards = (Reward(0.0, 0.0, 0.0), Reward(1.0, 0.05, -0.1), Reward(0.0, 0.0, -0.2))
    rollouts = tuple(SimpleNamespace(trace=trace) for trace in traces)
    uniform = Group(rollouts, (Reward(0.0, 0.0, 0.0),) * 3, (0.0, 0.0, 0.0))
    telling = Group(rollouts, rewards, (-0.2, 1.0, -0.8))
    told = attempts_of(Episode((), {}, ((uniform, other), (telling, example))))
    assert (told["question"], told["gold"]) == ("What is written on the red disc?", "KX7421")
    assert told["media"] == {"sha256": loaded.media.sha256, "kind": "image"}
    assert told["rapr"] == pytest.approx(1 / 3)
    best, worst = told["attempts"]
    assert best["total"] == pytest.approx(0.95) and best["steps"][0]["operation"]["name"] == "zoom_in"
    assert (worst["total"], worst["advantage"], worst["steps"][-1]["answer"]) == (-0.2, -0.8, "18")
    alike = attempts_of(Episode((), {}, ((uniform, other),)))
    assert len(alike["attempts"]) == 1
