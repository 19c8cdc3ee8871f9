"""One question being answered: in a thread of its own, watched by a page, stopped within one token.

The idea: the loop (`engine.drivers.streaming`) runs in one thread from beginning to end (what it holds open, a database
connection or an inference mode, belongs to that thread), and leaves what happened in the `Attempt`; a page takes the
newest whenever it is ready for more, so a slow page never slows the model down.

Invariants: an attempt has the id of its trace from its first moment, so that one address shows it while it goes on and
ever after. Every attempt that ended is recorded in the store, cancelled and failed ones too, before a page hears of the end.
It ends when it is done, when its author stops it, when its page asks again, and when its page says that it goes (`leave`)
and nobody looks at it again in time: a page that is reloaded says that it goes, too. A connection that breaks ends
nothing, for a phone that locks its screen breaks it as well.

Not covered: who speaks when many ask (`engine.policies.serving`); an attempt that nobody comes back to after its connection
broke runs on to its end or its limits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from engine.drivers.streaming import stream
from engine.errors import PersonError, Unavailable
from engine.jobs.answering import LIVE
from engine.opening import loop_limits
from engine.policies.base import asked_by
from engine.reasoning import Finished, Opened, Stepped, Thinking, Waiting
from engine.rights import may
from engine.store.identity import new_id
from engine.trace import Example, Step, StopReason, View
from ui.answerers import answering_as
from ui.studio import Studio

__all__ = ["AT_ONCE", "PATIENCE_S", "Answering", "Attempt", "Progress"]

Heard = Callable[[StopReason, float, float | None, int], None]
_LOG = logging.getLogger(__name__)
_REMEMBERED = 64
_PAGES = 2000
_LOOK_EVERY_S = 0.5
AT_ONCE = 2
"""How many questions of one visitor or annotator are answered at a time: who asks many is in line behind themselves."""

_YOURS = "Other questions of yours are being answered"
PATIENCE_S = 30.0
"""How long an attempt goes on when its page has said that it goes: a reload on a slow line takes as long."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of an attempt so far. `number` counts the news (from 0). `thought` is that of the step being written, None
    between steps and at the end; `before` is how many others come first, None where it does not wait; `stop_reason` and
    `trace_id` are set at the end (the latter once the trace is recorded), and so is `confidence` where the policy tells;
    `elapsed_s` is None where it is not known, `problem` where something of ours broke, `waiting` while nothing can be answered
    yet, both as sentences for the person."""

    views: tuple[View, ...] = ()
    steps: tuple[Step, ...] = ()
    thought: str | None = None
    before: int | None = None
    elapsed_s: float | None = None
    policy: str = ""
    stop_reason: StopReason | None = None
    answer: str | None = None
    confidence: float | None = None
    number: int = 0
    trace_id: str | None = None
    problem: str | None = None
    waiting: str | None = None

    @property
    def is_over(self) -> bool:
        return self.stop_reason is not None


class Attempt:
    """One question under way, or answered. Several may watch, and one that stops watching ends nothing. `id` is that of its
    trace and cannot be guessed; the trace is in the store when it `is_over`, unless it ended before the model was there.
    `adapter` says who answers (`ui.answerers`)."""

    def __init__(self, example: Example, author: str, adapter: str = LIVE) -> None:
        self.id = new_id()
        self.example = example
        self.author = author
        self.adapter = adapter
        self._progress = Progress()
        self._news = threading.Condition()
        self._is_cancelled = threading.Event()
        self._looked_s = time.monotonic()

    def watch(self, is_looking: Callable[[], bool] = lambda: True) -> Iterator[Progress]:
        """What is new until it `is_over`, at least the newest, for as long as somebody `is_looking`."""
        seen: Progress | None = None
        while (seen is None or not seen.is_over) and is_looking():
            self._looked_s = time.monotonic()
            newest = self.after(seen, _LOOK_EVERY_S)
            if newest is not seen and is_looking():
                yield (seen := newest)

    def after(self, seen: Progress | None, timeout_s: float | None = None) -> Progress:
        """Waits until there is something newer than what was `seen`, for at most `timeout_s`, and returns the newest."""
        with self._news:
            self._news.wait_for(lambda: self._progress is not seen, timeout_s)
            return self._progress

    @property
    def progress(self) -> Progress:
        return self._progress

    @property
    def is_over(self) -> bool:
        return self._progress.is_over

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled.is_set()

    def was_looked_at_since(self, moment_s: float) -> bool:
        """`moment_s` is of `time.monotonic`."""
        return self._looked_s > moment_s

    def tell(self, progress: Progress) -> None:
        with self._news:
            self._progress = replace(progress, number=self._progress.number + 1)
            self._news.notify_all()

    def wait_over(self, timeout_s: float) -> bool:
        """Waits until it has ended and is kept; whether it has, after `timeout_s` at most."""
        with self._news:
            return self._news.wait_for(lambda: self.is_over, max(0.0, timeout_s))

    def stop(self) -> None:
        """Asks it to end after its present token."""
        self._is_cancelled.set()


class Answering:
    """The attempts of a studio: those under way, and the last that ended, for pages that come back to them. `patience_s` is
    how long one goes on whose page has left. `heard` is told of each that ended: its stop reason, the seconds that it took, those
    until its first word (None where none came), and the tokens that were generated."""

    def __init__(self, studio: Studio, patience_s: float = PATIENCE_S, heard: Heard = lambda *of_one: None):
        self._studio = studio
        self._heard = heard
        self.patience_s = patience_s
        self._attempts: dict[str, Attempt] = {}
        self._of_page: dict[str, Attempt] = {}
        self._seen_by: dict[str, str] = {}
        self._leaving: dict[str, threading.Timer] = {}
        self._lock = threading.Lock()
        self._is_closed = False
        self._at_work: list[Attempt] = []
        self._turns = threading.Condition()

    def ask(
        self,
        page: str,
        example: Example,
        *,
        author: str,
        is_operating: bool = True,
        seed: int | None = None,
        source: str = "ask",
        adapter: str = LIVE,
    ) -> Attempt:
        """Begins to answer `example`. What the same `page` (its session) asked before is stopped. Raises Unavailable once
        the studio is being stopped."""
        attempt = Attempt(example, author, adapter)
        with self._lock:
            if self._is_closed:
                raise Unavailable("The studio is being stopped; ask again when it is back.")
            if earlier := self._of_page.get(page):
                earlier.stop()
            self._of_page[page] = self._attempts[attempt.id] = attempt
            self._show(page, attempt.id)
            self._forget_old()
        # In the context of whoever asks: on ZeroGPU it says whose quota is used.
        work = partial(copy_context().run, self._answer_in_turn, attempt, is_operating, seed, source)
        threading.Thread(target=work, name="answering", daemon=True).start()
        return attempt

    def under_way(self) -> int:
        """How many are being answered, or wait."""
        with self._lock:
            return sum(not attempt.is_over for attempt in self._attempts.values())

    def find(self, id: str) -> Attempt | None:
        """The attempt with that id; None where it is unknown, or ended long ago."""
        with self._lock:
            return self._attempts.get(id)

    def find_for(self, id: str, person: str) -> Attempt | None:
        """The same for a person: None also for an attempt that is private to somebody else."""
        attempt = self.find(id)
        is_hidden = attempt is not None and attempt.author != person
        return None if attempt is None or (is_hidden and self._studio.access.keeps_private(attempt.author)) else attempt

    def of(self, author: str) -> list[Attempt]:
        """The attempts of a person that are under way, the newest first."""
        with self._lock:
            return [one for one in reversed(self._attempts.values()) if one.author == author and not one.is_over]

    def turn(self, page: str, place: str | None) -> None:
        """The page (its session) shows that `place` from now on, an attempt's id where it is one, None for nothing that was
        asked: what it watched is let go, and goes on."""
        with self._lock:
            self._show(page, place)

    def is_at(self, page: str, place: str | None) -> bool:
        """Whether the page has turned to nothing else since."""
        return self._seen_by.get(page) == place

    def watch(self, page: str, attempt: Attempt) -> Iterator[Progress]:
        """What is new of `attempt` until it is over, or the page turns to something else."""
        self.turn(page, attempt.id)
        return attempt.watch(lambda: self.is_seen(page, attempt))

    def is_seen(self, page: str, attempt: Attempt) -> bool:
        """Whether the page still shows the attempt."""
        return self.is_at(page, attempt.id)

    def stop(self, id: str, person: str) -> None:
        """Asks the attempt to end after its present token, where it is that person's."""
        if (attempt := self.find(id)) is not None and attempt.author == person:
            attempt.stop()

    def let_go(self, page: str) -> None:
        """What the page (its session) asked last ends after its present token."""
        with self._lock:
            earlier = self._of_page.pop(page, None)
        if earlier is not None:
            earlier.stop()

    def leave(self, id: str) -> None:
        """The page of that attempt goes. Where nobody looks at it again within `patience_s`, it stops."""
        if (attempt := self.find(id)) is None or attempt.is_over:
            return
        left_s = time.monotonic()

        def stop_if_alone() -> None:
            with self._lock:
                if self._leaving.get(id) is timer:
                    del self._leaving[id]
            if not attempt.was_looked_at_since(left_s):
                attempt.stop()

        timer = threading.Timer(self.patience_s, stop_if_alone)
        timer.daemon = True
        with self._lock:
            # Which of its pages went is not known; another one that is still there looks again.
            self._seen_by = {page: seen for page, seen in self._seen_by.items() if seen != id}
            # A timer is a thread: one for each attempt, however often a page says that it goes.
            if earlier := self._leaving.get(id):
                earlier.cancel()
            self._leaving[id] = timer
        timer.start()

    def close(self, timeout_s: float) -> bool:
        """Takes no more questions, and ends those under way. Returns whether all of them are kept, which takes `timeout_s` at
        most."""
        until = time.monotonic() + timeout_s
        with self._lock:
            self._is_closed = True
            under_way = [attempt for attempt in self._attempts.values() if not attempt.is_over]
        for attempt in under_way:
            attempt.stop()
        return all(attempt.wait_over(until - time.monotonic()) for attempt in under_way)

    def _show(self, page: str, place: str | None) -> None:
        """Of pages that closed nobody tells, so those that turned last are known."""
        self._seen_by.pop(page, None)
        if place is not None:
            self._seen_by[page] = place
        if len(self._seen_by) > _PAGES:
            del self._seen_by[next(iter(self._seen_by))]

    def _forget_old(self) -> None:
        ended = [key for key, attempt in self._attempts.items() if attempt.is_over]
        for key in ended[: max(0, len(ended) - _REMEMBERED)]:
            forgotten = self._attempts.pop(key)
            self._of_page = {page: attempt for page, attempt in self._of_page.items() if attempt is not forgotten}
            self._seen_by = {page: seen for page, seen in self._seen_by.items() if seen != key}

    def _wait_turn(self, attempt: Attempt, tell: Callable[..., None]) -> bool:
        """Wait until few enough questions of this person are being answered that others have room; False where the attempt was
        cancelled meanwhile."""

        def is_its_turn() -> bool:
            return sum(one.author == attempt.author for one in self._at_work) < AT_ONCE

        with self._turns:
            if not may(self._studio.access.role_of(attempt.author), "train") and not is_its_turn():
                tell(waiting=_YOURS)
                while not (is_its_turn() or attempt.is_cancelled):
                    self._turns.wait(_LOOK_EVERY_S)
            self._at_work.append(attempt)
        return not attempt.is_cancelled

    def _wait(self, attempt: Attempt, tell: Callable[..., None]) -> bool:
        """Wait until somebody can answer; False where the attempt was cancelled meanwhile. Raises Unavailable."""
        reasoner = self._studio.reasoner
        if reasoner is None or reasoner.value is not None:
            return True
        return reasoner.wait(lambda: attempt.is_cancelled, lambda sentence: tell(waiting=sentence)) is not None

    def _work(self, attempt: Attempt, is_operating: bool, seed: int | None, source: str) -> None:
        example = attempt.example
        started = time.monotonic()
        progress = Progress()
        waited_s: float | None = None
        tokens = 0

        def tell(**news: object) -> None:
            nonlocal progress
            progress = replace(progress, elapsed_s=time.monotonic() - started, **news)  # type: ignore[arg-type]
            attempt.tell(progress)

        studio, answerer = self._studio, ExitStack()
        ending: dict[str, object] = {"stop_reason": "failed", "thought": None, "before": None}
        try:
            if not (self._wait_turn(attempt, tell) and self._wait(attempt, tell)):
                tell(stop_reason="cancelled", thought=None, waiting=None)
                self._heard("cancelled", time.monotonic() - started, None, 0)
                return
            named = answerer.enter_context(answering_as(studio, attempt.adapter))
            policy = asked_by(named, attempt.author)
            progress = replace(progress, policy=policy.name, waiting=None)
            limits = loop_limits(studio.settings)
            if (asks_for := getattr(policy, "asks_for", None)) is not None:
                tell(waiting=asks_for(example, limits))
            pictures = studio.media.pictures(example.media)
            notices = stream(
                policy,
                example,
                pictures,
                limits,
                is_operating=is_operating,
                is_cancelled=lambda: attempt.is_cancelled,
                seed=seed,
            )
            for notice in notices:
                if isinstance(notice, Opened):
                    tell(views=notice.views, thought="", waiting=None)
                elif isinstance(notice, Waiting):
                    tell(before=notice.before)
                elif isinstance(notice, Thinking):
                    waited_s = time.monotonic() - started if waited_s is None else waited_s
                    tell(thought=notice.thought, before=None)
                elif isinstance(notice, Stepped):
                    is_last = notice.step.answer is not None
                    tell(
                        views=progress.views + notice.views,
                        steps=(*progress.steps, notice.step),
                        thought=None if is_last else "",
                        before=None,
                    )
                elif isinstance(notice, Finished):
                    trace, tokens = notice.trace, notice.tokens
                    studio.access.use.said(attempt.author, tokens)
                    ending |= {"stop_reason": trace.stop_reason, "answer": trace.answer, "steps": trace.steps}
                    ending["confidence"] = notice.confidence
                    record = studio.store.traces.record(
                        trace,
                        author=attempt.author,
                        example=replace(example, source=source),
                        policy_settings=dict(policy.settings()),
                        confidence=notice.confidence,
                        id=attempt.id,
                        is_private=studio.access.keeps_private(attempt.author),
                    )
                    ending["trace_id"] = record.id
        except PersonError as error:
            ending |= {"stop_reason": "failed", "problem": str(error)}
        except Exception:
            # Whatever broke, the page must hear that it is over; what broke is for the log.
            _LOG.exception("answering %r failed", example.question)
            ending |= {"stop_reason": "failed", "problem": "Something broke on our side; the server's log says what."}
        finally:
            answerer.close()
        tell(**ending)
        assert progress.stop_reason is not None
        self._heard(progress.stop_reason, time.monotonic() - started, waited_s, tokens)

    def _answer_in_turn(self, attempt: Attempt, *rest: Any) -> None:
        try:
            self._work(attempt, *rest)
        finally:
            with self._turns:
                if attempt in self._at_work:
                    self._at_work.remove(attempt)
                self._turns.notify_all()
