"""Every driver gives the traces that the loop gave when it still called the policy (golden.json)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.drivers.asynchronous import stream_async
from engine.drivers.streaming import stream
from engine.drivers.together import Prompt, run_together
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import pose
from engine.reasoning import Thinking
from tests.drivers.asking import Awaited, Noted, awaited
from tests.drivers.cases import (
    EMBEDDED,
    PICTURES,
    ROLL_LIMITS,
    ROLL_SEEDS,
    ROLLED,
    SCRIPTED,
    Case,
    brief,
    cancelling_after,
    digest,
    noticed,
    shortened,
)

if TYPE_CHECKING:
    import torch

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text(encoding="utf-8"))


def arguments(case: Case) -> dict:
    earlier = None
    if case.kept is not None:
        *_, whole = stream(Noted(case.turns, protocol=case.protocol), case.example, PICTURES)
        earlier = shortened(whole.trace, case.kept)
    return {"is_operating": case.is_operating, "is_cancelled": cancelling_after(case.asks), "earlier": earlier}


@pytest.mark.parametrize("name", SCRIPTED)
def test_one_at_a_time_and_awaited(name):
    case, golden = SCRIPTED[name], GOLDEN["scripted"][name]
    policy = Noted(case.turns, protocol=case.protocol)
    found = noticed(stream(policy, case.example, PICTURES, case.limits, **arguments(case)))
    # Who is not asked for a turn is told nothing; the loop of then told it the opening first.
    assert digest(policy.made[0].told) == (golden["told"] if golden["stepped"] else digest([]))
    assert found | {"told": golden["told"]} == golden

    async def collect() -> list:
        notices = stream_async(Awaited(policy), case.example, PICTURES, case.limits, **arguments(case))
        return [notice async for notice in notices]

    assert noticed(awaited(collect())) == found
    assert policy.made[-1].told == policy.made[0].told
    assert all(conversation.is_closed for conversation in policy.made)


@pytest.mark.parametrize("at_once", [1, 4])
def test_many_scripts_together(at_once):
    names = [name for name, case in SCRIPTED.items() if case.kept is None and case.asks is None]
    for name in names:
        case = SCRIPTED[name]
        policy = Noted(case.turns, protocol=case.protocol)
        prompt = Prompt(case.example, PICTURES, (None, None), case.is_operating)
        found = list(run_together(policy, [prompt, prompt], case.limits, at_once=at_once))
        assert sorted((one.prompt, one.rollout) for one in found) == [(0, 0), (0, 1), (1, 0), (1, 1)]
        assert all(brief(one.finished.trace) == GOLDEN["scripted"][name]["trace"] for one in found)


# --- the embedded reasoner -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def backbone():
    """In fp32, where a batch rounds as a single row does."""
    import torch

    from engine.backbone.loading import load_backbone

    return load_backbone("tiny", "none", "cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def posed():
    wanted = {(case.benchmark, case.index) for case in EMBEDDED.values()} | set(ROLLED)
    return {(name, index): pose([*draw(required_benchmark(name), index + 1)][index]) for name, index in wanted}


def digest_of(values: torch.Tensor) -> str:
    return hashlib.sha256(",".join(map(str, values.flatten().tolist())).encode()).hexdigest()[:16]


@pytest.fixture
def drawn_as_then(monkeypatch):
    """A seed draws what it drew when the traces were recorded."""
    import torch

    from engine.backbone import session

    def drawn(weights, generator):
        return int(torch.multinomial(weights, 1, generator=generator))

    monkeypatch.setattr(session, "_drawn", drawn)


@pytest.mark.parametrize("name", EMBEDDED)
@pytest.mark.usefixtures("drawn_as_then")
def test_the_embedded_reasoner_one_at_a_time(backbone, posed, name):
    from engine.policies.local import LocalPolicy
    from engine.training.dataset import TrainingExample, encode

    case, golden = EMBEDDED[name], GOLDEN["embedded"][name]
    one, policy, earlier = posed[case.benchmark, case.index], LocalPolicy(backbone), None
    if case.kept is not None:
        *_, whole = stream(policy, one.example, one.pictures, case.limits)
        earlier = shortened(whole.trace, case.kept)
    notices = list(
        stream(
            policy,
            one.example,
            one.pictures,
            case.limits,
            is_operating=case.is_operating,
            is_cancelled=cancelling_after(case.asks),
            seed=case.seed,
            earlier=earlier,
        )
    )
    found = noticed(notices)
    assert found.pop("confidence") == pytest.approx(golden["confidence"], abs=2e-4)
    encoded = encode(TrainingExample(notices[-1].trace, one.example), backbone, one.pictures)
    found["encoded"] = [digest_of(values) for values in (encoded.ids, encoded.labels, encoded.positions)]
    assert found == {key: value for key, value in golden.items() if key != "confidence"}
    assert any(isinstance(notice, Thinking) for notice in notices)


@pytest.mark.usefixtures("drawn_as_then")
def test_the_embedded_reasoner_s_rollouts(backbone, posed):
    from engine.training.rollouts import roll_out

    prompts = [Prompt(posed[one].example, posed[one].pictures, ROLL_SEEDS) for one in ROLLED]
    found = [rollout for group in roll_out(backbone, prompts, ROLL_LIMITS) for rollout in group]
    for rollout, golden in zip(found, GOLDEN["rolled"], strict=True):
        assert brief(rollout.trace) == golden["trace"]
        assert (rollout.prompt_tokens, rollout.shown) == (golden["prompt_tokens"], golden["shown"])
        assert (digest_of(rollout.ids), digest_of(rollout.sampled.int())) == (golden["ids"], golden["sampled"])
        assert float(rollout.log_probs.sum()) == pytest.approx(golden["log_prob"], abs=5e-3)
    assert not backbone.lease.is_held
