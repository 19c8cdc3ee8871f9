"""A tower in a process of its own: what it sees is what the tower here sees, and nobody misses it."""

from __future__ import annotations

import dataclasses

import pytest

from tests.backbone.test_session import picture


def test_it_sees_the_same_to_the_bit_and_whoever_loses_it_sees_for_himself(random_model, monkeypatch):
    import torch

    from engine.backbone.loading import load_backbone
    from engine.backbone.session import Session
    from engine.backbone.tower import remembered
    from engine.backbone.tower_apart import TowerApart
    from engine.policies.serving import looker_beside

    backbone = load_backbone(str(random_model("qwen3_vl")), quantization="none", dtype=torch.float32, protocol="studio")
    apart, looker = TowerApart(torch.get_num_threads()), looker_beside(2)
    backbone = dataclasses.replace(backbone, tower_apart=apart)
    tower = backbone.model.model.visual

    def features(is_ahead: bool):
        session = Session(backbone)
        session.append_user([picture(1, 120), picture(2, 60, 90), "What is written?"])
        if is_ahead:
            session.look_ahead(looker)
            session.is_looked_at()
        else:
            list(session._look())
        return session, [part for number in (0, 1) for part in session._features[number]]

    alone, expected = features(is_ahead=False)
    assert len(features(is_ahead=True)[1]) == len(expected) > 2  # not started: seen here
    apart.start()
    with remembered(tower):  # a training is under way
        apart.hold(tower)
    try:
        assert apart.wait(60)
        with monkeypatch.context() as here:
            here.setattr(tower, "forward", lambda *_, **__: 1 / 0)
            beside, seen = features(is_ahead=True)
            assert all(map(torch.equal, seen, expected)) and apart.cpu_s > 0
            apart._talking.acquire()  # somebody else is being answered
            with pytest.raises(ZeroDivisionError):
                features(is_ahead=True)
            apart._talking.release()
        assert torch.equal(beside.next_logits(), alone.next_logits())
        apart._process.kill()
        assert all(map(torch.equal, features(is_ahead=True)[1], expected))
        assert not apart.wait(0)
    finally:
        apart.close()
    apart.start()
    assert apart._process.returncode is not None  # it stays ended


def test_a_large_tower_and_little_memory_are_left_alone(monkeypatch):
    from types import SimpleNamespace

    from engine.backbone import tower_apart
    from engine.backbone.tower_apart import MOST_BYTES, TowerApart

    started = []
    monkeypatch.setattr(tower_apart.subprocess, "Popen", lambda *_, **__: started.append(1))
    weight = SimpleNamespace(nbytes=MOST_BYTES + 1, device=SimpleNamespace(type="cpu"))
    apart = TowerApart()
    apart.hold(SimpleNamespace(parameters=lambda: [weight]))
    apart.start()
    short = SimpleNamespace(available=tower_apart.LEAST_FREE_BYTES - 1)
    monkeypatch.setattr(tower_apart.psutil, "virtual_memory", lambda: short)
    TowerApart().start()
    assert not started
