"""Trainers that meet hold the mean of what each had, and meet equally often, however long their steps take."""

from __future__ import annotations

import multiprocessing
import time


def _train(rank: int, place, results) -> None:
    import torch

    from engine.lab.recipe import averaging

    torch.set_num_threads(1)
    meetings = averaging.join_meetings(rank, 2, place=place, spent_s=0.0)
    masters = [torch.full((2, 3), float(rank)), torch.tensor([10.0 * rank])]
    seen = []
    while time.monotonic() - meetings.began < 1.0:
        time.sleep(0.05 + 0.13 * rank)  # one is three times as slow
        if meetings.meet_if_due(masters, 1.0):
            seen.append([float(masters[0][0, 0]), float(masters[1])])
            masters[0] += 1.0 + rank
    meetings.finish(masters, 1.0)
    results.put((rank, meetings.met, seen[0], [value.tolist() for value in masters]))


def test_two_trainers_agree_after_they_have_met(tmp_path, monkeypatch) -> None:
    from engine.lab.recipe import averaging

    monkeypatch.setattr(averaging, "EVERY_S", 0.25)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    trainers = [context.Process(target=_train, args=(rank, tmp_path / "place", results)) for rank in range(2)]
    for trainer in trainers:
        trainer.start()
    one, two = sorted(results.get(timeout=60) for _ in trainers)
    for trainer in trainers:
        trainer.join()
    assert one[1] == two[1] == 5
    assert one[2] == two[2] == [0.5, 5.0]
    assert one[3] == two[3]
