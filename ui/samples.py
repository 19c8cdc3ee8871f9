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
_COUNTS = (("mini-signs", "Picture", 5), ("mini-clips", "Clip", 3))


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
        threading.Thread(target=self, name="samples", daemon=True).start()

    def _is_kept(self, sample: Sample) -> bool:
        """False where somebody has deleted its picture since."""
        return self.media.has(sample.sha256) and not self.store.bin.holds_media(sample.sha256)

    def _draw(self) -> list[Sample]:
        samples = []
        for name, title, count in _COUNTS:
            benchmark = benchmark_named(name)
            if benchmark is None:
                continue
            for number, drawn in enumerate(draw(benchmark, count, SAMPLE_SEED), 1):
                (file,) = drawn.files
                media = self.media.take(file).media
                path = self.media.path(media.sha256)
                self.store.media.record(media, f"{title.lower()}-{number}{path.suffix}", path.stat().st_size)
                samples.append(Sample(f"{title} {number}", media.sha256, drawn.example.question))
        return samples
