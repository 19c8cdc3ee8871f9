r"""Selective sample replay: groups that taught something take the place of those that teach nothing.

A group whose rewards are all equal has no advantage and no gradient; late in training up to 90% are such (paper,
section 5). VL-Rethinker (arXiv 2504.08837, section 3.2) keeps samples with a nonzero advantage in a buffer and draws from
it, with probability in proportion to |advantage|^a, what a batch lacks. Ours, at each step:

    1. roll out Q groups; the informative ones (not uniform) enter the buffer, the oldest leave it at `capacity`
    2. the batch is the informative groups of this step, and then, until it has Q,
       earlier groups drawn without replacement with probability |A|^a / sum |A|^a, |A| the mean over the group
    3. where the buffer has too few, uniform groups fill up: they change nothing

Different from the source: whole groups are kept and drawn instead of single rollouts, so that a positive example always
comes with what it was better than; a group is drawn at most once a step; nothing of this step is drawn (it is in the batch
already, where the released code may repeat it); a group leaves after `max_age` steps, since an old policy's words say
little about the present one. Replayed rollouts keep the log-probabilities of the policy that said them, so PPO's clipped
ratio weighs them (engine/training/grpo.py).

Invariants: deterministic by the random generator that is passed in; never more than `capacity` groups.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Kept", "ReplayBuffer", "batch_of"]

Group = TypeVar("Group")


@dataclass(frozen=True, slots=True)
class Kept(Generic[Group]):
    """A group in the buffer; `weight` is its mean |advantage|, above 0; `step` is when it was rolled out."""

    group: Group
    weight: float
    step: int


@dataclass(slots=True)
class ReplayBuffer(Generic[Group]):
    """Informative groups, oldest first. A capacity of 0 keeps nothing: no replay. `exponent` is a."""

    capacity: int
    max_age: int
    exponent: float = 1.0
    kept: list[Kept[Group]] = field(default_factory=list)

    def add(self, group: Group, weight: float, step: int) -> None:
        """Keep an informative group. Raises ValueError for one without weight."""
        if weight <= 0:
            raise ValueError("a group without advantage teaches nothing and is not kept")
        self.kept.append(Kept(group, weight, step))
        del self.kept[: max(0, len(self.kept) - self.capacity)]

    def forget_before(self, step: int) -> None:
        """Drop what is older than `max_age` steps at `step`."""
        self.kept = [one for one in self.kept if step - one.step <= self.max_age]

    def draw(self, count: int, rng: random.Random) -> list[Group]:
        """Up to `count` different groups, by weight."""
        left = list(self.kept)
        drawn: list[Group] = []
        while left and len(drawn) < count:
            chosen = rng.choices(range(len(left)), [one.weight**self.exponent for one in left])[0]
            drawn.append(left.pop(chosen).group)
        return drawn


def batch_of(
    fresh: Sequence[Group],
    weight_of: Callable[[Group], float],
    buffer: ReplayBuffer[Group],
    step: int,
    rng: random.Random,
) -> tuple[list[Group], int]:
    """(as many groups as `fresh` has, how many of them are replayed); `weight_of` is a group's mean |advantage|, 0 where
    it is uniform. The informative fresh groups are in the buffer afterwards."""
    informative = [group for group in fresh if weight_of(group) > 0]
    uniform = [group for group in fresh if weight_of(group) <= 0]
    buffer.forget_before(step)
    replayed = buffer.draw(len(uniform), rng)
    for group in informative:
        buffer.add(group, weight_of(group), step)
    return informative + replayed + uniform[: len(fresh) - len(informative) - len(replayed)], len(replayed)
