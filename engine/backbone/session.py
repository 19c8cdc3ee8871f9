"""One conversation's tokens, positions, pictures and key-value cache on the backbone.

The idea: over the turns of a trace the history only grows, so nothing is computed twice: each picture is encoded once, and
each turn forwards only the tokens that the cache does not hold yet, at their exact multimodal rotary positions.

    ids        [1, n]       every token so far; cache covers a prefix of it
    positions  [3, 1, n]    temporal, height, width rotary positions (`engine.backbone.positions`)
    pixels     [p, d]       patches of one picture or clip; grid [1, 3] its (temporal patches, patch rows, patch columns)

Algorithm: positions are computed over the full sequence and sliced, every forward is given its slice, and decoded tokens
continue at `n + delta`; so no state is left on the model (`rope_deltas` is never relied upon) and conversations may be
interleaved freely under the lease. Plain `generate()` with a cache and a new picture fails or is silently wrong
(docs/libraries.md); that is why the decoding loop is ours. A long history is computed in pieces of at most `PIECE_TOKENS`,
between which others may speak (chunked prefill); the pieces are the same whoever else speaks, so that the words are, too.

Forks share what was computed: a session that was prefilled can be copied, cache included, so that the G rollouts of one
prompt encode its pictures once (engine/training/rollouts.py).

Invariants: the logits equal those of a full re-prefill (a test holds them to 1e-4 in fp32, for Qwen3-VL and Qwen2.5-VL);
a turn is never dropped or rewritten; picture and video placeholders are never sampled. When the adapter that answers
changes between turns the cache is thrown away and rebuilt, pictures included.

Not covered: several conversations at once (`engine.backbone.together`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from transformers import Cache

from engine.backbone.cache import fresh_cache, shared_cache
from engine.backbone.loading import Backbone
from engine.backbone.positions import rope_positions
from engine.backbone.repetition import Repetition
from engine.backbone.rows import forward_rows
from engine.backbone.seeing import Picture, Seen, clip_interval, encode_seen
from engine.backbone.spelling import Spelling
from engine.backbone.tower_apart import TowerApart, see
from engine.backbone.turn_ends import IMAGE_PAD, TURN_END, TURN_START, VIDEO_PAD, VISION_END, VISION_START, TurnEnds

__all__ = [
    "IMAGE_PAD",
    "PIECE_TOKENS",
    "TURN_END",
    "Session",
]

PIECE_TOKENS = 1024
"""The most tokens of a history that are computed without a break."""

_LEAST_ROOM = 256

Features = tuple[torch.Tensor, ...]
"""What the language model gets of a picture, [tokens, hidden], then what it adds to its first layers, each the same shape."""


@dataclass(slots=True)
class Session:
    """Greedy without a seed; with one, sampling at `temperature` from a generator of its own. `sampled_at` are the places
    in `ids` of the tokens that were generated, `sampled_log_probs` what they were given: log softmax(logits /
    temperature), before placeholders are excluded. A turn that `is_repetitive` was ended for it (`backbone.repetition`)."""

    backbone: Backbone
    seed: int | None = None
    temperature: float = 1.0
    pixels: list[torch.Tensor] = field(default_factory=list)
    grids: list[torch.Tensor] = field(default_factory=list)
    turn_tokens: int = 0
    turn_is_complete: bool = True
    turn_is_repetitive: bool = False
    turn_text: str = ""
    sampled_at: list[int] = field(default_factory=list)
    sampled_log_probs: list[float] = field(default_factory=list)
    _buffer: torch.Tensor = field(init=False)
    _length: int = 0
    _picture_spans: list[tuple[int, int]] = field(default_factory=list)
    """Where in `ids` each picture's tokens stand, its end not included."""
    _features: dict[int, Features] = field(default_factory=dict)
    """What the tower made of pictures whose tokens the cache does not hold yet, by their number."""
    _seen_as: type[Any] = object
    """The tower's own kind of output."""
    _looking: Future[None] | None = None
    """Whoever sees pictures for it beforehand."""
    _cache: Cache | None = None
    _cache_version: int = -1
    _delta: int = 0
    _generator: torch.Generator | None = None
    _is_open: bool = False
    _said: list[int] = field(default_factory=list)
    _spelling: Spelling | None = None
    _repetition: Repetition = field(default_factory=Repetition)
    _ends: TurnEnds | None = None

    def __post_init__(self) -> None:
        self._buffer = torch.zeros((1, _LEAST_ROOM), dtype=torch.long)
        if self.seed is not None:
            self._generator = torch.Generator().manual_seed(self.seed)

    @property
    def ids(self) -> torch.Tensor:
        """[1, n] on the CPU; what stands there never changes."""
        return self._buffer[:, : self._length]

    # --- building the history ---------------------------------------------------------------------------------------

    def append_user(self, parts: Sequence[str | Seen], system: str | None = None) -> None:
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

    def _append_turn(self, role: str, parts: Sequence[str | Seen]) -> None:
        """Texts that touch become tokens together, as in the chat template: "user\\n" and "\\nHere" share a token."""
        encoded = iter(encode_seen(self.backbone, [part for part in parts if isinstance(part, Seen)]))
        self._append_special(TURN_START)
        text = f"{role}\n"
        for part in parts:
            if isinstance(part, Seen):
                self._append_text(text)
                self._append_seen(part, *next(encoded))
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
            self._append_ids(tokens)

    def _without_specials(self, text: str) -> list[str]:
        """The text in pieces that hold no special token whole: a question may spell one, but only we may say it."""
        specials = [t.content for t in self.backbone.tokenizer.added_tokens_decoder.values() if t.special]
        if not any(special in text for special in specials):
            return [text]
        starts = re.finditer("|".join(f"(?={re.escape(special)})" for special in specials), text)
        cuts = [0, *(match.start() + 1 for match in starts), len(text)]
        return [text[start:end] for start, end in pairwise(cuts)]

    def _append_special(self, token: str) -> None:
        self._append_ids([self._id(token)])

    def _append_seen(self, seen: Seen, pixels: torch.Tensor, grid: torch.Tensor) -> None:
        count = int(grid.prod()) // self._merge**2
        placeholder = self._id(IMAGE_PAD if isinstance(seen, Picture) else VIDEO_PAD)
        self.pixels.append(pixels)
        self.grids.append(grid)
        self._picture_spans.append((self._length + 1, self._length + 1 + count))
        self._append_ids([self._id(VISION_START), *[placeholder] * count, self._id(VISION_END)])

    @property
    def _merge(self) -> int:
        return self.backbone.processor.image_processor.merge_size

    def _append_ids(self, ids: Sequence[int]) -> None:
        end = self._length + len(ids)
        if end > self._buffer.shape[1]:
            roomier = torch.zeros((1, end + end // 2), dtype=torch.long)
            roomier[:, : self._length] = self.ids
            self._buffer = roomier
        if len(ids) == 1:
            self._buffer[0, self._length] = ids[0]
        else:
            self._buffer[0, self._length : end] = torch.tensor(ids, dtype=torch.long)
        self._length = end

    def _id(self, token: str) -> int:
        return self.backbone.tokenizer.convert_tokens_to_ids(token)

    # --- the model --------------------------------------------------------------------------------------------------

    def positions(self) -> tuple[torch.Tensor, int]:
        """Rotary positions [3, 1, n] of the whole sequence, and delta: a token at index i >= n stands at i + delta."""
        if not self.grids:
            return torch.arange(self._length).view(1, 1, -1).expand(3, 1, -1), 0
        positions, delta = rope_positions(self.is_seen, self.grids, self._merge, clip_interval(self.backbone) or 1)
        return positions[:, None], delta

    @property
    def picture_spans(self) -> tuple[tuple[int, int], ...]:
        """Where in `ids` each picture's tokens stand, the end of each not included."""
        return tuple(self._picture_spans)

    @property
    def is_seen(self) -> torch.Tensor:
        """[n]: the tokens of pictures and clips."""
        seen = torch.zeros(self._length, dtype=torch.bool)
        for start, end in self._picture_spans:
            seen[start:end] = True
        return seen

    @property
    def network_ids(self) -> torch.Tensor:
        """[1, n]: as the network is given them. Placeholders of clips stand as those of pictures: what replaces them is made
        in the same way, and where it stands in time is told by the positions."""
        ids = self.ids
        return ids.masked_fill(self.is_seen, self._id(IMAGE_PAD)) if self.grids else ids

    def prefill(self) -> None:
        """Forward everything but the last token, for `fork`, where that is not done. The lease must be held and the
        answering adapter chosen."""
        for _ in self.computing(self._length - 1):
            pass

    def fork(self, seed: int | None) -> Session:
        """A session that goes on from here by itself, from `seed`; what the cache holds is not computed again."""
        forked = type(self)(self.backbone, seed, self.temperature)
        forked._append_ids(self.ids[0].tolist())
        forked.pixels, forked.grids = list(self.pixels), list(self.grids)
        forked._picture_spans, forked._features = list(self._picture_spans), dict(self._features)
        forked._seen_as = self._seen_as
        forked._is_open, forked._cache_version = self._is_open, self._cache_version
        if self._cache is not None:
            self._cache, forked._cache = shared_cache(self._cache)
        return forked

    def next_logits(self) -> torch.Tensor:
        """Logits [vocabulary] in fp32 of the token after the history; forwards only what the cache lacks.

        The lease must be held and the answering adapter chosen.
        """
        computing = self.computing()
        while True:
            try:
                next(computing)
            except StopIteration as done:
                logits: torch.Tensor = done.value
                return logits

    def weigh(self, given: str, text: str) -> float:
        """The natural logarithm of the probability of `text` as the next words of a turn that began with `given`, at
        temperature 1: what is spelt is `given + text`, and the tokens count that reach into `text`. The session stays as it
        was. The lease must be held and the answering adapter chosen.
        """
        ids: list[int] = []
        first = start = 0
        for words in self._without_specials(given + text):
            spelt = self.backbone.tokenizer(words, add_special_tokens=False, return_offsets_mapping=True)
            ids += spelt["input_ids"]
            first += sum(start + end <= len(given) for _, end in spelt["offset_mapping"])
            start += len(words)
        self.prefill()
        fork = self.fork(None)
        fork._append_ids(ids[:first])
        total = 0.0
        for number, token in enumerate(ids[first:]):
            logits = fork.decode() if number else fork.next_logits()
            total += float(torch.log_softmax(logits, dim=-1)[token])
            fork._append_ids([token])
        return total

    def computing(self, end: int | None = None) -> Generator[int, None, torch.Tensor]:
        """`next_logits` piece by piece, up to `end` of the history: yields the tokens that each piece came to, some pictures
        seen or a part of the history forwarded, and returns the logits [vocabulary] after the last.

        Whoever stops in between may go on later by a fresh call: what is computed is kept.
        """
        end = self._length if end is None else end
        self.is_looked_at()
        if not self._is_current():
            self._cache, self._cache_version = fresh_cache(), self.backbone.adapters.version
        positions, self._delta = self.positions()
        cache, logits = self.cache, torch.zeros(0)
        yield from self._look()
        while (start := cache.get_seq_length()) < end:
            stop = min(end, start + PIECE_TOKENS)
            logits = self._forward(start, stop, positions)
            yield stop - start
        return logits

    def look_ahead(self, looker: Executor) -> None:
        """Let what is not computed yet be seen by `looker`. Neither the lease nor an adapter is needed: adapters are on the
        language model alone. Nothing is added to the history meanwhile."""

        def look() -> None:
            for _ in self._look(self.backbone.tower_apart):
                pass

        self._looking = looker.submit(look)

    def is_looked_at(self, most_s: float | None = None) -> bool:
        """Whether nobody looks ahead any more, for which it waits at most `most_s`. Raises what the looking raised."""
        if self._looking is not None:
            try:
                self._looking.result(most_s)
            except TimeoutError:
                return False
            self._looking = None
        return True

    def _look(self, apart: TowerApart | None = None) -> Iterator[int]:
        """See the pictures that are not in the cache, some at a time, `apart` where that can be; yields the tokens that they came
        to."""
        known = self._cache.get_seq_length() if self._cache is not None and self._is_current() else 0
        unseen = [
            number
            for number, (_, stop) in enumerate(self._picture_spans)
            if stop > known and number not in self._features
        ]
        for group in _within(unseen, [stop - start for start, stop in self._picture_spans], PIECE_TOKENS):
            self._see(group, apart)
            yield sum(stop - start for start, stop in (self._picture_spans[number] for number in group))

    @torch.inference_mode()
    def _see(self, numbers: Sequence[int], apart: TowerApart | None) -> None:
        """What the vision tower makes of these pictures."""
        network, device = self.backbone.model, self.backbone.device
        pixels = torch.cat([self.pixels[number] for number in numbers]).to(device, network.dtype)
        grids = torch.cat([self.grids[number] for number in numbers]).to(device)
        seen = None if apart is None else apart.see(pixels, grids)
        self._seen_as, layers = seen or see(network.model.visual, pixels, grids)
        sizes = [end - start for start, end in (self._picture_spans[number] for number in numbers)]
        self._features.update(zip(numbers, zip(*(layer.split(sizes) for layer in layers), strict=True), strict=True))

    @torch.inference_mode()
    def _forward(self, start: int, stop: int, positions: torch.Tensor) -> torch.Tensor:
        """The history from `start` to `stop` through the network, into the cache."""
        network, device = self.backbone.model, self.backbone.device
        shown: list[Features] = []
        for number, (first, end) in enumerate(self._picture_spans):
            if first < stop and end > start:
                part = slice(max(first, start) - first, min(end, stop) - first)
                shown.append(tuple(layer[part] for layer in self._features[number]))
        seen = None
        if shown:
            pooled, *deeper = zip(*shown, strict=True)
            has_deeper = hasattr(self._seen_as, "deepstack_features")
            more = {"deepstack_features": deeper} if has_deeper else {}
            seen = {"image": self._seen_as(pooler_output=pooled, **more)}
        output = network(
            input_ids=self.network_ids[:, start:stop].to(device),
            position_ids=positions[:, :, start:stop].to(device),
            cache=self._cache,
            use_cache=True,
            logits_to_keep=1,
            mm_encoder_outputs=seen,
        )
        for number, (_, end) in enumerate(self._picture_spans):
            if end <= stop:
                self._features.pop(number, None)
        logits: torch.Tensor = output.logits[0, -1].float().cpu()
        return logits

    def _is_current(self) -> bool:
        """Whether what is cached is what the adapter that answers would compute."""
        return self._cache is not None and self._cache_version == self.backbone.adapters.version

    @property
    def cache(self) -> Cache:
        """What is computed already; of the tokens before the newest one after `next_logits` and `take`."""
        if self._cache is None:
            raise RuntimeError("nothing is computed yet")
        return self._cache

    # --- the turn that is being said --------------------------------------------------------------------------------

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str]:
        """The next assistant turn in pieces of text. Holds the lease until the turn ends or the iterator is closed.

        Ends at the end of turn, after a call, at `max_tokens`, where it repeats itself, or within one token of
        `is_cancelled`; the last three leave `turn_is_complete` false.
        """
        self.begin_turn()
        with self.backbone.lease.held(), self.backbone.adapters.answering():
            is_begun = False
            while self.goes_on(max_tokens) and not is_cancelled():
                logits = self.decode() if is_begun else self.next_logits()
                is_begun = True
                if piece := self.take(logits):
                    yield piece

    def begin_turn(self) -> None:
        self.turn_tokens, self.turn_is_complete, self.turn_is_repetitive = 0, False, False
        self.turn_text, self._said = "", []
        self._ends = self._ends or TurnEnds.of(self.backbone)
        self._spelling, self._repetition = Spelling(self._decoded), Repetition()

    def goes_on(self, max_tokens: int) -> bool:
        """Whether the turn is not at its end yet."""
        return not (self.turn_is_complete or self.turn_is_repetitive) and self.turn_tokens < max_tokens

    def newest(self) -> tuple[int, int]:
        """The newest token, which alone the cache lacks, and its rotary position."""
        return int(self._buffer[0, self._length - 1]), self._length - 1 + self._delta

    def decode(self) -> torch.Tensor:
        """Logits [vocabulary] after the newest token."""
        token, place = self.newest()
        return forward_rows(self.backbone.model, [token], [place], [self.cache], self.backbone.device)[0].float().cpu()

    def take(self, logits: torch.Tensor) -> str:
        """Choose the next token from logits [vocabulary], which are used up, and say it; returns the text that it adds, "" for
        a part of a character. Sets `turn_is_complete` where the turn ends with it."""
        assert self._ends is not None  # set when the turn begins
        return self._say(self._choose(logits, self._ends.never_said))

    def take_chosen(self, token: int, log_prob: float) -> str:
        """As `take`, a token that was chosen elsewhere, where it was given `log_prob`."""
        self.sampled_at.append(self._length)
        self.sampled_log_probs.append(log_prob)
        return self._say(token)

    def _say(self, token: int) -> str:
        assert self._ends is not None and self._spelling is not None  # set when the turn begins
        self._append_ids([token])
        self.turn_tokens += 1
        if token in self._ends.stops:
            self.turn_is_complete = True
            return ""
        self._said.append(token)
        piece = self._spelling.add(token)
        self.turn_text = self._spelling.text
        self.turn_is_complete = self._ends.is_call_end(token, piece, self.turn_text)
        self.turn_is_repetitive = not self.turn_is_complete and self._repetition.is_found(self._said)
        return piece

    @torch.inference_mode()
    def _choose(self, logits: torch.Tensor, never_said: torch.Tensor) -> int:
        """The token, whose log-probability is noted with its place."""
        log_probs = torch.log_softmax(logits / self.temperature if self.temperature != 1 else logits, dim=-1)
        if self._generator is None:
            token = int(logits.index_fill_(0, never_said, float("-inf")).argmax())
        else:
            token = _drawn(log_probs.exp().index_fill_(0, never_said, 0.0), self._generator)
        self.sampled_at.append(self._length)
        self.sampled_log_probs.append(float(log_probs[token]))
        return token

    def _decoded(self, ids: Sequence[int]) -> str:
        text: str = self.backbone.tokenizer.decode(ids, skip_special_tokens=False)
        return text

    def forget_cache(self) -> None:
        """Compute everything anew from here on, pictures included."""
        self._cache = None
        self._features.clear()

    def close(self) -> None:
        """Let the cache and the pictures go."""
        self.forget_cache()
        self.pixels.clear()
        self.grids.clear()
        self._picture_spans.clear()


def _drawn(weights: torch.Tensor, generator: torch.Generator) -> int:
    """The place of one of `weights` [n], each as often as it weighs, by inverting their sum; a weight of 0 never. (torch's
    multinomial draws a number for each of them: ten times as long for 150,000 words.)"""
    sums = weights.cumsum(0, dtype=torch.float64)
    drawn = (1 - torch.rand(1, generator=generator, dtype=torch.float64)) * sums[-1]  # in (0, all]
    return int(torch.searchsorted(sums, drawn))


def _within(numbers: Sequence[int], sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """The numbers in order, in groups that come to `most` in size, or of one number."""
    group: list[int] = []
    for number in numbers:
        if group and sum(sizes[one] for one in group) + sizes[number] > most:
            yield group
            group = []
        group.append(number)
    if group:
        yield group
