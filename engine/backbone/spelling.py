"""Token ids become text as they come: only the last few are decoded again, whatever was said before.

Algorithm: a token may end in the middle of a character, or be a part of one, so text is given away where the decoding ends with a
whole character, and the next stretch begins there. That is exact for byte-level vocabularies, as Qwen's families have them: their
tokens are bytes, and bytes that end with a whole character decode by themselves. (vLLM's incremental detokenization decodes the
stretch before along with it, twice a token, for vocabularies that write a word otherwise at the beginning of a text.)

Invariant: the pieces make up what decoding all ids at once gives, up to the last place where that ends with a whole character.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["Spelling"]


@dataclass(slots=True)
class Spelling:
    """`decode` is the tokenizer's, of ids; `text` is what was given away so far."""

    decode: Callable[[Sequence[int]], str]
    text: str = ""
    _ids: list[int] = field(default_factory=list)
    """Those whose text was not given away yet."""

    def add(self, token: int) -> str:
        """What the token adds, "" where a character still lacks bytes."""
        self._ids.append(token)
        piece = self.decode(self._ids)
        # The tokenizer writes U+FFFD for bytes that are no character, which those of half a character are.
        if piece.endswith("\ufffd"):
            return ""
        self._ids = []
        self.text += piece
        return piece
