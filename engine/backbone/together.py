"""One turn of several sessions at once: a batch decodes as fast as its slowest row, not as the sum of its rows.

Algorithm: each session computes its own first logits (its new pictures, at its own length); then the sessions' key-value
caches are copied into one, padded on the left, and every further token of all of them costs one forward.

    keys, values   [B, heads, n, d] a layer; n is the longest cache, shorter ones are padded on the left
    mask           [B, n + t]       0 where padded; t tokens were decoded so far
    positions      [3, B, 1]        each row at its own place, so that padding moves nothing

Invariants: a session samples from its own generator and stops where it would alone, so it says the same words as in
`Session.generate` but for rounding (a test holds both to the same tokens in fp32); the sessions' own caches keep what
they were, without this turn, which is forwarded again together with what comes next (one forward in any case). A row that
has ended is carried along and ignored: leaving the batch would copy it.

Not covered: streaming; holding the lease, which is the caller's, with the answering adapter chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import DynamicCache, PreTrainedConfig

from engine.backbone.session import Session

__all__ = ["generate_together"]


@torch.no_grad()
def generate_together(
    sessions: Sequence[Session], max_tokens: Sequence[int], is_cancelled: Callable[[], bool]
) -> list[str]:
    """The next turn of every session, as text, each of at most its `max_tokens` (at least 1). Sets `turn_tokens`,
    `turn_text` and `turn_is_complete` of each, as `Session.generate` does. All must be on the same backbone."""
    for session in sessions:
        session.begin_turn()
    for session in sessions:
        if not is_cancelled():
            session.take(session.next_logits())
    speaking = [(s, most) for s, most in zip(sessions, max_tokens, strict=True) if _goes_on(s, most)]
    if speaking and not is_cancelled():
        _decode([session for session, _ in speaking], [most for _, most in speaking], is_cancelled)
    return [session.turn_text for session in sessions]


def _goes_on(session: Session, most: int) -> bool:
    return not session.turn_is_complete and session.turn_tokens < most


def _decode(sessions: Sequence[Session], max_tokens: Sequence[int], is_cancelled: Callable[[], bool]) -> None:
    backbone = sessions[0].backbone
    network, device = backbone.model, backbone.device
    cache, mask = _padded([session.cache for session in sessions], network.config, device)
    # The newest token of a session is not in its cache: it stands where the cache ends, moved by the pictures' delta.
    places = torch.tensor(
        [session.cache.get_seq_length() + session.positions()[1] for session in sessions], device=device
    )
    while any(_goes_on(s, most) for s, most in zip(sessions, max_tokens, strict=True)) and not is_cancelled():
        mask = torch.cat([mask, mask.new_ones(len(sessions), 1)], dim=1)
        output = network(
            input_ids=torch.cat([session.ids[:, -1:] for session in sessions]).to(device),
            attention_mask=mask,
            position_ids=places.view(1, -1, 1).expand(3, -1, 1),
            past_key_values=cache,
            use_cache=True,
        )
        logits = output.logits[:, -1].float().cpu()
        for session, most, row in zip(sessions, max_tokens, logits, strict=True):
            if _goes_on(session, most):
                session.take(row)
        places = places + 1


def _padded(
    caches: Sequence[DynamicCache], config: PreTrainedConfig, device: torch.device
) -> tuple[DynamicCache, torch.Tensor]:
    """The caches as one, and its mask [B, n]."""
    lengths = [cache.get_seq_length() for cache in caches]
    longest = max(lengths)
    together = DynamicCache(config=config)
    for index in range(len(caches[0].layers)):
        keys, values = (
            torch.cat(
                [
                    torch.nn.functional.pad(getattr(cache.layers[index], name), (0, 0, longest - length, 0))
                    for cache, length in zip(caches, lengths, strict=True)
                ]
            )
            for name in ("keys", "values")
        )
        together.update(keys, values, index)
    mask = torch.tensor([[0] * (longest - length) + [1] * length for length in lengths], device=device)
    return together, mask
