"""How examples are asked in a job of attempts, as plain data that the job remembers; and what its work needs.

    attempt k at example i    is sampled from the seed that follows from (the job's seed, i, k)

Invariant: importing this needs no torch. Not covered: asking (`engine.jobs.attempts`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from engine.errors import InvalidInput
from engine.evaluation.conventions.projects import following
from engine.evaluation.crops import CROPS, Crops
from engine.jobs.answering import Answering
from engine.media import MediaFolder
from engine.reasoning import Limits
from engine.store import Store

__all__ = ["MAX_ATTEMPTS", "Asked", "Keep", "Services", "attempt_seed"]

MAX_ATTEMPTS = 64
"""Most attempts at one example."""
_MAX_AT_ONCE = 64

Keep = Literal["all", "right", "disagreeing"]


@dataclass(frozen=True, slots=True)
class Asked:
    """How examples are asked: `attempts` times each, greedily (`temperature` None, then once), or sampled at a temperature
    from seeds that follow from `seed`. `option_seed` shuffles the options of each example, None leaves them as shipped.
    `max_tokens` is how many may be generated in all before no further example is begun; `at_once` how many attempts are
    on their way together. Raises InvalidInput."""

    attempts: int = 1
    temperature: float | None = None
    seed: int = 0
    is_operating: bool = True
    option_seed: int | None = None
    max_tokens: int | None = None
    at_once: int = 16
    keep: Keep = "all"
    crops: Crops = "real"
    """What a zoom shows (`engine.evaluation.crops`); an attempt whose crops are not real is never kept as a trace."""
    protocol_of: str | None = None
    """The project whose words and scores are followed (`engine.evaluation.conventions`), None for ours."""
    is_weighing_looks: bool = False
    """Whether what each look was worth is weighed (`engine.worth`), and kept with the trace."""

    def __post_init__(self) -> None:
        if not 1 <= self.attempts <= MAX_ATTEMPTS:
            raise InvalidInput(f"an example is attempted 1 to {MAX_ATTEMPTS} times, not {self.attempts}")
        if self.temperature is not None and not 0 < self.temperature <= 10:
            raise InvalidInput(
                f"a temperature is above 0 and at most 10, not {self.temperature}; leave it out for greedy"
            )
        if self.temperature is None and self.attempts > 1:
            raise InvalidInput("greedy attempts are all alike: give a temperature, or ask each example once")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise InvalidInput(f"the limit on tokens is a whole number from 1, not {self.max_tokens}")
        if not 1 <= self.at_once <= _MAX_AT_ONCE:
            raise InvalidInput(f"1 to {_MAX_AT_ONCE} attempts can be on their way at once, not {self.at_once}")
        if self.crops not in CROPS:
            raise InvalidInput(f"crops are one of {', '.join(CROPS)}, not {self.crops!r}")
        following(self.protocol_of, "")
        if self.is_weighing_looks and (self.crops, self.keep) != ("real", "all"):
            raise InvalidInput(
                "what looks were worth is kept with the traces, so crops have to be real and all be kept"
            )
        if self.keep not in get_args(Keep):
            raise InvalidInput(f"what is kept is one of {', '.join(get_args(Keep))}, not {self.keep!r}")
        if self.keep == "disagreeing" and self.attempts == 1:
            raise InvalidInput("one attempt cannot disagree: ask each example at least twice, or keep all")

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Asked:
        return cls(**data)

    def seeds(self, position: int, made: frozenset[int] = frozenset()) -> dict[int, int | None]:
        """Number -> seed of the attempts at the example at a position that are not `made` yet."""
        numbers = [number for number in range(self.attempts) if number not in made]
        if self.temperature is None:
            return dict.fromkeys(numbers)
        return {number: attempt_seed(self.seed, position, number) for number in numbers}


def attempt_seed(seed: int, position: int, number: int) -> int:
    """The seed of attempt `number` at the example at `position`, of a run with `seed`: 63 bits of a hash, so that no two
    attempts share one."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{position}/{number}".encode()).digest()[:8]) >> 1


@dataclass(frozen=True, slots=True)
class Services:
    """What attempts need: `limits` are those of an answer."""

    store: Store
    media: MediaFolder
    answering: Answering
    limits: Limits
