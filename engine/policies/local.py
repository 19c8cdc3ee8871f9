"""The policy that runs in this process: a session on the backbone for each conversation.

The idea: parts become chat turns of the Qwen family, views become pictures cut from the originals at the budget of their
role, and the session does the rest. With a `Serving`, the turns of conversations that go on in several threads are said in one
batch; without one, each takes the lease for itself.

Invariant: the policy holds no state of its own; what answers is whatever adapter is live when a turn begins.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from engine.backbone.loading import Backbone
from engine.backbone.seeing import Clip, Picture, Seen, clip_interval, shown_size
from engine.backbone.session import Session
from engine.backbone.together import generate_together
from engine.media import Pictures
from engine.operations import cut
from engine.policies.base import InLine, Recalled, Said, Turn, one_after_another
from engine.policies.serving import Serving, Ticket, looker_beside
from engine.protocols import Part, PicturePart, TextPart, WireProtocol, protocol_named, seen_together
from engine.trace import View

__all__ = ["LocalConversation", "LocalPolicy", "seen"]


@dataclass(slots=True)
class LocalConversation:
    """`opening_tokens` is how many tokens its first user turn came to, the start of the answer included, `views_shown` how
    many pictures and frames it showed; `ticket` is its place among those that are served; `looker` sees pictures from when
    they are added, None for when the turn is said."""

    session: Session
    pictures: Pictures
    opening_tokens: int = 0
    views_shown: int = 0
    serving: Serving | None = None
    ticket: Ticket = Ticket()
    looker: Executor | None = None

    def add(self, said: Sequence[Said]) -> None:
        for one in said:
            if isinstance(one, Recalled):
                self.session.append_assistant(one.text)
                continue
            self.session.append_user(list(self._seen(one.parts)), system=one.system)
            self.views_shown += sum(isinstance(part, PicturePart) for part in one.parts)
            self.opening_tokens = self.opening_tokens or self.session.ids.shape[1]
        if self.looker is not None:
            self.session.look_ahead(self.looker)

    def _seen(self, parts: Sequence[Part]) -> Iterator[str | Seen]:
        for is_text, some in groupby(parts, lambda part: isinstance(part, TextPart)):
            if is_text:
                yield from (part.text for part in some if isinstance(part, TextPart))
            else:
                shown = [part for part in some if isinstance(part, PicturePart)]
                yield from seen(shown, self.session.backbone, self.pictures)

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | InLine | Turn]:
        if self.serving is None:
            yield from self.session.generate(max_tokens, is_cancelled)
        else:
            yield from self.serving.speak(self.ticket, self.session, max_tokens, is_cancelled)
        yield self.turn()

    def turn(self) -> Turn:
        """The turn that the session generated last."""
        session = self.session
        told = session.sampled_log_probs[len(session.sampled_log_probs) - session.turn_tokens :]
        return Turn(
            session.turn_text, session.turn_tokens, session.turn_is_complete, sum(told), session.turn_is_repetitive
        )

    def fork(self, seed: int | None) -> LocalConversation:
        backbone = self.session.backbone
        with backbone.lease.held(), backbone.adapters.answering():
            self.session.prefill()
        forked = LocalConversation(
            self.session.fork(seed), self.pictures, self.opening_tokens, self.views_shown, self.serving
        )
        forked.ticket, forked.looker = self.ticket, self.looker
        return forked

    def weigh(self, given: str, text: str) -> float:
        """As `engine.policies.base.Weighing`, by a fork of the cache, under the lease."""
        backbone = self.session.backbone
        with backbone.lease.held(), backbone.adapters.answering():
            return self.session.weigh(given, text)

    def close(self) -> None:
        self.session.close()


@dataclass(frozen=True, slots=True)
class LocalPolicy:
    """`backbone` answers with its live adapter; `temperature` counts only where a seed asks for sampling. `serving`, of the
    same backbone, is for those who ask from several threads, each in the name of `asker`. Of conversations that speak
    together, `threads` are prepared at a time; where these are several, pictures are seen beside, while others are cut or
    spoken about."""

    backbone: Backbone
    temperature: float = 1.0
    serving: Serving | None = None
    threads: int = 1
    asker: str = ""
    _looker: Executor | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        looker = looker_beside(self.threads) if self.serving is None else self.serving.looker
        object.__setattr__(self, "_looker", looker)

    @property
    def name(self) -> str:
        live = self.backbone.adapters.live_name
        return self.backbone.name if live is None else f"{self.backbone.name}+{live}"

    @property
    def protocol(self) -> WireProtocol:
        return protocol_named(self.backbone.protocol_name)

    def settings(self) -> Mapping[str, Any]:
        return {
            "model": self.backbone.name,
            "adapter": self.backbone.adapters.live_name,
            "protocol": self.backbone.protocol_name,
            "protocol_reason": self.backbone.protocol_reason,
            "quantization": self.backbone.quantization,
            "pixel_budgets": {role: dataclasses.asdict(budget) for role, budget in self.backbone.budgets.items()},
            "temperature": self.temperature,
        }

    @property
    def is_preparing(self) -> bool:
        """As `engine.policies.base.prepares`."""
        return self._looker is not None and self.backbone.tower_apart is not None

    @property
    def helpers_cpu_s(self) -> float:
        """As in `engine.policies.base.cpu_s_with`."""
        apart = self.backbone.tower_apart
        return 0.0 if apart is None else apart.cpu_s

    def asked_by(self, asker: str) -> LocalPolicy:
        """As `engine.policies.base.asked_by`."""
        return dataclasses.replace(self, asker=asker)

    def converse(self, pictures: Pictures, seed: int | None) -> LocalConversation:
        session = Session(self.backbone, seed, self.temperature)
        if self.serving is None:
            return LocalConversation(session, pictures, looker=self._looker)
        ticket = self.serving.ticket(self.asker)
        return LocalConversation(session, pictures, serving=self.serving, ticket=ticket, looker=self._looker)

    def speak(
        self, conversations: Sequence[LocalConversation], max_tokens: Sequence[int], is_cancelled: Callable[[], bool]
    ) -> list[Turn]:
        """The lease is held for this one turn of all; between two tokens it is lent to whoever waits for it, where nobody can
        change what answers here meanwhile."""
        lease, adapters = self.backbone.lease, self.backbone.adapters
        if len(conversations) == 1 and not adapters.is_fixed:
            return one_after_another(conversations, max_tokens, is_cancelled)
        with ExitStack() as held:

            def take() -> None:
                held.enter_context(lease.held())
                held.enter_context(adapters.answering())

            def lend() -> None:
                if adapters.is_fixed and lease.is_wanted:
                    held.close()
                    take()

            take()
            sessions = [one.session for one in conversations]
            generate_together(sessions, max_tokens, is_cancelled, self.threads, between=lend)
        return [one.turn() for one in conversations]

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return tuple(
            shown_size(self.backbone, _size(part.view, pictures), self.backbone.budgets[part.role]) for part in shown
        )


def _size(view: View, pictures: Pictures) -> tuple[int, int]:
    """(width, height) of what `cut` gives, without cutting."""
    left, top, right, bottom = view.box.to_pixels(pictures[view.sha256].picture(view.frame).size)
    return right - left, bottom - top


def seen(shown: Sequence[PicturePart], backbone: Backbone, pictures: Pictures) -> list[Seen]:
    """Pictures that stand side by side, cut from their originals, as this backbone sees them in its wire format."""
    is_one_video = clip_interval(backbone) is not None
    made: list[Seen] = []
    for some in seen_together(shown, is_one_video=is_one_video):
        images, budget = tuple(cut(part.view, pictures) for part in some), backbone.budgets[some[0].role]
        is_clip = is_one_video and some[0].role == "frame"
        made.append(Clip(images, budget) if is_clip else Picture(images[0], budget))
    return made
