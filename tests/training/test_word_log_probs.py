"""Log-probabilities without logits: those of torch's own softmax, with its gradient, and as TRL's where both can run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st


def word_log_probs(*given):
    from engine.training.word_log_probs import word_log_probs

    return word_log_probs(*given)


def made(count: int, size: int, vocabulary: int, seed: int, dtype: str = "float64", spread: float = 1.0):
    import torch

    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(count, size, generator=generator, dtype=torch.float64) * spread
    weight = torch.randn(vocabulary, size, generator=generator, dtype=torch.float64)
    words = torch.randint(vocabulary, (count,), generator=generator)
    bias = torch.randn(vocabulary, generator=generator, dtype=torch.float64)
    return *(one.to(getattr(torch, dtype)) for one in (hidden, weight, bias)), words


@given(
    st.integers(1, 9),
    st.integers(2, 40),
    st.integers(2, 20),
    st.integers(1, 5),
    st.sampled_from([1.0, 0.7, 2.5]),
    st.booleans(),
    st.integers(0, 2**16),
)
def test_they_are_those_of_a_softmax_however_it_is_cut(count, vocabulary, tile, rows, temperature, is_biased, seed):
    import torch

    from engine.training import word_log_probs as module

    hidden, weight, bias, words = made(count, 3, vocabulary, seed, spread=4.0)
    hidden.requires_grad_()
    given_bias = bias if is_biased else None
    logits = torch.nn.functional.linear(hidden, weight, given_bias) / temperature
    logs = logits.log_softmax(-1)
    expected = logs.gather(1, words[:, None])[:, 0]
    factor = torch.linspace(-1, 2, count, dtype=torch.float64)
    (slope,) = torch.autograd.grad((expected * factor).sum(), hidden, retain_graph=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CACHED_WORDS", tile)
        patch.setattr(module, "_ROWS", rows)
        log_probs, entropies = word_log_probs(hidden, weight, given_bias, words, temperature)
    torch.testing.assert_close(log_probs, expected)
    torch.testing.assert_close(entropies, -(logs.exp() * logs).sum(-1))
    (found,) = torch.autograd.grad((log_probs * factor).sum(), hidden)
    torch.testing.assert_close(found, slope)
    assert not entropies.requires_grad


def test_two_words_by_hand():
    """Logits 0 and log 3: the words have 1/4 and 3/4; d log p / d h = q (W_y - W_other)."""
    import torch

    hidden = torch.tensor([[1.0], [1.0]], requires_grad=True)
    weight = torch.tensor([[0.0], [math.log(3)]])
    log_probs, entropies = word_log_probs(hidden, weight, None, torch.tensor([0, 1]))
    assert log_probs.tolist() == pytest.approx([math.log(1 / 4), math.log(3 / 4)])
    assert entropies.tolist() == pytest.approx([math.log(4) - 3 / 4 * math.log(3)] * 2)
    log_probs.sum().backward()
    assert hidden.grad.flatten().tolist() == pytest.approx([-3 / 4 * math.log(3), 1 / 4 * math.log(3)])


def test_what_is_all_but_certain_keeps_its_gradient_in_half_precision():
    """The word said has all but e^-12 of two; its gradient is of that size, though neither weight can be told from 1 there."""
    import torch

    hidden, weight = torch.tensor([[1.0]]), torch.tensor([[12.0], [0.0]])
    half = hidden.bfloat16().requires_grad_()
    log_probs, _ = word_log_probs(half, weight.bfloat16(), None, torch.tensor([0]))
    log_probs.sum().backward()
    share = math.exp(-12) / (1 + math.exp(-12))
    assert log_probs.tolist() == pytest.approx([-share], rel=1e-3)
    assert half.grad.dtype == torch.bfloat16 and half.grad.tolist()[0] == pytest.approx([12 * share], rel=1e-2)


@pytest.mark.parametrize(("dtype", "near"), [("float32", 2e-5), ("bfloat16", 0.03)])
def test_they_are_trls(dtype, near):
    import torch
    from trl.kernels import ChunkedLogProbFunction

    hidden, weight, _, words = made(70, 32, 3000, 5, dtype)
    found = []
    for is_ours in (True, False):
        mine = hidden.clone().requires_grad_()
        if is_ours:
            log_probs, entropies = word_log_probs(mine, weight, None, words, 0.9)
        else:
            log_probs, entropies, *_ = ChunkedLogProbFunction.apply(
                mine, weight, None, words, 0.9, 1024, None, 1.0, ("log_probs", "entropy")
            )
        (log_probs * torch.linspace(-1, 1, 70)).sum().backward()
        found.append((log_probs.detach(), entropies.detach(), mine.grad.float()))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, atol=near, rtol=near)


def test_without_a_gradient_none_is_made():
    import torch

    hidden, weight, bias, words = made(3, 4, 9, 1)
    log_probs, _ = word_log_probs(hidden, weight, bias, words)
    assert not log_probs.requires_grad
    with torch.no_grad():
        kept, _ = word_log_probs(hidden.requires_grad_(), weight, bias, words)
    assert not kept.requires_grad and kept.equal(log_probs)
