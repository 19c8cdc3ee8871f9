"""The services that the screens work with, as one frozen value.

Built once by `app.build_studio` and passed to everything that needs it: there is no other way to reach the store, the
media or the policy, so two studios can live in one process (tests do that) and nothing depends on import order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.hosting.health import HomeHealth, home_health
from engine.opening import loop_limits
from engine.workbench import Workbench

if TYPE_CHECKING:
    from engine.access import Access
    from engine.hosting.backup.keeping import KeepingBackups
    from engine.jobs.worker import Worker
    from engine.media import MediaFolder
    from engine.policies.base import Policy
    from engine.rights import Person
    from engine.settings import Settings
    from engine.starting import Starting
    from engine.store import Store
    from engine.trace import Media
    from ui.training.desk import TrainingDesk

__all__ = ["Reasoner", "Sample", "Studio"]

SCRIPTED = (
    "A scripted policy answers here, and a script cannot be trained. Start the studio with a model "
    "(STUDIO_MODEL=tiny, the default) to train."
)


@dataclass(frozen=True, slots=True)
class Reasoner:
    """Who answers here, once it is loaded; `desk` trains it. Where it cannot be trained there is none, and `untrainable` says
    why."""

    policy: Policy
    desk: TrainingDesk | None = None
    untrainable: str = SCRIPTED


@dataclass(frozen=True, slots=True)
class Sample:
    """An example that a visitor can try with one click: a title, a medium by its sha256, a question and its options."""

    title: str
    sha256: str
    question: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Studio:
    """`policy()` is whatever answers now, and raises Unavailable while that is still loading: a promoted adapter changes what
    it returns, so it is asked anew for each question. `samples()` may draw and record the sample media when it is first
    called. `worker` runs jobs. `access` knows who asks. `reasoner` is how far loading is, None where `policy` is there from
    the start; `backup` what copies the home elsewhere, where that is set."""

    settings: Settings
    store: Store
    media: MediaFolder
    policy: Callable[[], Policy]
    samples: Callable[[], tuple[Sample, ...]]
    worker: Worker
    access: Access
    reasoner: Starting[Reasoner] | None = None
    backup: KeepingBackups | None = None

    @property
    def jobs(self) -> TrainingDesk | None:
        """What trains the model that answers; None where it cannot be trained, or is not loaded yet."""
        reasoner = None if self.reasoner is None else self.reasoner.value
        return None if reasoner is None else reasoner.desk

    @property
    def problem(self) -> str | None:
        """What a host should know, as a sentence: the model cannot be loaded, or the promoted adapter does not answer."""
        if self.reasoner is not None and self.reasoner.problem:
            return self.reasoner.problem
        return None if self.jobs is None else self.jobs.problem

    @property
    def untrainable(self) -> str | None:
        """Why nothing can be trained here, or not yet, as a sentence; None where it can."""
        if self.jobs is not None:
            return None
        reasoner = None if self.reasoner is None else self.reasoner.value
        return self.unready or (SCRIPTED if reasoner is None else reasoner.untrainable)

    @property
    def unready(self) -> str | None:
        """Why nothing answers yet, or ever, as a sentence; None once something does."""
        if self.reasoner is None or self.reasoner.value is not None:
            return None
        return self.reasoner.problem or self.reasoner.sentence()

    def home_health(self) -> HomeHealth:
        """What is wrong with the home, and how full it is."""
        return home_health(self.store, self.media, self.access.use.settings, self.access.use.home_bytes())

    def brought(self, medium: Media, name: str, byte_size: int, person: Person) -> None:
        """Records a medium that a person brought."""
        self.access.use.brought(person, byte_size)
        with self.store.transaction():
            self.store.media.record(medium, name, byte_size)
            self.store.sight.brought(medium.sha256, person.name)

    def _samples(self) -> frozenset[str]:
        # Those that are still being drawn are not waited for.
        is_drawn = getattr(self.samples, "is_drawn", True)
        return frozenset(sample.sha256 for sample in self.samples()) if is_drawn else frozenset()

    @property
    def workbench(self) -> Workbench:
        """The one door to a trace, with this studio's policy and limits."""
        return Workbench(self.store, self.media, self.policy, loop_limits(self.settings), self.access, self._samples)
