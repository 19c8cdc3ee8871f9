"""A key-value cache that has room: tokens are written into it instead of copying it for each of them.

    keys, values   [1, heads, n, d] a layer, the first n places of a buffer of `_room` or more

Algorithm: a buffer that is full is replaced by one half as large again, so that a token costs what it brings, not what is there
already (transformers' DynamicLayer joins all keys anew for each token).

Invariants: what was written is never written again, so that whoever holds `keys` keeps what he has; after `without_room` the
buffer is shared by nobody who writes.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import DynamicLayer

__all__ = ["RoomyLayer", "fresh_cache", "shared_cache"]

_LEAST_ROOM = 64


class RoomyLayer(DynamicLayer):
    """One layer's keys and values of one conversation."""

    _key_buffer: torch.Tensor
    _value_buffer: torch.Tensor

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write down what is new, [1, heads, t, d] each; returns all that is known, [1, heads, n + t, d] each."""
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if start == 0 or end > self._key_buffer.shape[-2]:
            self._make_room(key_states, value_states, start, end)
        self._key_buffer.narrow(2, start, end - start).copy_(key_states)
        self._value_buffer.narrow(2, start, end - start).copy_(value_states)
        self.keys, self.values = self._key_buffer.narrow(2, 0, end), self._value_buffer.narrow(2, 0, end)
        return self.keys, self.values

    def _make_room(self, key_states: torch.Tensor, value_states: torch.Tensor, start: int, end: int) -> None:
        room = end + max(end // 2, _LEAST_ROOM)
        buffers = [
            states.new_empty((*states.shape[:2], room, states.shape[3])) for states in (key_states, value_states)
        ]
        if self.keys is not None and self.values is not None:
            buffers[0][:, :, :start] = self.keys
            buffers[1][:, :, :start] = self.values
        self._key_buffer, self._value_buffer = buffers
        self.device, self.is_initialized = key_states.device, True

    def without_room(self) -> RoomyLayer:
        """The same keys and values, whose next token makes room of its own."""
        shared = copy.copy(self)
        if self.get_seq_length():
            shared._key_buffer, shared._value_buffer = self.keys, self.values  # type: ignore[assignment]
        return shared


def fresh_cache() -> Cache:
    """With nothing in it; a layer comes to be when it is first written to."""
    return Cache(layer_class_to_replicate=RoomyLayer)


def shared_cache(cache: Cache) -> tuple[Cache, Cache]:
    """The cache twice, for two conversations that go on from here; what it holds is not copied, and nobody writes to it."""
    pair = []
    for _ in range(2):
        one = fresh_cache()
        one.layers = [layer.without_room() for layer in cache.layers]  # type: ignore[union-attr]
        pair.append(one)
    return pair[0], pair[1]
