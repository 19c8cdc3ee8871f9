"""Several trainers on one machine that meet: each draws batches of its own, and now and then they average their weights.

Algorithm (local SGD, arXiv 1805.09767): every `EVERY_S` seconds of the stage's clock, which all share, the fp32 masters of
all trainers are replaced by their mean; momenta stay each trainer's own. Two cores so see twice the samples without waiting
for each other at every step, as gradients averaged step by step would make them: batches of different kinds cost
differently.

Invariant: all trainers of a run meet equally often, because when they meet follows from the shared clock alone; after a
meeting their masters are equal.

Not covered: several machines.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist

__all__ = ["EVERY_S", "Meetings", "join_meetings"]

EVERY_S = 20.0


@dataclass(slots=True)
class Meetings:
    """`began` is the stage's start on the clock of this machine (time.monotonic), the same for every trainer."""

    began: float
    met: int = 0

    def meet_if_due(self, masters: list[torch.Tensor], limit_s: float) -> bool:
        """Average as often as the clock says within the stage's `limit_s`; whether it happened."""
        due = int(min(time.monotonic() - self.began, limit_s) / EVERY_S)
        has_met = False
        while self.met < due:
            self.meet(masters)
            self.met += 1
            has_met = True
        return has_met

    def finish(self, masters: list[torch.Tensor], limit_s: float) -> None:
        """The meetings up to the end of the stage that this trainer has not been to, and a last one."""
        while self.met < int(limit_s / EVERY_S) + 1:
            self.meet(masters)
            self.met += 1

    @torch.no_grad()
    def meet(self, masters: list[torch.Tensor]) -> None:
        mean = torch.cat([master.flatten() for master in masters])
        dist.all_reduce(mean)
        mean /= dist.get_world_size()
        for master, part in zip(masters, mean.split([master.numel() for master in masters]), strict=True):
            master.copy_(part.view_as(master))


def join_meetings(rank: int, trainers: int, *, place: Path, spent_s: float) -> Meetings:
    """Trainer `rank` (from 0) of `trainers` waits for the others at `place`, a file that is not there yet.
    `spent_s` of the stage are over already."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    if not dist.is_initialized():
        dist.init_process_group("gloo", init_method=f"file://{place}", rank=rank, world_size=trainers)
    began = torch.tensor([time.monotonic() - spent_s], dtype=torch.float64)
    dist.broadcast(began, 0)
    return Meetings(float(began), int(spent_s / EVERY_S))
