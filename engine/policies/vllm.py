"""The policy whose words a vLLM server says, while the conversation stays here: rollouts on a GPU that trains nothing.

The idea: tokens, pictures and the ends of turns are those of the local session; only who chooses the tokens of a turn is another.
The history goes there as token ids, with what the server itself made of its pictures (features); token ids come back, each with
its log-probability, and the session takes them until its turn is over by its own rules.

    features    {"mm_placeholders": {"image": [{"offset", "length"}, ...]}, ...} of one history: where its pictures stand in the
                token ids, and what vLLM wants said beside that, which nobody here reads

Source: TRL 1.16, generation/vllm_client.py and `_place_features` of vllm_generation.py. Different: every history is a request of
its own, with its own seed and limit; pictures are sent at the size that the budget of their role gives them, since the server
knows one budget for all; and where the server counts other tokens for one, that is said before anything is generated.

Invariants: nothing is computed and no lease is taken here; a placeholder that the server says ends its turn, as cut off, and is
no part of it. `is_cancelled` is asked once a round, since the server says a turn as a whole.

Not covered: the server's weights (`engine.training.vllm_server`); clips that go in as one video, which TRL's client
does not send.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from PIL import Image

from engine.backbone.seeing import Clip, Seen, as_shown
from engine.backbone.session import Session
from engine.backbone.turn_ends import TurnEnds
from engine.errors import PersonError, Unavailable
from engine.media import Pictures
from engine.policies.base import Turn
from engine.policies.local import LocalConversation, LocalPolicy
from engine.protocols import Part

__all__ = ["Generating", "ServedConversation", "ServedPolicy", "reason_of"]

_AT_ONCE = 64
"""Requests on the wire, as TRL's client keeps connections for."""

Features = dict[str, Any]


class Generating(Protocol):
    """What is asked of trl.generation.vllm_client.VLLMClient to say a turn."""

    def image_features(self, images: list[list[Image.Image]]) -> Sequence[Features | None]:
        """Of the pictures of each history; None for one that has none."""

    def generate(
        self,
        prompts: list[list[int]],
        features: list[Features | None],
        *,
        temperature: float,
        max_tokens: int,
        logprobs: int,
        generation_kwargs: dict[str, Any],
    ) -> Mapping[str, Any]:
        """`completion_ids` [prompts][tokens] and `logprobs` [prompts][tokens][1], those of the tokens said; None for a
        number that the server could not give."""


@dataclass(slots=True)
class ServedConversation(LocalConversation):
    """`images` are the pictures shown so far, at the size they are shown in."""

    images: tuple[Image.Image, ...] = ()

    def _seen(self, parts: Sequence[Part]) -> Iterator[str | Seen]:
        for one in LocalConversation._seen(self, parts):
            if isinstance(one, Clip):
                raise Unavailable("this wire format shows a clip as one video, which is not sent to a vLLM server")
            if not isinstance(one, str):
                self.images = (*self.images, as_shown(self.session.backbone, one))
            yield one

    def fork(self, seed: int | None) -> ServedConversation:
        """Shares no more than what was shown: nothing is computed here."""
        session = self.session.fork(seed)
        return ServedConversation(session, self.pictures, self.opening_tokens, self.views_shown, images=self.images)


@dataclass(frozen=True, slots=True)
class ServedPolicy(LocalPolicy):
    """`backbone` knows tokens, budgets and the wire format; `server` has its weights."""

    server: Generating = field(kw_only=True)

    def converse(self, pictures: Pictures, seed: int | None) -> ServedConversation:
        return ServedConversation(Session(self.backbone, seed, self.temperature), pictures)

    def speak(
        self, conversations: Sequence[Any], max_tokens: Sequence[int], is_cancelled: Callable[[], bool]
    ) -> list[Turn]:
        """As `Policy.speak`. Raises Unavailable where the server does not answer, or sees a picture in another size."""
        for one in conversations:
            one.session.begin_turn()
        if not is_cancelled():
            try:
                said = self._said(conversations, max_tokens)
            except PersonError:
                raise
            except Exception as error:  # the client raises no class of its own
                raise Unavailable(f"the vLLM server did not say a turn: {reason_of(error)}") from error
            never = set(TurnEnds.of(self.backbone).never_said.tolist())
            for one, most, tokens in zip(conversations, max_tokens, said, strict=True):
                for token, log_prob in tokens:
                    if token in never or not one.session.goes_on(most):
                        break
                    one.session.take_chosen(token, log_prob)
        return [one.turn() for one in conversations]

    def _said(
        self, conversations: Sequence[ServedConversation], max_tokens: Sequence[int]
    ) -> list[list[tuple[int, float]]]:
        """(token, log-probability) of the next turn of each, as it comes."""
        shown = {
            tuple(map(id, one.images)): list(one.images) for one in conversations
        }  # forks share what they opened with
        features = dict(zip(shown, self.server.image_features(list(shown.values())), strict=True))
        ends = TurnEnds.of(self.backbone)
        stops = sorted(ends.stops | ({ends.call_end_id} if ends.call_end_id is not None else set()))

        def ask(one: ServedConversation, most: int) -> list[tuple[int, float]]:
            found = self.server.generate(
                prompts=[one.session.ids[0].tolist()],
                features=[_placed(features[tuple(map(id, one.images))], one)],
                temperature=self.temperature,
                max_tokens=most,
                logprobs=0,
                generation_kwargs={"seed": _turn_seed(one.session), "stop_token_ids": stops},
            )
            ((ids,), (log_probs,)) = found["completion_ids"], found["logprobs"]
            if len(ids) != len(log_probs) or any(one is None for (one,) in log_probs):
                raise Unavailable("the vLLM server gave a token without its log-probability, which training needs")
            return [(token, float(log_prob)) for token, (log_prob,) in zip(ids, log_probs, strict=True)]

        with ThreadPoolExecutor(min(_AT_ONCE, len(conversations))) as pool:
            return list(pool.map(ask, conversations, max_tokens))


def _turn_seed(session: Session) -> int | None:
    """Of the conversation's first turn its seed, of a later one another."""
    return None if session.seed is None else (session.seed + len(session.sampled_at)) % 2**63


def _placed(features: Features | None, conversation: ServedConversation) -> Features | None:
    """The features with their pictures where these stand in the token ids of the conversation. Raises Unavailable."""
    if features is None:
        return None
    spans = conversation.session.picture_spans
    here = [stop - start for start, stop in spans]
    there = [int(one["length"]) for one in features["mm_placeholders"]["image"]]
    for image, ours, theirs in zip(conversation.images, here, there, strict=True):
        if ours != theirs:
            raise Unavailable(
                f"the vLLM server sees a picture of {image.width} x {image.height} pixels as {theirs} tokens, the network here "
                f"as {ours}: start the server with a pixel budget that leaves pictures as they are sent"
            )
    placeholders = [{"offset": start, "length": stop - start} for start, stop in spans]
    return {**features, "mm_placeholders": {**features["mm_placeholders"], "image": placeholders}}


def reason_of(error: Exception) -> str:
    """What TRL's client raised, which is of no class of its own, in a line."""
    return (str(error).strip() or type(error).__name__).partition("\n")[0]
