"""Sessions that speak together say what each would say alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.policies.base import never
from tests.backbone.test_session import KINDS, picture

if TYPE_CHECKING:
    from engine.backbone.loading import Backbone
    from engine.backbone.session import Session


@pytest.fixture(scope="module", params=KINDS)
def backbone(request, random_model) -> Backbone:
    import torch

    from engine.backbone.loading import load_backbone

    return load_backbone(str(random_model(request.param)), quantization="none", dtype=torch.float32)


def opened(backbone: Backbone, index: int) -> Session:
    """Sessions of different lengths, with different pictures."""
    from engine.backbone.session import Session

    session = Session(backbone, seed=index)
    session.append_user([picture(index, 60 + 40 * index), "What is written on the red disc? " * (index + 1)])
    return session


def said_tokens(session: Session) -> list[int]:
    return [int(session.ids[0, at]) for at in session.sampled_at]


def test_together_is_as_alone_over_several_turns(backbone):
    from engine.backbone.together import generate_together

    alone = [opened(backbone, k) for k in range(4)]
    together = [opened(backbone, k) for k in range(4)]
    limits = [3, 9, 1, 12]
    for turn in range(2):
        texts = ["".join(session.generate(most, never)) for session, most in zip(alone, limits, strict=True)]
        with backbone.lease.held(), backbone.adapters.answering():
            assert generate_together(together, limits, never) == texts
        for one, other in zip(alone, together, strict=True):
            assert said_tokens(one) == said_tokens(other)
            assert (one.turn_tokens, one.turn_is_complete) == (other.turn_tokens, other.turn_is_complete)
            assert one.sampled_log_probs == pytest.approx(other.sampled_log_probs, abs=1e-4)
            for session in (one, other):
                session.append_user([picture(10 + turn, 90, 60), "Here is the cropped image:"])


def test_a_token_is_decoded_to_the_bit_as_the_stock_network_decodes_it(backbone):
    import torch

    session = opened(backbone, 3)
    with backbone.lease.held(), backbone.adapters.answering(), torch.inference_mode():
        session.prefill()
        session.next_logits()
        session._append_ids([5])
        stock = session.fork(None)
        token, place = session.newest()
        expected = backbone.model(
            input_ids=torch.tensor([[token]]),
            position_ids=torch.full((3, 1, 1), place),
            cache=stock.cache,
            use_cache=True,
        )
        assert torch.equal(session.decode(), expected.logits[0, -1])


def test_a_few_rows_are_made_up_to_sixteen_and_come_out_as_alone(backbone, monkeypatch):
    """Six rows at once and each alone, on a head that notes what it is given."""
    import torch

    from engine.backbone.rows import forward_rows

    given, head = [], backbone.model.get_output_embeddings()
    watched = head.register_forward_pre_hook(lambda module, inputs: given.append(len(inputs[0])))
    sessions = [opened(backbone, k) for k in range(6)]
    with backbone.lease.held(), backbone.adapters.answering(), torch.inference_mode():
        for session in sessions:
            session.prefill()
        newest = [session.newest() for session in sessions]
        caches = [session.fork(None).cache for session in sessions]
        given.clear()
        alone = [
            forward_rows(backbone.model, [token], [place], [cache], backbone.device)[0]
            for (token, place), cache in zip(newest, caches, strict=True)
        ]
        caches = [session.cache for session in sessions]
        tokens, places = zip(*newest, strict=True)
        together = forward_rows(backbone.model, tokens, places, caches, backbone.device)
    watched.remove()
    assert given == [1] * 6 + [16] and together.shape[0] == 6
    torch.testing.assert_close(together, torch.stack(alone), rtol=1e-4, atol=1e-4)


def test_two_threads_prepare_what_one_does_and_a_failure_is_heard(backbone, monkeypatch):
    from engine.backbone.session import Session
    from engine.backbone.together import generate_together

    one_by_one, at_a_time = ([opened(backbone, k) for k in range(5)] for _ in range(2))
    with backbone.lease.held(), backbone.adapters.answering():
        texts = generate_together(one_by_one, [4] * 5, never)
        assert generate_together(at_a_time, [4] * 5, never, threads=2) == texts
        assert [one.sampled_log_probs for one in at_a_time] == [one.sampled_log_probs for one in one_by_one]
        monkeypatch.setattr(Session, "_see", lambda self, numbers, apart: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            generate_together([opened(backbone, k) for k in range(3)], [4] * 3, never, threads=2)


def test_forks_of_one_prompt_are_sessions_of_their_own(backbone):
    from engine.backbone.session import Session

    trunk = opened(backbone, 2)
    with backbone.lease.held(), backbone.adapters.answering():
        trunk.prefill()
    forks = [trunk.fork(seed) for seed in (0, 1, 0)]
    said = ["".join(fork.generate(8, never)) for fork in forks]
    fresh = Session(backbone, seed=1)
    fresh.append_user([picture(2, 140), "What is written on the red disc? " * 3])
    assert fresh.ids.equal(trunk.ids)
    assert "".join(fresh.generate(8, never)) == said[1]
    assert said[0] == said[2]
    assert forks[0].sampled_log_probs == pytest.approx(forks[2].sampled_log_probs, abs=1e-6)
    assert trunk.ids.shape[1] < forks[0].ids.shape[1]
    with backbone.lease.held(), backbone.adapters.answering():
        assert trunk.cache.get_seq_length() == trunk.ids.shape[1] - 1


def test_cancelling_stops_all_of_them(backbone):
    from engine.backbone.together import generate_together

    sessions = [opened(backbone, k) for k in range(3)]
    asked = iter([False] * 8)
    with backbone.lease.held(), backbone.adapters.answering():
        generate_together(sessions, [50] * 3, lambda: next(asked, True))
    assert all(0 < session.turn_tokens < 10 and not session.turn_is_complete for session in sessions)
