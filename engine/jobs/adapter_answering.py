"""Adapters of one backbone as those who answer in a job of attempts (`engine.jobs.answering`): the live one, another, none."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.backbone.adapters import Beside
from engine.backbone.loading import Backbone
from engine.backbone.unpacked import unpacked
from engine.errors import NotFound, Unavailable
from engine.jobs.answering import BARE, LIVE, LIVE_WORDS, Answerer
from engine.jobs.promotion import unusable
from engine.policies.local import LocalPolicy
from engine.store import Adapter, Store
from engine.training.snapshot import describe, learned_from

__all__ = ["AdapterAnswering"]


@dataclass(frozen=True, slots=True)
class AdapterAnswering:
    """`artifacts` is the folder in which the adapters' weights lie."""

    store: Store
    backbone: Backbone
    artifacts: Path

    def choices(self) -> list[tuple[str, str]]:
        """Adapters whose weights are gone, or that belong to other weights, are left out."""
        usable = [one for one in self.store.adapters.list() if not unusable(one, self.backbone, self.artifacts)]
        return [(LIVE, LIVE_WORDS), (BARE, f"{self.backbone.name} alone"), *((one.id, one.name) for one in usable)]

    def choose(self, adapter: str) -> dict[str, Any]:
        found = self._adapter(adapter)
        if found is not None and (objection := unusable(found, self.backbone, self.artifacts)):
            raise Unavailable(objection)
        name = self.backbone.name if found is None else f"{self.backbone.name}+{found.name}"
        return {"name": name, "adapter": None if found is None else found.id, "backbone": describe(self.backbone)}

    @contextmanager
    def open(self, chosen: Mapping[str, Any], temperature: float | None, *, is_long: bool = True) -> Iterator[Answerer]:
        if chosen.get("backbone") != describe(self.backbone):
            raise Unavailable(
                f"this job was queued for {chosen['name']} and cannot run on {self.backbone.name} as it is here; start a "
                "new job"
            )
        adapter = None if chosen["adapter"] is None else self.store.adapters.get(chosen["adapter"])
        if adapter is not None and (objection := unusable(adapter, self.backbone, self.artifacts)):
            raise Unavailable(objection)
        with self._beside(adapter, is_long=is_long) as backbone:
            threads = 1 if backbone.tower_apart is None else 2  # the second hands pictures to the tower apart
            policy = LocalPolicy(backbone, 1.0 if temperature is None else temperature, threads=threads)
            yield Answerer(policy, self._learned_from(adapter))

    @contextmanager
    def _beside(self, adapter: Adapter | None, *, is_long: bool) -> Iterator[Backbone]:
        """The backbone as it answers with the adapter, whatever answers elsewhere."""
        adapters, lease = self.backbone.adapters, self.backbone.lease
        folder = None if adapter is None else self.artifacts / adapter.path
        with ExitStack() as opened:
            with lease.held():
                beside = adapters.open_beside(folder, None if adapter is None else adapter.name)
                opened.callback(self._close, beside)
                if is_long:  # 4-bit weights are unpacked once, which changes no number
                    opened.enter_context(unpacked(self.backbone.model))
            yield dataclasses.replace(self.backbone, adapters=beside)  # type: ignore[arg-type]

    def _close(self, beside: Beside) -> None:
        with self.backbone.lease.held():
            self.backbone.adapters.close_beside(beside)

    def _adapter(self, wanted: str) -> Adapter | None:
        if wanted == BARE:
            return None
        if wanted == LIVE:
            return self.store.adapters.live()
        known = self.store.adapters.list()
        found = next((one for one in known if wanted in (one.id, one.name)), None)
        if found is None:
            names = ", ".join(repr(one.name) for one in known) or "there is none"
            raise NotFound(f"there is no adapter {wanted!r}; those of this studio are: {names}")
        return found

    def _learned_from(self, adapter: Adapter | None) -> frozenset[str]:
        if adapter is None or adapter.job_id is None:
            return frozenset()
        return frozenset(learned_from(self.store, self.artifacts, self.store.jobs.get(adapter.job_id)))
