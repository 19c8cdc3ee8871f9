"""Whether a turn goes round in circles: a greedy model that says a phrase twice may say it until its tokens are spent.

    period   p   the last n tokens are copies of the same p tokens, p from 1 to 64
    n            at least 128 tokens, and at least 8 copies

Algorithm: for each period the number of tokens that equal the one p places before, without a break; a token costs 64
comparisons. Different from a repetition penalty, which changes what is said before it is wrong; rows of a table, whose numbers
differ, never trigger it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["LEAST_COPIES", "LEAST_TOKENS", "LONGEST_PERIOD", "Repetition"]

LONGEST_PERIOD = 64
LEAST_COPIES = 8
LEAST_TOKENS = 128


@dataclass(slots=True)
class Repetition:
    """Of one turn's tokens, told one by one."""

    _equal: list[int] = field(default_factory=lambda: [0] * LONGEST_PERIOD)
    """By period - 1: how many tokens in a row equal the one a period before."""

    def is_found(self, tokens: Sequence[int]) -> bool:
        """Whether the turn, whose newest token is the last of `tokens`, repeats itself. To be asked after every token."""
        newest, count = tokens[-1], len(tokens)
        periods = min(LONGEST_PERIOD, count - 1)
        before = tokens[count - 1 - periods : count - 1]
        # before[-p] is the token a period of p before the newest.
        self._equal[:periods] = [
            so_far + 1 if earlier == newest else 0
            for so_far, earlier in zip(self._equal, reversed(before), strict=False)
        ]
        if count < LEAST_TOKENS:
            return False
        return any(
            equal + period >= max(LEAST_TOKENS, LEAST_COPIES * period)
            for period, equal in enumerate(self._equal, 1)
            if equal
        )
