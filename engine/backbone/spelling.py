"""Token ids become text as they come: only the last few are decoded again, whatever was said before.

Algorithm: a token may end in the middle of a character, or be a part of one, so text is given away where the decoding ends with a
whole character. From there on a fresh stretch begins; it is decoded together with the one before it, because some tokenizers
write a word otherwise at the beginning than within a text (after vLLM's incremental detokenization, which decodes both stretches
for each token; here what the earlier one says is remembered).

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
    """The stretch before, then the fresh one."""
    _fresh_from: int = 0
    _said_before: str = ""
    """What the stretch before says."""

    def add(self, token: int) -> str:
        """What the token adds, "" where a character still lacks bytes."""
        self._ids.append(token)
        said = self.decode(self._ids)
        # The tokenizer writes U+FFFD for bytes that are no character, which those of half a character are.
        if said.endswith("\ufffd") or len(said) <= len(self._said_before):
            return ""
        piece = said[len(self._said_before) :]
        del self._ids[: self._fresh_from]
        self._fresh_from = len(self._ids)
        self._said_before = self.decode(self._ids)
        self.text += piece
        return piece
