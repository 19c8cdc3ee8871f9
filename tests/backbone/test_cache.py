"""The cache with room holds what transformers' own does, and two conversations that go on from it never meet."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st


@given(sizes=st.lists(st.integers(1, 90), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_it_holds_what_a_cache_that_joins_holds(sizes, seed):
    import torch
    from transformers import DynamicCache

    from engine.backbone.cache import fresh_cache

    generator = torch.Generator().manual_seed(seed)
    ours, theirs = fresh_cache(), DynamicCache()
    kept = []
    for size in sizes:
        keys, values = torch.randn(2, 1, 2, size, 3, generator=generator)
        got, wanted = ours.update(keys, values, 0), theirs.update(keys, values, 0)
        kept.append((got, wanted))
    for (got, got_values), (wanted, wanted_values) in kept:  # also what was given out before it grew
        assert torch.equal(got, wanted) and torch.equal(got_values, wanted_values)
    assert ours.get_seq_length() == sum(sizes)


def test_two_that_go_on_from_one_never_meet():
    import torch

    from engine.backbone.cache import fresh_cache, shared_cache

    trunk = fresh_cache()
    trunk.update(torch.zeros(1, 1, 3, 2), torch.zeros(1, 1, 3, 2), 0)
    one, other = shared_cache(trunk)
    assert one.layers[0].keys.data_ptr() == other.layers[0].keys.data_ptr()
    for cache, value in ((one, 1.0), (other, 2.0)):
        keys, _ = cache.update(torch.full((1, 1, 1, 2), value), torch.full((1, 1, 1, 2), value), 0)
        assert keys[0, 0, :, 0].tolist() == [0, 0, 0, value]
    assert one.layers[0].keys[0, 0, :, 0].tolist() == [0, 0, 0, 1.0]
