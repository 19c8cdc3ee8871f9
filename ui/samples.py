"""The samples on the Ask screen: a few pictures and clips of the embedded reasoner's world, drawn at first start.

The idea: nothing is shipped but the generator. The files are those of `python -m engine examples` for a seed that
evaluation does not take by default, so a sample is a picture that training never saw; they go into the media folder like
an upload, and a second start finds them there.

Invariant: drawing happens once a process, whoever asks first; others wait for it. Where there are no drawn benchmarks there
are no samples.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import benchmark_named
from engine.media import MediaFolder
from engine.store import Store
from ui.studio import Sample

__all__ = ["SAMPLE_SEED", "SampleShelf"]

SAMPLE_SEED = 9_000
_SHOWN = (
    ("mini-signs", "Picture", (0, 1, 2)),
    ("mini-clips", "Clip", (0, 1)),
    ("mini-vstar", "Small things", (4,)),
    ("mini-tally", "Counting", (0,)),
    ("mini-info", "Poster", (0,)),
)
"""(benchmark, title, which of its examples)."""
_ABSENT = ("mini-signs", 2, "Not there", "What is written on the red disc?")
"""A question about one of the samples (its benchmark and place) for which the honest answer is that there is no such sign."""


@dataclass(slots=True)
class SampleShelf:
    """Call it for the samples; `prepare` draws them in the background."""

    media: MediaFolder
    store: Store
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _samples: tuple[Sample, ...] | None = None

    def __call__(self) -> tuple[Sample, ...]:
        with self._lock:
            if self._samples is None or not all(self._is_kept(sample) for sample in self._samples):
                self._samples = tuple(self._draw())
            return self._samples

    @property
    def is_drawn(self) -> bool:
        """Whether they are there without waiting."""
        return self._samples is not None

    def prepare(self) -> None:
        threading.Thread(target=self._prepared, name="samples", daemon=True).start()

    def _prepared(self) -> None:
        try:
            self()
        except ValueError:
            if not self.store.is_closed:  # the studio was stopped meanwhile
                raise

    def _is_kept(self, sample: Sample) -> bool:
        """False where somebody has deleted its picture since."""
        return self.media.has(sample.sha256) and not self.store.bin.holds_media(sample.sha256)

    def _draw(self) -> list[Sample]:
        samples: list[Sample] = []
        for name, title, places in _SHOWN:
            benchmark = benchmark_named(name)
            if benchmark is None:
                continue
            for place, drawn in enumerate(draw(benchmark, max(places) + 1, SAMPLE_SEED)):
                if place not in places:
                    continue
                (file,) = drawn.files
                media = self.media.take(file).media
                path = self.media.path(media.sha256)
                shown = title if len(places) == 1 else f"{title} {places.index(place) + 1}"
                self.store.media.record(media, f"{shown.lower()}{path.suffix}", path.stat().st_size)
                samples.append(Sample(shown, media.sha256, drawn.example.question, drawn.example.options))
                if (name, place) == _ABSENT[:2]:
                    samples.append(Sample(_ABSENT[2], media.sha256, _ABSENT[3]))
        return samples
