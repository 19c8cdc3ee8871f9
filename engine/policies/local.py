"""The policy that runs in this process: a session on the backbone for each conversation.

The idea: parts become chat turns of the Qwen family, views become pictures cut from the originals at the budget of their
role, and the session does the rest.

Invariant: the policy holds no state of its own; what answers is whatever adapter is live when a turn begins.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transformers.models.qwen2_vl.image_processing_qwen2_vl import smart_resize

from engine.backbone.loading import Backbone, PixelBudget
from engine.backbone.session import Picture, Session
from engine.media import Pictures
from engine.operations import cut
from engine.policies.base import Turn
from engine.protocols import Part, PicturePart, WireProtocol, protocol_named
from engine.trace import View

__all__ = ["LocalConversation", "LocalPolicy"]


@dataclass(slots=True)
class LocalConversation:
    session: Session
    pictures: Pictures
    last_turn: Turn = Turn(0, True)

    def append(self, parts: Sequence[Part], *, system: str | None = None) -> None:
        self.session.append_user([self._shown(part) for part in parts], system=system)

    def _shown(self, part: Part) -> str | Picture:
        if isinstance(part, PicturePart):
            return Picture(cut(part.view, self.pictures), self.session.backbone.budgets[part.role])
        return part.text

    def recall(self, text: str) -> None:
        self.session.append_assistant(text)

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str]:
        yield from self.session.generate(max_tokens, is_cancelled)
        session = self.session
        told = session.sampled_log_probs[len(session.sampled_log_probs) - session.turn_tokens :]
        self.last_turn = Turn(session.turn_tokens, session.turn_is_complete, sum(told))

    def shown_sizes(self, views: Sequence[View]) -> tuple[tuple[int, int], ...]:
        budgets = self.session.backbone.budgets
        return tuple(
            self._shown_size(view, budgets["crop" if view.frame is None or view.box.area < 1 else "selected_frame"])
            for view in views
        )

    def _shown_size(self, view: View, budget: PixelBudget) -> tuple[int, int]:
        processor = self.session.backbone.processor.image_processor
        width, height = cut(view, self.pictures).size
        shown_height, shown_width = smart_resize(
            height,
            width,
            factor=processor.patch_size * processor.merge_size,
            min_pixels=budget.min_pixels,
            max_pixels=budget.max_pixels,
        )
        return shown_width, shown_height

    def close(self) -> None:
        self.session.close()


@dataclass(frozen=True, slots=True)
class LocalPolicy:
    """`backbone` answers with its live adapter; `temperature` counts only where a seed asks for sampling."""

    backbone: Backbone
    temperature: float = 1.0

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
            "quantization": self.backbone.quantization,
            "pixel_budgets": {role: dataclasses.asdict(budget) for role, budget in self.backbone.budgets.items()},
            "temperature": self.temperature,
        }

    def converse(self, pictures: Pictures, seed: int | None) -> LocalConversation:
        return LocalConversation(Session(self.backbone, seed, self.temperature), pictures)
