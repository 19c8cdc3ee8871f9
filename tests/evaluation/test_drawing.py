"""Examples drawn in a process of their own are those that are drawn here, also where that process ends early."""

from __future__ import annotations

from itertools import islice

from engine.evaluation import drawing
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark


def test_the_examples_are_those_that_are_drawn_here_and_a_lost_process_is_not_missed(monkeypatch):
    benchmark, count = required_benchmark("mini-signs"), 4
    monkeypatch.setattr(drawing, "FEW", count - 1)
    expected, started, popen = list(draw(benchmark, count, 3)), [], drawing.subprocess.Popen

    def start(*words, **options):
        started.append(popen(*words, **options))
        return started[-1]

    monkeypatch.setattr(drawing.subprocess, "Popen", start)
    assert list(drawing.draw_beside(benchmark, count, 3)) == expected
    again = drawing.draw_beside(benchmark, count, 3)
    assert list(islice(again, 2)) == expected[:2]
    started[-1].kill()
    assert list(again) == expected[2:]
    assert [one.returncode is not None for one in started] == [True] * 2
    assert list(drawing.draw_beside(benchmark, 2, 3)) == expected[:2] and len(started) == 2
