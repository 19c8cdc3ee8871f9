"""The services that the screens work with, as one frozen value.

Built once by `app.build_studio` and passed to everything that needs it: there is no other way to reach the store, the
media or the policy, so two studios can live in one process (tests do that) and nothing depends on import order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.opening import loop_limits
from engine.workbench import Workbench

if TYPE_CHECKING:
    from engine.jobs.worker import Worker
    from engine.media import MediaFolder
    from engine.policies.base import Policy
    from engine.settings import Settings
    from engine.store import Store
    from ui.training.desk import TrainingDesk

__all__ = ["Sample", "Studio"]


@dataclass(frozen=True, slots=True)
class Sample:
    """An example that a visitor can try with one click: a title, a medium by its sha256, and a question."""

    title: str
    sha256: str
    question: str


@dataclass(frozen=True, slots=True)
class Studio:
    """`policy()` is whatever answers now: a promoted adapter changes what it returns, so it is asked anew for each
    question. `samples()` may draw and record the sample media when it is first called. `worker` runs
    jobs; `jobs` trains the model that answers, None where it cannot be trained."""

    settings: Settings
    store: Store
    media: MediaFolder
    policy: Callable[[], Policy]
    samples: Callable[[], tuple[Sample, ...]]
    worker: Worker
    jobs: TrainingDesk | None = None

    @property
    def workbench(self) -> Workbench:
        """The one door to a trace, with this studio's policy and limits."""
        return Workbench(self.store, self.media, self.policy, loop_limits(self.settings))
