"""From a trained adapter to what answers, and back: save, promote, roll back, demote, rename, discard, and load what was live
at start-up.

Promotion is one step: the new adapter is read, checked and tried beside what answers, the store records it, and the two
change places; whatever fails on the way, what answered goes on answering.

Invariants: weights are switched under the lease, so every turn is answered by one adapter from its first token to its last;
the store and the backbone agree on what is live; an adapter is only put on the weights that it was trained on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.backbone.adapters import WEIGHTS
from engine.backbone.loading import Backbone
from engine.errors import Conflict, Unavailable
from engine.evaluation.comparing import Comparison
from engine.evaluation.held_out import HeldOutSet
from engine.jobs.adapter_sending import merged_folder
from engine.jobs.measuring import measured
from engine.store import Adapter, Store
from engine.training.checkpoints import is_base

__all__ = [
    "demote",
    "discard",
    "doubt",
    "load_live",
    "promote",
    "record_training_adapter",
    "rename",
    "roll_back",
    "unusable",
]

_DISCARDED = "is_discarded"


def record_training_adapter(
    store: Store,
    backbone: Backbone,
    artifacts: Path,
    *,
    folder: str,
    name: str,
    job_id: str,
    metrics: Mapping[str, Any],
) -> Adapter:
    """Save the adapter in training as artifacts/adapters/`folder` (whole or not at all) and record it."""
    path = artifacts / "adapters" / folder
    unfinished = path.with_name(folder + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    with backbone.lease.held():
        backbone.adapters.save_training(unfinished)
    shutil.rmtree(path, ignore_errors=True)
    os.replace(unfinished, path)
    return store.adapters.record(name, f"adapters/{folder}", job_id, backbone.name, backbone.base_hash, metrics)


def promote(store: Store, backbone: Backbone, artifacts: Path, adapter_id: str, author: str = "") -> Adapter:
    """Let the adapter answer from the next turn on. Raises NotFound, and Unavailable where it was discarded, its files are
    gone or damaged, or it was trained on other weights; then what answered goes on answering."""
    adapter = store.adapters.get(adapter_id)
    objection = unusable(adapter, backbone, artifacts)
    if objection:
        raise Unavailable(objection)
    with backbone.lease.held(), backbone.adapters.promoting(artifacts / adapter.path, adapter.name):
        store.adapters.promote(adapter_id, author)
    return adapter


def doubt(store: Store, adapter: Adapter) -> str | None:
    """Why a person should think twice before this adapter answers, as a sentence; None where it was better than what answers
    now on held-out examples, by more than chance."""
    comparison = None if adapter.job_id is None else measured(store, adapter.job_id)
    if comparison is None or not comparison.n:
        return f"{adapter.name} was not measured to its end on held-out examples, so nobody knows whether it helped"
    if not comparison.is_told_apart:
        return f"whether {adapter.name} helped is not known: before and after are {_not_apart(comparison)}"
    examples = f"{comparison.n} held-out example{'' if comparison.n == 1 else 's'}"
    if comparison.difference < 0:
        return f"{adapter.name} is {comparison.words}, on {examples}"
    compared_with = _compared_with(store, adapter)
    live = store.adapters.live()
    if compared_with is not None and compared_with != ("" if live is None else live.id):
        now = "the backbone alone" if live is None else live.name
        return f"{adapter.name} is {comparison.words} than what it was compared with, and {now} answers by now"
    return None


def _not_apart(comparison: Comparison) -> str:
    return comparison.words.replace("cannot be told apart", "not told apart")


def _compared_with(store: Store, adapter: Adapter) -> str | None:
    """The id of the adapter before training, "" for the backbone alone; None where the job does not say."""
    assert adapter.job_id is not None  # it was measured
    held_out = HeldOutSet.from_json(store.jobs.get(adapter.job_id).config.get("evaluation"))
    return None if held_out is None or held_out.answerer is None else held_out.answerer.get("adapter") or ""


def roll_back(store: Store, backbone: Backbone, artifacts: Path, author: str = "") -> Adapter | None:
    """Let what answered before answer again; returns it, None for the backbone alone. Raises as `promote`."""
    earlier = store.adapters.previous()
    if earlier is None:
        demote(store, backbone, author)
        return None
    return promote(store, backbone, artifacts, earlier.id, author)


def rename(store: Store, backbone: Backbone, adapter_id: str, name: str) -> Adapter:
    """Give an adapter another name, also where it answers now. Raises NotFound, and InvalidInput for no name, or one that
    another adapter has."""
    with backbone.lease.held():
        before = store.adapters.get(adapter_id)
        live = store.adapters.live()
        renamed = store.adapters.rename(adapter_id, name)
        if live is not None and live.id == adapter_id and backbone.adapters.live_name == before.name:
            backbone.adapters.live_name = renamed.name
    return renamed


def demote(store: Store, backbone: Backbone, author: str = "") -> None:
    """Let the bare backbone answer from the next turn on."""
    with backbone.lease.held():
        store.adapters.promote(None, author)
        backbone.adapters.demote()


def discard(store: Store, artifacts: Path, adapter_id: str) -> Adapter:
    """Delete the adapter's weights, merged ones too; its record stays. Raises NotFound, and Conflict where it is live."""
    adapter = store.adapters.get(adapter_id)
    live = store.adapters.live()
    if live is not None and live.id == adapter_id:
        raise Conflict(f"the adapter {adapter.name!r} is answering; promote another one, or none, before discarding it")
    discarded = store.adapters.set_metrics(adapter_id, {_DISCARDED: True})
    for folder in (artifacts / adapter.path, merged_folder(artifacts, adapter_id)):
        shutil.rmtree(folder, ignore_errors=True)
    return discarded


def load_live(store: Store, backbone: Backbone, artifacts: Path) -> str | None:
    """Put what the store calls live on a freshly loaded backbone. Returns None, or why the bare backbone answers instead,
    as a sentence."""
    adapter = store.adapters.live()
    if adapter is None:
        return None
    objection = unusable(adapter, backbone, artifacts)
    if objection is None:
        try:
            with backbone.lease.held():
                backbone.adapters.promote(artifacts / adapter.path, adapter.name)
        except Unavailable as error:
            objection = str(error)
    return None if objection is None else f"{objection}; {backbone.name} answers without it"


def unusable(adapter: Adapter, backbone: Backbone, artifacts: Path) -> str | None:
    """Why the adapter cannot be put on these weights, as a sentence, or None."""
    if adapter.is_discarded:
        return f"the adapter {adapter.name!r} was discarded"
    if not is_base(adapter.base_hash, backbone):
        return f"the adapter {adapter.name!r} was trained on other weights ({adapter.base_model}) than {backbone.name}"
    if not (artifacts / adapter.path / WEIGHTS).is_file():
        return f"the files of the adapter {adapter.name!r} are gone ({adapter.path})"
    return None
