"""One question being answered: in a thread of its own, streamed to a page, stopped within one token.

The idea: the loop (`engine.drivers.streaming`) runs in one thread from beginning to end (what it holds open, a database
connection or an inference mode, belongs to that thread), and puts what happened into a mailbox; the page takes out
the newest whenever it is ready for more, so a slow page never slows the model down.

Invariants: every attempt that ended is recorded in the store, cancelled and failed ones too, before the page hears of
the end; a page that is closed cancels its attempt; two pages never share an attempt, for each has its own key.

Not covered: fairness between many askers (the backbone's lease hands out turns).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue

from engine.drivers.streaming import stream
from engine.errors import PersonError
from engine.opening import loop_limits
from engine.reasoning import Finished, Opened, Stepped, Thinking
from engine.trace import Example, Step, StopReason, View
from ui.studio import Studio

__all__ = ["Answering", "Progress"]

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of an attempt so far. `thought` is that of the step being written, None between steps and at the
    end; `stop_reason` and `trace_id` are set at the end, `elapsed_s` is None where it is not known, `problem` where
    something of ours broke, as a sentence for the person."""

    views: tuple[View, ...] = ()
    steps: tuple[Step, ...] = ()
    thought: str | None = None
    elapsed_s: float | None = None
    policy: str = ""
    stop_reason: StopReason | None = None
    answer: str | None = None
    trace_id: str | None = None
    problem: str | None = None

    @property
    def is_over(self) -> bool:
        return self.stop_reason is not None


class Answering:
    """The attempts that are under way, by the key of the page that asked (its session)."""

    def __init__(self, studio: Studio):
        self._studio = studio
        self._cancels: dict[str, threading.Event] = {}
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
    ) -> Iterator[Progress]:
        """Answers `example`, yielding what is new until `is_over`. Closing the iterator cancels."""
        cancel = threading.Event()
        with self._lock:
            if earlier := self._cancels.get(page):
                earlier.set()
            self._cancels[page] = cancel
        mailbox: SimpleQueue[Progress] = SimpleQueue()
        arguments = (mailbox, cancel, example, author, is_operating, seed, source)
        threading.Thread(target=self._work, args=arguments, name="answering", daemon=True).start()
        try:
            is_over = False
            while not is_over:
                progress = _newest(mailbox)
                yield progress
                is_over = progress.is_over
        finally:
            cancel.set()
            with self._lock:
                if self._cancels.get(page) is cancel:
                    del self._cancels[page]

    def stop(self, page: str) -> bool:
        """Asks the page's attempt to end after its present token; False where there is none."""
        with self._lock:
            cancel = self._cancels.get(page)
        if cancel is not None:
            cancel.set()
        return cancel is not None

    def _work(
        self,
        mailbox: SimpleQueue[Progress],
        cancel: threading.Event,
        example: Example,
        author: str,
        is_operating: bool,
        seed: int | None,
        source: str,
    ) -> None:
        started = time.monotonic()
        progress = Progress()

        def tell(**news: object) -> None:
            nonlocal progress
            progress = replace(progress, elapsed_s=time.monotonic() - started, **news)  # type: ignore[arg-type]
            mailbox.put(progress)

        studio = self._studio
        ending: dict[str, object] = {"stop_reason": "failed", "thought": None}
        try:
            policy = studio.policy()
            progress = replace(progress, policy=policy.name)
            limits = loop_limits(studio.settings)
            pictures = studio.media.pictures(example.media)
            notices = stream(
                policy, example, pictures, limits, is_operating=is_operating, is_cancelled=cancel.is_set, seed=seed
            )
            for notice in notices:
                if isinstance(notice, Opened):
                    tell(views=notice.views, thought="")
                elif isinstance(notice, Thinking):
                    tell(thought=notice.thought)
                elif isinstance(notice, Stepped):
                    is_last = notice.step.answer is not None
                    tell(
                        views=progress.views + notice.views,
                        steps=(*progress.steps, notice.step),
                        thought=None if is_last else "",
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


def _newest(mailbox: SimpleQueue[Progress]) -> Progress:
    """Waits for news, and skips what has been overtaken: each Progress says everything that is known."""
    progress = mailbox.get()
    try:
        while not progress.is_over:
            progress = mailbox.get_nowait()
    except Empty:
        pass
    return progress
