"""ZeroGPU, where a Space has a GPU only within a decorated call: an attempt is one call, a training job many, one after another.

How it is there (read in the package `spaces` 0.51.3): a decorated function runs in a child that is forked at the call, or was
at an earlier one; arguments and results are pickled; no GPU is seen elsewhere, and what a child has in memory stays there. A
call asks for its seconds beforehand and is ended when it overruns them. The quota is told by refusing alone, as Gradio's error,
so before a call it can be said how much is asked for, not how much is left.

    begin     before torch is imported: None wherever this is not ZeroGPU, and then nothing else is different
    policy    attempts run whole in the child, which sends the loop's notices; a file tells it that nobody waits any more
    running   a job that needs the GPU runs a slice at a time; between slices it is what a studio leaves that was closed

Invariants: a call ends by itself before its seconds are over, keeping what there is; what only the child knows is on the disk
(checkpoints, the store) or sent as a value. Not covered: weighing looks and blanks (turns outside an attempt), adapters other
than the live one, trying an adapter at its promotion.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Never

from engine.drivers.streaming import stream
from engine.errors import InvalidSetting, Unavailable
from engine.jobs.kinds import COLLECT, EVALUATE, PROBE, TRAINING, Kind
from engine.jobs.running import RunJob, run_job
from engine.media import MediaFolder, Pictures
from engine.policies.base import Policy
from engine.protocols import PicturePart, WireProtocol
from engine.reasoning import Limits, Notice
from engine.store import Job, Store
from engine.trace import Example, Trace, first_views

__all__ = ["ZeroGpu", "ZeroGpuPolicy", "answer_seconds", "begin"]

_START_S, _VIEW_S, _TOKENS_PER_S = 10, 0.5, 40
"""What beginning, a view and tokens are taken to need, of a 7B model; chosen, not measured."""
_MOST_S = 120
_SLICE_S = 120
_MARGIN_S = 0.15
"""The last share of a call, in which it ends by itself: a step of training and its checkpoint fit in."""


def begin(environment: Mapping[str, str]) -> ZeroGpu | None:
    """Raises InvalidSetting where the Space is on ZeroGPU and the package `spaces` is missing."""
    if environment.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return None
    try:
        import spaces  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise InvalidSetting(
            "This Space is on ZeroGPU, and the package spaces is missing; add it to requirements.txt."
        ) from None
    return ZeroGpu(spaces)


def answer_seconds(example: Example, limits: Limits) -> int:
    """How long an attempt may have the GPU: by what it is shown first and what it may say, from 1 to 120."""
    asked = _START_S + _VIEW_S * len(first_views(example.media)) + limits.max_tokens / _TOKENS_PER_S
    return min(_MOST_S, round(asked))


class ZeroGpu:
    """`spaces` is the package, or what stands in for it."""

    def __init__(self, spaces: Any) -> None:
        self._spaces = spaces

    def loaded(self) -> None:
        """The weights are there and every call is decorated: what Gradio's `launch`, which is not used here, would tell."""
        self._spaces.zero.startup()

    def policy(self, policy: Policy, media: MediaFolder, refresh: Callable[[], object] = lambda: None) -> ZeroGpuPolicy:
        """`policy`, attempting in calls; `refresh` makes a child that was forked before a promotion answer as it does now."""

        def attempt(
            name: str, cancelled: str, ends_s: float, example: Example, limits: Limits, options: dict[str, Any]
        ) -> Iterator[Notice]:
            if policy.name != name:
                refresh()
            ends_at = time.monotonic() + ends_s
            yield from stream(
                policy,
                example,
                media.pictures(example.media),
                limits,
                is_cancelled=lambda: time.monotonic() > ends_at or Path(cancelled).exists(),
                **options,
            )

        def duration(name: str, cancelled: str, ends_s: float, *rest: Any) -> int:
            return round(ends_s / (1 - _MARGIN_S))

        return ZeroGpuPolicy(policy, self._spaces.GPU(attempt, duration=duration))

    def running(
        self, store: Store, artifacts: Path, kinds: Callable[[], Mapping[str, Kind]], slice_s: float = _SLICE_S
    ) -> RunJob:
        """`run_job` of that store, in slices for kinds that need the GPU. `kinds()` are those that there are when a job runs. A
        job whose next slice is refused is stopped, with the reason, and can go on."""
        needing = (*TRAINING, PROBE, COLLECT, EVALUATE)

        def run_slice(job_id: str) -> None:
            ends_at = time.monotonic() + slice_s * (1 - _MARGIN_S)
            if (job := store.jobs.claim(job_id)) is not None:  # a job is its process's, and this is another
                run_job(store, artifacts, kinds(), job, is_closing=lambda: time.monotonic() > ends_at)

        on_gpu = self._spaces.GPU(run_slice, duration=slice_s)

        def run(
            store: Store, artifacts: Path, kinds: Mapping[str, Kind], job: Job, *, is_closing: Callable[[], bool]
        ) -> Job:
            if job.kind not in needing:
                return run_job(store, artifacts, kinds, job, is_closing=is_closing)
            store.jobs.set_state(job.id, "interrupted", "waiting for a GPU of ZeroGPU")
            while True:
                try:
                    with _told():
                        on_gpu(job.id)
                except Unavailable as refused:
                    return store.jobs.set_state(job.id, "stopped", f"{refused} It can go on.")
                job = store.jobs.get(job.id)
                if job.state != "interrupted" or is_closing():
                    return job

        return run


@dataclass(frozen=True, slots=True)
class ZeroGpuPolicy:
    """A policy whose attempts run in `on_gpu`. Turns cannot be asked for one by one."""

    policy: Policy
    on_gpu: Callable[..., Iterator[Notice]]

    @property
    def name(self) -> str:
        return self.policy.name

    @property
    def protocol(self) -> WireProtocol:
        return self.policy.protocol

    def settings(self) -> Mapping[str, Any]:
        return self.policy.settings()

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return self.policy.shown_sizes(shown, pictures)

    def converse(self, pictures: Pictures, seed: int | None) -> Never:
        raise Unavailable("On ZeroGPU whole questions are answered, and nothing in between; ask on other hardware.")

    def speak(self, *asked: Any) -> Never:
        self.converse({}, None)

    def asks_for(self, example: Example, limits: Limits) -> str:
        """Before it begins, for whoever asks."""
        seconds = answer_seconds(example, limits)
        return f"Waiting for a GPU of ZeroGPU: up to {seconds} s of your quota there are asked for"

    def stream(
        self,
        example: Example,
        limits: Limits | None,
        is_cancelled: Callable[[], bool],
        *,
        is_operating: bool,
        seed: int | None,
        earlier: Trace | None,
    ) -> Iterator[Notice]:
        """As `engine.drivers.streaming.stream`. Raises Unavailable where no GPU is given, or it is taken away."""
        limits = limits or Limits()
        ends_s = answer_seconds(example, limits) * (1 - _MARGIN_S)
        options = {"is_operating": is_operating, "seed": seed, "earlier": earlier}
        with TemporaryDirectory(prefix="studio-attempt-") as folder, _told():
            cancelled = Path(folder) / "cancelled"
            for notice in self.on_gpu(self.name, str(cancelled), ends_s, example, limits, options):
                yield notice
                if is_cancelled():
                    cancelled.touch()


@contextmanager
def _told() -> Iterator[None]:
    """Gradio's errors, by which the package refuses, as ours."""
    try:
        yield
    except Exception as error:
        message = getattr(error, "message", None)
        if type(error).__module__.partition(".")[0] not in ("gradio", "spaces") or not isinstance(message, str):
            raise
        raise Unavailable(f"ZeroGPU gave no GPU: {message.strip().rstrip('.')}.") from error
