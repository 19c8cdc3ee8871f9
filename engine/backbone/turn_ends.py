"""Which tokens end a turn, and which are never said: the special tokens of the Qwen family.

Algorithm: a turn ends with the token that ends it in the chat template, with the end of text, or after a call. The end of a
call is one token where the tokenizer has it, and else looked for in the text: in its last characters alone, at each piece.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.backbone.loading import Backbone
from engine.protocols import protocol_named

__all__ = ["IMAGE_PAD", "TURN_END", "TURN_START", "VIDEO_PAD", "VISION_END", "VISION_START", "TurnEnds"]

TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
VISION_START, VISION_END = "<|vision_start|>", "<|vision_end|>"
IMAGE_PAD, VIDEO_PAD = "<|image_pad|>", "<|video_pad|>"
_NEVER_SAID = (IMAGE_PAD, VIDEO_PAD, VISION_START, VISION_END, TURN_START)


@dataclass(frozen=True, slots=True, eq=False)
class TurnEnds:
    """`stops` end a turn and are no part of its text. `call_end_id` does and is, None where the tokenizer needs several tokens
    for `call_end`. `never_said` is [k] on the CPU: placeholders and what opens a turn."""

    stops: frozenset[int]
    call_end: str
    call_end_id: int | None
    never_said: torch.Tensor

    @classmethod
    def of(cls, backbone: Backbone) -> TurnEnds:
        tokenizer = backbone.tokenizer
        stops = (tokenizer.convert_tokens_to_ids(TURN_END), tokenizer.eos_token_id)
        call_end = protocol_named(backbone.protocol_name).CALL_END
        call_end_ids = tokenizer(call_end, add_special_tokens=False)["input_ids"]
        never_said = [one for one in tokenizer.convert_tokens_to_ids(list(_NEVER_SAID)) if one is not None]
        return cls(
            stops=frozenset(one for one in stops if one is not None),
            call_end=call_end,
            call_end_id=call_end_ids[0] if len(call_end_ids) == 1 else None,
            never_said=torch.tensor(never_said, dtype=torch.long),
        )

    def is_call_end(self, token: int, piece: str, text: str) -> bool:
        """Whether a call ends with `token`, which added `piece` to the turn's `text` so far; white space may follow the end."""
        if self.call_end_id is not None:
            return token == self.call_end_id
        # White space alone ends nothing that the piece before it did not.
        return bool(piece.strip()) and text[-len(self.call_end) - len(piece) :].rstrip().endswith(self.call_end)
