"""One conversation's tokens, positions, pictures and key-value cache on the backbone.

The idea: over the turns of a trace the history only grows, so nothing is computed twice: each picture is encoded once, and
each turn forwards only the tokens that the cache does not hold yet, at their exact multimodal rotary positions.

    ids        [1, n]       every token so far; cache covers a prefix of it
    positions  [3, 1, n]    temporal, height, width rotary positions (get_rope_index over the whole sequence)
    pixels     [p, d]       patches of one picture; grid [1, 3] its (1, patch rows, patch columns)

Algorithm: positions are computed over the full sequence and sliced, every forward is given its slice, and decoded tokens
continue at `n + delta`; so no state is left on the model (`rope_deltas` is never relied upon) and conversations may be
interleaved freely under the lease. Plain `generate()` with a cache and a new picture fails or is silently wrong
(docs/libraries.md); that is why the decoding loop is ours.

Forks share what was computed: a session that was prefilled can be copied, cache included, so that the G rollouts of one
prompt encode its pictures once (engine/training/rollouts.py).

Invariants: the logits equal those of a full re-prefill (a test holds them to 1e-4 in fp32, for Qwen3-VL and Qwen2.5-VL);
a turn is never dropped or rewritten; picture and video placeholders are never sampled. When the adapter that answers
changes between turns the cache is thrown away and rebuilt, pictures included.

Not covered: batches of conversations (rollout groups).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from PIL import Image
from transformers import DynamicCache
from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

from engine.backbone.loading import Backbone, PixelBudget
from engine.protocols import protocol_named

__all__ = ["IMAGE_PAD", "TURN_END", "Picture", "Session", "encode_picture", "shown_size"]

TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
VISION_START, IMAGE_PAD, VISION_END = "<|vision_start|>", "<|image_pad|>", "<|vision_end|>"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a user turn and the budget that it is shown at."""

    image: Image.Image
    budget: PixelBudget


@dataclass(slots=True)
class Session:
    """Greedy without a seed; with one, sampling at `temperature` from a generator of its own. `sampled_at` are the places
    in `ids` of the tokens that were generated here, `sampled_log_probs` what they were given: log softmax(logits /
    temperature), before placeholders are excluded."""

    backbone: Backbone
    seed: int | None = None
    temperature: float = 1.0
    ids: torch.Tensor = field(init=False)
    pixels: list[torch.Tensor] = field(default_factory=list)
    grids: list[torch.Tensor] = field(default_factory=list)
    encoded_pictures: int = 0
    turn_tokens: int = 0
    turn_is_complete: bool = True
    turn_text: str = ""
    sampled_at: list[int] = field(default_factory=list)
    sampled_log_probs: list[float] = field(default_factory=list)
    _cache: DynamicCache | None = None
    _cache_version: int = -1
    _generator: torch.Generator | None = None
    _is_open: bool = False
    _said: list[int] = field(default_factory=list)
    _ends: tuple[frozenset[int], int | None] = (frozenset(), None)

    def __post_init__(self) -> None:
        self.ids = torch.zeros((1, 0), dtype=torch.long)
        if self.seed is not None:
            self._generator = torch.Generator().manual_seed(self.seed)

    # --- building the history ---------------------------------------------------------------------------------------

    def append_user(self, parts: Sequence[str | Picture], system: str | None = None) -> None:
        """Add a user turn and open the assistant's. Special tokens that stand in a text are words in it, nothing more."""
        if self._is_open:
            self.end_turn()
            self._append_text("\n")
        if system is not None:
            self._append_turn("system", [system])
        self._append_turn("user", parts)
        self._append_special(TURN_START)
        self._append_text("assistant\n")
        self._is_open = True

    def append_assistant(self, text: str) -> None:
        """Say the assistant's turn, or go on with it, with a text that was not generated here."""
        self._append_text(text)

    def end_turn(self) -> None:
        """End the open assistant turn where it has not ended: generation may have stopped after a call or on request."""
        if self._is_open and int(self.ids[0, -1]) != self._id(TURN_END):
            self._append_special(TURN_END)

    def _append_turn(self, role: str, parts: Sequence[str | Picture]) -> None:
        """Texts that touch become tokens together, as in the chat template: "user\\n" and "\\nHere" share a token."""
        self._append_special(TURN_START)
        text = f"{role}\n"
        for part in parts:
            if isinstance(part, Picture):
                self._append_text(text)
                self._append_picture(part)
                text = ""
            else:
                text += part
        self._append_text(text)
        self._append_special(TURN_END)
        self._append_text("\n")

    def _append_text(self, text: str) -> None:
        tokenizer, tokens = self.backbone.tokenizer, []
        for words in self._without_specials(text):
            tokens += tokenizer(words, add_special_tokens=False)["input_ids"]
        if tokens:
            self._append_ids(torch.tensor([tokens], dtype=torch.long))

    def _without_specials(self, text: str) -> list[str]:
        """The text in pieces that hold no special token whole: a question may spell one, but only we may say it."""
        specials = [t.content for t in self.backbone.tokenizer.added_tokens_decoder.values() if t.special]
        if not any(special in text for special in specials):
            return [text]
        starts = re.finditer("|".join(f"(?={re.escape(special)})" for special in specials), text)
        cuts = [0, *(match.start() + 1 for match in starts), len(text)]
        return [text[start:end] for start, end in pairwise(cuts)]

    def _append_special(self, token: str) -> None:
        self._append_ids(torch.tensor([[self._id(token)]], dtype=torch.long))

    def _append_picture(self, picture: Picture) -> None:
        pixels, grid = encode_picture(self.backbone, picture)
        merge = self.backbone.processor.image_processor.merge_size
        count = int(grid.prod()) // merge**2
        self.pixels.append(pixels)
        self.grids.append(grid)
        ids = [self._id(VISION_START), *[self._id(IMAGE_PAD)] * count, self._id(VISION_END)]
        self._append_ids(torch.tensor([ids], dtype=torch.long))

    def _append_ids(self, ids: torch.Tensor) -> None:
        self.ids = torch.cat([self.ids, ids], dim=1)

    def _id(self, token: str) -> int:
        return self.backbone.tokenizer.convert_tokens_to_ids(token)

    # --- the model --------------------------------------------------------------------------------------------------

    def positions(self) -> tuple[torch.Tensor, int]:
        """Rotary positions [3, 1, n] of the whole sequence, and delta: a token at index i >= n stands at i + delta."""
        length = self.ids.shape[1]
        if not self.grids:
            return torch.arange(length).view(1, 1, -1).expand(3, 1, -1), 0
        is_picture = (self.ids == self._id(IMAGE_PAD)).int()
        positions, delta = self.backbone.model.model.get_rope_index(
            self.ids, mm_token_type_ids=is_picture, image_grid_thw=torch.cat(self.grids)
        )
        return positions, int(delta.flatten()[0])

    def prefill(self) -> None:
        """Forward everything but the last token, for `fork`, where that is not done. The lease must be held and the
        answering adapter chosen."""
        if self._is_current() and self.cache.get_seq_length() == self.ids.shape[1] - 1:
            return
        last, self.ids = self.ids[:, -1:], self.ids[:, :-1]
        self.next_logits()
        self._append_ids(last)

    def fork(self, seed: int | None) -> Session:
        """A session that goes on from here by itself, from `seed`; what the cache holds is not computed again."""
        forked = Session(self.backbone, seed, self.temperature)
        forked.ids, forked.pixels, forked.grids = self.ids, list(self.pixels), list(self.grids)
        forked.encoded_pictures, forked._is_open = self.encoded_pictures, self._is_open
        forked._cache, forked._cache_version = copy.copy(self._cache), self._cache_version
        if forked._cache is not None:
            # The layers' tensors are never changed in place, only replaced by longer ones.
            forked._cache.layers = [copy.copy(layer) for layer in forked._cache.layers]
        return forked

    @torch.no_grad()
    def next_logits(self) -> torch.Tensor:
        """Logits [vocabulary] in fp32 of the token after the history; forwards only what the cache lacks.

        The lease must be held and the answering adapter chosen.
        """
        network, device = self.backbone.model, self.backbone.device
        if not self._is_current():
            self._cache, self.encoded_pictures = DynamicCache(config=network.config), 0
            self._cache_version = self.backbone.adapters.version
        start = self.cache.get_seq_length()
        positions, _ = self.positions()
        fresh = slice(self.encoded_pictures, len(self.pixels))
        inputs: dict[str, Any] = {}
        if self.pixels[fresh]:
            inputs["pixel_values"] = torch.cat(self.pixels[fresh]).to(device, network.dtype)
            inputs["image_grid_thw"] = torch.cat(self.grids[fresh]).to(device)
        output = network(
            input_ids=self.ids[:, start:].to(device),
            position_ids=positions[:, :, start:].to(device),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
            **inputs,
        )
        self.encoded_pictures = len(self.pixels)
        return output.logits[0, -1].float().cpu()

    def _is_current(self) -> bool:
        """Whether what is cached is what the adapter that answers would compute."""
        return self._cache is not None and self._cache_version == self.backbone.adapters.version

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str]:
        """The next assistant turn in pieces of text. Holds the lease until the turn ends or the iterator is closed.

        Ends at the end of turn, after a call, at `max_tokens`, or within one token of `is_cancelled`; the last two
        leave `turn_is_complete` false.
        """
        self.begin_turn()
        with self.backbone.lease.held(), self.backbone.adapters.answering():
            delta: int | None = None
            while self.turn_tokens < max_tokens and not self.turn_is_complete and not is_cancelled():
                if delta is None:
                    logits = self.next_logits()
                    _, delta = self.positions()
                else:
                    logits = self._decode(delta)
                if piece := self.take(logits):
                    yield piece

    @property
    def cache(self) -> DynamicCache:
        """What is computed already; of the tokens before the newest one after `next_logits` and `take`."""
        if self._cache is None:
            raise RuntimeError("nothing is computed yet")
        return self._cache

    def begin_turn(self) -> None:
        self.turn_tokens, self.turn_is_complete, self.turn_text = 0, False, ""
        self._said, self._ends = [], (self._stop_ids(), self._call_end_id())

    def take(self, logits: torch.Tensor) -> str:
        """Choose the next token from logits [vocabulary] and say it; returns the text that it adds, "" for a part of a
        character. Sets `turn_is_complete` where the turn ends with it."""
        token = self._choose(logits)
        self.sampled_at.append(self.ids.shape[1])
        self.sampled_log_probs.append(float(torch.log_softmax(logits / self.temperature, dim=-1)[token]))
        self._append_ids(torch.tensor([[token]]))
        self.turn_tokens += 1
        stops, call_end = self._ends
        if token in stops:
            self.turn_is_complete = True
            return ""
        self._said.append(token)
        text, piece = self.backbone.tokenizer.decode(self._said, skip_special_tokens=False), ""
        # A character may still lack bytes; it is shown with the token that completes it.
        if not text.endswith("\ufffd") and len(text) > len(self.turn_text):
            piece, self.turn_text = text[len(self.turn_text) :], text
        self.turn_is_complete = token == call_end or (
            call_end is None and self.turn_text.rstrip().endswith(self._call_end)
        )
        return piece

    @torch.no_grad()
    def _decode(self, delta: int) -> torch.Tensor:
        """Logits after the newest token, which alone is not in the cache."""
        network, device = self.backbone.model, self.backbone.device
        position = self.ids.shape[1] - 1 + delta
        output = network(
            input_ids=self.ids[:, -1:].to(device),
            position_ids=torch.full((3, 1, 1), position, dtype=torch.long, device=device),
            past_key_values=self._cache,
            use_cache=True,
        )
        return output.logits[0, -1].float().cpu()

    def _choose(self, logits: torch.Tensor) -> int:
        logits = logits.clone()
        logits[self._never_sampled()] = float("-inf")
        if self._generator is None:
            return int(logits.argmax())
        probabilities = torch.softmax(logits / self.temperature, dim=-1)
        return int(torch.multinomial(probabilities, 1, generator=self._generator))

    def _never_sampled(self) -> list[int]:
        names = (IMAGE_PAD, "<|video_pad|>", VISION_START, VISION_END, TURN_START)
        ids = self.backbone.tokenizer.convert_tokens_to_ids(list(names))
        return [i for i in ids if i is not None]

    def _stop_ids(self) -> frozenset[int]:
        ids = {self._id(TURN_END), self.backbone.tokenizer.eos_token_id}
        return frozenset(i for i in ids if i is not None)

    @property
    def _call_end(self) -> str:
        return protocol_named(self.backbone.protocol_name).CALL_END

    def _call_end_id(self) -> int | None:
        ids = self.backbone.tokenizer(self._call_end, add_special_tokens=False)["input_ids"]
        return ids[0] if len(ids) == 1 else None

    def forget_cache(self) -> None:
        """Compute everything anew from here on, pictures included."""
        self._cache, self.encoded_pictures = None, 0

    def close(self) -> None:
        """Let the cache and the pictures go."""
        self._cache = None
        self.pixels.clear()
        self.grids.clear()


def encode_picture(backbone: Backbone, picture: Picture) -> tuple[torch.Tensor, torch.Tensor]:
    """pixels [p, d] and grid [1, 3] of a picture within its budget, on the CPU."""
    size = {"shortest_edge": picture.budget.min_pixels, "longest_edge": picture.budget.max_pixels}
    image, wanted = picture.image, _within_aspect(picture.image.size)
    images = [image if wanted == image.size else image.resize(wanted)]
    encoded = backbone.processor.image_processor(images=images, size=size, return_tensors="pt")
    return encoded["pixel_values"], encoded["image_grid_thw"]


_MAX_ASPECT = 199
"""smart_resize refuses pictures whose sides differ by more than 200 times; a sliver is shown a little wider instead."""


def _within_aspect(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    if max(width, height) <= _MAX_ASPECT * min(width, height):
        return size
    return max(width, -(-height // _MAX_ASPECT)), max(height, -(-width // _MAX_ASPECT))


def shown_size(backbone: Backbone, size: tuple[int, int], budget: PixelBudget) -> tuple[int, int]:
    """(width, height) in pixels at which `encode_picture` shows a picture of `size` within its budget."""
    processor = backbone.processor.image_processor
    width, height = _within_aspect(size)
    shown_height, shown_width = smart_resize(
        height,
        width,
        factor=processor.patch_size * processor.merge_size,
        min_pixels=budget.min_pixels,
        max_pixels=budget.max_pixels,
    )
    return shown_width, shown_height
