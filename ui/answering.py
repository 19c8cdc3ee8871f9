"""One question being answered: in a thread of its own, watched by a page, stopped within one token.

The idea: the loop (`engine.drivers.streaming`) runs in one thread from beginning to end (what it holds open, a database
connection or an inference mode, belongs to that thread), and leaves what happened in the `Attempt`; a page takes the
newest whenever it is ready for more, so a slow page never slows the model down.

Invariants: every attempt that ended is recorded in the store, cancelled and failed ones too, before a page hears of the
end. An attempt ends when it is done, when somebody stops it, when its page asks again, and when its page says that it goes
for good (`leave`); a connection that breaks ends nothing, for a phone that locks its screen breaks it too, and whoever
has the attempt's key finds it again. Two pages never share an attempt.

Not covered: who speaks when many ask (`engine.policies.serving`); an attempt that nobody comes back to runs on to its end
or its limits.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from engine.drivers.streaming import stream
from engine.errors import PersonError
from engine.opening import loop_limits
from engine.reasoning import Finished, Opened, Stepped, Thinking, Waiting
from engine.trace import Example, Step, StopReason, View
from ui.studio import Studio

__all__ = ["Answering", "Attempt", "Progress"]

_LOG = logging.getLogger(__name__)
_REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of an attempt so far. `thought` is that of the step being written, None between steps and at the
    end; `before` is how many others come first, None where it does not wait; `stop_reason` and `trace_id` are set at the
    end, `elapsed_s` is None where it is not known, `problem` where something of ours broke, `waiting` while nothing can be
    answered yet, both as sentences for the person."""

    views: tuple[View, ...] = ()
    steps: tuple[Step, ...] = ()
    thought: str | None = None
    before: int | None = None
    elapsed_s: float | None = None
    policy: str = ""
    stop_reason: StopReason | None = None
    answer: str | None = None
    trace_id: str | None = None
    problem: str | None = None
    waiting: str | None = None

    @property
    def is_over(self) -> bool:
        return self.stop_reason is not None


class Attempt:
    """One question under way, or answered. Iterating yields what is new until it `is_over`, at least the newest; several
    may iterate, and one that stops iterating ends nothing. `key` cannot be guessed: who has it may watch and stop."""

    def __init__(self, example: Example) -> None:
        self.key = secrets.token_urlsafe(18)
        self.example = example
        self._progress: Progress | None = None
        self._news = threading.Condition()
        self._is_cancelled = threading.Event()

    def __iter__(self) -> Iterator[Progress]:
        seen: Progress | None = None
        while seen is None or not seen.is_over:
            if (newest := self.after(seen)) is not None:
                yield (seen := newest)

    def after(self, seen: Progress | None, timeout_s: float | None = None) -> Progress | None:
        """Waits until there is something newer than what was `seen`, for at most `timeout_s`, and returns the newest; None
        where nothing is known yet."""
        with self._news:
            self._news.wait_for(lambda: self._progress is not None and self._progress is not seen, timeout_s)
            return self._progress

    @property
    def is_over(self) -> bool:
        return self._progress is not None and self._progress.is_over

    @property
    def is_cancelled(self) -> bool:
        return self._is_cancelled.is_set()

    def tell(self, progress: Progress) -> None:
        with self._news:
            self._progress = progress
            self._news.notify_all()

    def stop(self) -> None:
        """Asks it to end after its present token."""
        self._is_cancelled.set()


class Answering:
    """The attempts of a studio: those under way, and the last that ended, for pages that come back to them."""

    def __init__(self, studio: Studio):
        self._studio = studio
        self._attempts: dict[str, Attempt] = {}
        self._of_page: dict[str, Attempt] = {}
        self._lock = threading.Lock()

    def ask(
        self,
        page: str,
        example: Example,
        *,
        author: str,
        is_operating: bool = True,
        seed: int | None = None,
        source: str = "ask",
    ) -> Attempt:
        """Begins to answer `example`. What the same `page` (its session) asked before is stopped."""
        attempt = Attempt(example)
        with self._lock:
            if earlier := self._of_page.get(page):
                earlier.stop()
            self._of_page[page] = self._attempts[attempt.key] = attempt
            self._forget_old()
        arguments = (attempt, author, is_operating, seed, source)
        threading.Thread(target=self._work, args=arguments, name="answering", daemon=True).start()
        return attempt

    def find(self, key: str) -> Attempt | None:
        """The attempt with that key; None where it is unknown, or ended long ago."""
        with self._lock:
            return self._attempts.get(key)

    def stop(self, page: str) -> bool:
        """Asks the page's attempt to end after its present token; False where there is none under way."""
        with self._lock:
            attempt = self._of_page.get(page)
        if attempt is None or attempt.is_over:
            return False
        attempt.stop()
        return True

    def leave(self, key: str) -> None:
        """The page of that attempt goes for good, so nobody waits for it any more."""
        if attempt := self.find(key):
            attempt.stop()

    def _forget_old(self) -> None:
        ended = [key for key, attempt in self._attempts.items() if attempt.is_over]
        for key in ended[: max(0, len(ended) - _REMEMBERED)]:
            forgotten = self._attempts.pop(key)
            self._of_page = {page: attempt for page, attempt in self._of_page.items() if attempt is not forgotten}

    def _wait(self, attempt: Attempt, tell: Callable[..., None]) -> bool:
        """Wait until somebody can answer; False where the attempt was cancelled meanwhile. Raises Unavailable."""
        reasoner = self._studio.reasoner
        if reasoner is None or reasoner.value is not None:
            return True
        return reasoner.wait(lambda: attempt.is_cancelled, lambda sentence: tell(waiting=sentence)) is not None

    def _work(self, attempt: Attempt, author: str, is_operating: bool, seed: int | None, source: str) -> None:
        example = attempt.example
        started = time.monotonic()
        progress = Progress()

        def tell(**news: object) -> None:
            nonlocal progress
            progress = replace(progress, elapsed_s=time.monotonic() - started, **news)  # type: ignore[arg-type]
            attempt.tell(progress)

        studio = self._studio
        ending: dict[str, object] = {"stop_reason": "failed", "thought": None, "before": None}
        try:
            if not self._wait(attempt, tell):
                tell(stop_reason="cancelled", thought=None, waiting=None)
                return
            policy = studio.policy()
            progress = replace(progress, policy=policy.name, waiting=None)
            limits = loop_limits(studio.settings)
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
                    tell(views=notice.views, thought="")
                elif isinstance(notice, Waiting):
                    tell(before=notice.before)
                elif isinstance(notice, Thinking):
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
                    trace = notice.trace
                    ending |= {"stop_reason": trace.stop_reason, "answer": trace.answer, "steps": trace.steps}
                    record = studio.store.traces.record(
                        trace,
                        author=author,
                        example=replace(example, source=source),
                        policy_settings=dict(policy.settings()),
                        confidence=notice.confidence,
                    )
                    ending["trace_id"] = record.id
        except PersonError as error:
            ending |= {"stop_reason": "failed", "problem": str(error)}
        except Exception:
            # Whatever broke, the page must hear that it is over; what broke is for the log.
            _LOG.exception("answering %r failed", example.question)
            ending |= {"stop_reason": "failed", "problem": "Something broke on our side; the server's log says what."}
        tell(**ending)
