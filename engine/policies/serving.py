"""Several people ask at once: their turns are said in one batch, each streamed to whoever asked; who finds it full is in line.

    asked      a turn that somebody waits for, in his own thread
    line       those that have not begun
    seats      how many turns speak together at most
    ticket     who asks, and when their conversation began

Algorithm: continuous batching (`engine.backbone.together`). One thread, which lives while anybody asks, takes the backbone's
lease and speaks for all. Between two tokens it lets in who is next in line. Where somebody else waits for the lease, a training
step or a promotion, nobody is let in any more: those who speak end their turns, and the lease goes round, so that a turn is said
by one adapter from its first token to its last and nobody is passed over for ever. What looks at a turn's pictures beforehand
(`LocalPolicy`) is done with them before the turn is in line, so that who speaks never waits for it.

The line is fair between people: a free seat goes to whoever has the fewest turns that speak, or stand before it in line, and
among these to the conversation that began first. So one person's ten questions wait for each other, and a second person's only
one for a seat; one with a single question is never behind another's second. Source: max-min fairness over seats, a turn the
unit (Bertsekas and Gallager, Data Networks, 6.5.2); weights and lengths of turns are not counted.

Invariants: a turn is touched by its own thread before it is in line and after it is over, and by the one that speaks in between;
cancelling, or closing the iterator, ends it within one token of the batch. A turn that fails, fails alone; where the step of all
fails, all do, and the next who ask begin anew.

Not covered: the memory of caches, which grows with the conversations that are open, whether they speak or not.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

from engine.backbone.loading import Backbone
from engine.backbone.session import PIECE_TOKENS, Session
from engine.backbone.together import Batch, Row
from engine.policies.base import InLine

__all__ = ["SEATS", "Serving", "Ticket", "looker_beside"]

SEATS = 8


@dataclass(frozen=True, slots=True, order=True)
class Ticket:
    """Of a conversation: `number` rises with those that begin later; `asker` is the person, "" where nobody is named."""

    number: int = 0
    asker: str = ""


@dataclass(slots=True, eq=False)
class _Asked:
    """A turn that `ticket` asks for: in line without a `row`, speaking with one, over at last."""

    ticket: Ticket
    session: Session
    max_tokens: int
    is_cancelled: Callable[[], bool]
    row: Row | None = None
    is_over: bool = False
    is_left: bool = False
    error: BaseException | None = None
    pieces: list[str] = field(default_factory=list)

    @property
    def is_unwanted(self) -> bool:
        return self.is_left or self.is_cancelled()


def looker_beside(threads: int) -> Executor | None:
    """Who sees pictures in the threads that are left beside the one that speaks; None where none is."""
    return ThreadPoolExecutor(threads - 1, "looking") if threads > 1 else None


class Serving:
    """The turns of one backbone's live adapter. `threads` is how many newcomers are prepared at a time; `patience_s` is how long
    a turn waits before its asker is told of the line, and how often somebody in line is asked whether he still wants it; the
    thread ends after `linger_s` without work."""

    def __init__(
        self,
        backbone: Backbone,
        seats: int = SEATS,
        *,
        threads: int = 1,
        patience_s: float = 0.2,
        linger_s: float = 10.0,
    ) -> None:
        self._backbone = backbone
        self._seats = seats
        self._threads, self.looker = threads, looker_beside(threads)
        self._patience_s = patience_s
        self._linger_s = linger_s
        self._news = threading.Condition()
        self._line: list[_Asked] = []
        self._speaking: list[_Asked] = []
        self._free_seats = 0
        self._thread: threading.Thread | None = None
        self._tickets = count()

    def ticket(self, asker: str = "") -> Ticket:
        """For a conversation that begins: it comes before all of `asker` that begin later, with every turn."""
        return Ticket(next(self._tickets), asker)

    def speak(
        self, ticket: Ticket, session: Session, max_tokens: int, is_cancelled: Callable[[], bool]
    ) -> Iterator[str | InLine]:
        """The session's next turn as in `Session.generate`, beside those of others; before its first word its place in line,
        each time that it changes, where it has to wait. `is_cancelled` may be asked by another thread."""
        asked = _Asked(ticket, session, max_tokens, is_cancelled)
        session.begin_turn()
        while not session.is_looked_at(self._patience_s):
            if asked.is_unwanted:
                return
        self._ask(asked)
        place: int | None = None
        try:
            while True:
                with self._news:
                    self._news.wait_for(lambda: asked.is_over or asked.pieces, self._patience_s)
                    if asked in self._line and asked.is_unwanted:
                        self._line.remove(asked)
                        return
                    pieces, asked.pieces = asked.pieces, []
                    is_over, before = asked.is_over, self._before(asked)
                if pieces:
                    yield "".join(pieces)
                elif before is not None and before != place:
                    place = before
                    yield InLine(before)
                if is_over:
                    break
        finally:
            self._take_back(asked)
        if asked.error is not None:
            raise asked.error

    def _before(self, asked: _Asked) -> int | None:
        """How many come first; None for who is not in line, or gets a free seat with the next token."""
        if asked not in self._line:
            return None
        before = self._in_order().index(asked)
        return before if before >= self._free_seats else None

    def _in_order(self) -> list[_Asked]:
        """The line as seats will be given."""
        waiting, order = sorted(self._line, key=lambda one: one.ticket), []
        turns = Counter(one.ticket.asker for one in self._speaking)
        while waiting:
            first = min(waiting, key=lambda one: turns[one.ticket.asker])
            turns[first.ticket.asker] += 1
            waiting.remove(first)
            order.append(first)
        return order

    def _ask(self, asked: _Asked) -> None:
        with self._news:
            self._line.append(asked)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="serving", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def _take_back(self, asked: _Asked) -> None:
        """Returns when nobody else touches the session any more."""
        with self._news:
            asked.is_left = True
            if asked in self._line:
                self._line.remove(asked)
            elif asked.row is not None:
                self._news.wait_for(lambda: asked.is_over)

    # --- the thread that speaks -------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._news:
                if not self._news.wait_for(lambda: self._line, self._linger_s):
                    self._thread = None
                    return
            try:
                with self._backbone.lease.held(), self._backbone.adapters.answering():
                    self._say()
            except BaseException as error:
                self._fail(error)
            self._free_seats = 0

    def _say(self) -> None:
        """Say turns until nobody is left, or until those who speak are done where somebody else wants the lease."""
        batch = Batch(self._backbone, self._threads)
        self._let_in(batch)
        while self._speaking:
            batch.decode()
            batch.compute(PIECE_TOKENS)
            with self._news:
                for asked in list(self._speaking):
                    self._pass_on(asked, batch)
                self._news.notify_all()
            if self._backbone.lease.is_wanted:
                self._free_seats = 0
            else:
                self._let_in(batch)

    def _let_in(self, batch: Batch) -> None:
        with self._news:
            for asked in self._in_order()[: self._seats - len(self._speaking)]:
                self._line.remove(asked)
                self._speaking.append(asked)
                asked.row = batch.join(asked.session, asked.max_tokens)
            self._free_seats = self._seats - len(self._speaking)

    def _pass_on(self, asked: _Asked, batch: Batch) -> None:
        row = asked.row
        assert row is not None  # it was let in
        asked.pieces += row.pieces
        row.pieces = []
        if asked.is_unwanted:
            batch.leave(row)
        if row not in batch.rows:
            asked.error, asked.is_over = row.error, True
            self._speaking.remove(asked)

    def _fail(self, error: BaseException) -> None:
        """Those who were speaking hear it; where nobody was, who is in line does, for nothing can be said."""
        with self._news:
            hearers, self._speaking = self._speaking, []
            if not hearers:
                hearers, self._line = self._line, []
            for asked in hearers:
                asked.error, asked.is_over = error, True
            self._news.notify_all()
