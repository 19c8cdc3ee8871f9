"""Which frames of a video are looked at: CLIP_FRAMES of them, spread evenly.

Two ways to be even, which agree where frames follow each other at a constant rate:

    in time    sample k of n is the frame that is shown at k / (n - 1) of the way from the first frame to the last
    by index   sample k of n is frame round(k * (last) / (n - 1)): what published models were trained on

In a screen recording, whose frames come when something changes, even indices crowd where much happens: of a minute of
which one second moves, 15 of 16 samples fall into that second.
"""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from engine.errors import InvalidMedia
from engine.media.formats import MediaLimits
from engine.trace import CLIP_FRAMES

__all__ = ["Sampling", "evenly_by_index", "evenly_in_time", "require_duration", "sampled"]

Sampling = Literal["time", "index"]


def sampled(times: Sequence[float], sampling: Sampling) -> tuple[int, ...]:
    """CLIP_FRAMES indices into `times` (ascending, any unit), first and last among them."""
    return evenly_in_time(times) if sampling == "time" else evenly_by_index(len(times))


def evenly_by_index(count: int) -> tuple[int, ...]:
    return tuple(round(k * (count - 1) / (CLIP_FRAMES - 1)) for k in range(CLIP_FRAMES))


def evenly_in_time(times: Sequence[float]) -> tuple[int, ...]:
    """For each moment the frame that is shown then. Moments lie half a usual frame later than an even division, so that
    at a constant rate the nearest frame is chosen, which is the one that even indices choose."""
    first, last = times[0], times[-1]
    usual = statistics.median([later - earlier for earlier, later in pairwise(times)]) if len(times) > 1 else 0
    moments = (first + k * (last - first) / (CLIP_FRAMES - 1) + usual / 2 for k in range(CLIP_FRAMES))
    return tuple(max(bisect_right(times, moment) - 1, 0) for moment in moments)


def require_duration(duration_s: float, limits: MediaLimits) -> None:
    """Raises InvalidMedia where a video lasts longer than the limits allow."""
    if duration_s > limits.max_duration_s:
        raise InvalidMedia(
            f"This video lasts {_clock(duration_s)} (h:mm:ss); at most {_clock(limits.max_duration_s)} is accepted."
        )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
