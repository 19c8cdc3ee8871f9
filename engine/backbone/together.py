"""Turns of several sessions at once: a token of all of them costs hardly more than a token of one.

    row      a session that says its turn: first what its cache lacks is computed, then a token of it comes with every step
    step     a token of every row that speaks (`decode`), and a bounded part of what the others lack (`compute`)

Algorithm: continuous batching (Orca, OSDI 2022) with chunked prefill (Sarathi, arXiv 2308.16369). Rows join and leave between
two steps, and nothing is copied for it (`engine.backbone.rows`). What a newcomer brings, however long, is computed in pieces
between the steps of the others, who so wait for one piece and no longer. Different from both: a piece is a forward of its own,
not a part of the others' forward, so that what a session says does not depend on who speaks beside it but for the order in
which a matrix product sums up.

Invariant: a session samples from its own generator and stops where it would alone; a row that fails, fails alone, unless the
step of all does.

Not covered: streaming and waiting in line (`engine.policies.serving`); holding the lease, which is the caller's, with the
answering adapter chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import torch

from engine.backbone.loading import Backbone
from engine.backbone.rows import forward_rows
from engine.backbone.session import Session

__all__ = ["Batch", "Row", "generate_together"]


@dataclass(slots=True, eq=False)
class Row:
    """A session's turn of at most `max_tokens` (from 1). `pieces` are what it said, `error` what ended it, if anything did."""

    session: Session
    max_tokens: int
    pieces: list[str] = field(default_factory=list)
    error: Exception | None = None
    _computing: Generator[int, None, torch.Tensor] | None = None

    @property
    def is_computing(self) -> bool:
        """Whether it has not said anything yet."""
        return self._computing is not None

    def compute(self) -> int:
        """The next piece of what the cache lacks; the first token where nothing is lacking any more. Returns the tokens that
        were computed; what fails is the row's `error`."""
        assert self._computing is not None
        try:
            return next(self._computing)
        except StopIteration as done:
            self._computing = None
            self.take(done.value)
        except Exception as error:
            self.error = error
        return 0

    def take(self, logits: torch.Tensor) -> None:
        if piece := self.session.take(logits):
            self.pieces.append(piece)


class Batch:
    """The rows that speak together, all on one backbone. Nothing here takes the lease. What newcomers lack is computed by
    `threads` at a time, a row each: on a CPU the small matrices of a picture do not keep several cores busy."""

    def __init__(self, backbone: Backbone, threads: int = 1) -> None:
        self._backbone = backbone
        self._threads = threads
        self.rows: list[Row] = []

    def join(self, session: Session, max_tokens: int) -> Row:
        """Begin the session's turn."""
        session.begin_turn()
        row = Row(session, max_tokens, _computing=session.computing())
        self.rows.append(row)
        if self._threads > 1 and len(self.rows) > 1 and self._backbone.tower_apart is not None:
            self._backbone.tower_apart.start()
        return row

    def leave(self, row: Row) -> None:
        """End a row's turn where it is; one that has left already may leave."""
        if row in self.rows:
            self.rows.remove(row)

    @property
    def is_computing(self) -> bool:
        """Whether a row has not said anything yet."""
        return bool(self._lacking())

    def decode(self) -> None:
        """One token of every row that speaks; who has ended leaves."""
        speaking = [row for row in self.rows if not row.is_computing]
        if not speaking:
            return
        tokens, places = zip(*(row.session.newest() for row in speaking), strict=True)
        caches = [row.session.cache for row in speaking]
        logits = forward_rows(self._backbone.model, tokens, places, caches, self._backbone.device).float().cpu()
        for row, its_logits in zip(speaking, logits, strict=True):
            row.take(its_logits)
        self._let_go()

    def compute(self, most_tokens: int) -> None:
        """What rows lack, in order, until `most_tokens` are passed; at least a piece of one."""
        spent = 0
        while spent < most_tokens and (next_ones := self._lacking()[: self._threads]):
            if len(next_ones) == 1:
                spent += next_ones[0].compute()
            else:
                with ThreadPoolExecutor(len(next_ones)) as pool:
                    spent += sum(pool.map(Row.compute, next_ones))
        self._let_go()

    def _lacking(self) -> list[Row]:
        return [row for row in self.rows if row.is_computing and row.error is None]

    def _let_go(self) -> None:
        self.rows = [row for row in self.rows if row.error is None and row.session.goes_on(row.max_tokens)]


def generate_together(
    sessions: Sequence[Session],
    max_tokens: Sequence[int],
    is_cancelled: Callable[[], bool],
    threads: int = 1,
    between: Callable[[], None] = lambda: None,
) -> list[str]:
    """The next turn of every session, as text, each of at most its `max_tokens` (at least 1). Sets `turn_tokens`,
    `turn_text` and `turn_is_complete` of each, as `Session.generate` does. All must be on the same backbone. Raises what
    any of them raises. `threads` as in `Batch`; `between` is called after each step, when nothing is being computed."""
    batch = Batch(sessions[0].backbone, threads)
    rows = [batch.join(session, most) for session, most in zip(sessions, max_tokens, strict=True)]
    while batch.rows and not is_cancelled():
        # Everybody computes first: a token costs the same for a few rows and for all of them.
        if batch.is_computing:
            batch.compute(1)
        else:
            batch.decode()
        for row in rows:
            if row.error is not None:
                raise row.error
        between()
    return [session.turn_text for session in sessions]
