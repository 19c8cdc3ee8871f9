"""What the studio and the commands open from the settings: store, media folder, limits, backbone and policy.

Invariant: a model named with --policy answers as it is; without --policy the studio's own model answers, with the adapter
that was promoted there.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from typing import TYPE_CHECKING

from engine import embedded
from engine.errors import InvalidSetting
from engine.jobs.answering import Answering, StudioPolicy
from engine.media import MediaFolder, MediaLimits
from engine.protocols import protocol_named
from engine.reasoning import Limits
from engine.settings import Settings
from engine.store import Store

if TYPE_CHECKING:
    from engine.backbone.loading import Backbone
    from engine.policies.base import Policy

__all__ = ["loop_limits", "media_limits", "open_answering", "open_backbone", "open_media", "open_policy", "open_store"]


def open_store(settings: Settings) -> Store:
    return Store(settings.database, settings.journal)  # type: ignore[arg-type]


def open_media(settings: Settings) -> MediaFolder:
    return MediaFolder(settings.artifacts / "media", media_limits(settings))


def media_limits(settings: Settings) -> MediaLimits:
    return MediaLimits(
        max_bytes=settings.max_upload_mb * 1_000_000,
        max_pixels=settings.max_megapixels * 1_000_000,
        max_duration_s=float(settings.max_video_s),
    )


def loop_limits(settings: Settings) -> Limits:
    return Limits(max_steps=settings.max_steps, max_tokens=settings.max_tokens)


def open_policy(settings: Settings, named: str | None = None, protocol: str | None = None) -> Policy:
    """The policy `named` (tiny, scripted, a folder or an id of the Hub), or the studio's own; `protocol` overrides the
    settings'. Raises InvalidSetting or Unavailable."""
    if named is not None and not named.strip():
        raise InvalidSetting("--policy is empty; give tiny, scripted, a folder or a model id of the Hub")
    if protocol is not None:
        settings = dataclasses.replace(settings, protocol=protocol_named(protocol).NAME)
    model = named or settings.model
    if model == "scripted":
        from engine.policies.scripted import ScriptedPolicy

        return ScriptedPolicy(protocol=protocol_named("studio" if settings.protocol == "auto" else settings.protocol))
    from engine.policies.local import LocalPolicy

    backbone = open_backbone(dataclasses.replace(settings, model=model))
    if named is None:
        _promote_live(settings, backbone)
    return LocalPolicy(backbone)


def open_answering(settings: Settings, store: Store, named: str | None = None) -> Answering:
    """Those who can answer in a job of attempts: the adapters of the model `named` (as `open_policy` takes it) or of the
    studio's own, or the one policy that has none. Raises InvalidSetting or Unavailable."""
    model = named or settings.model
    if model == "scripted":
        policy = open_policy(settings, model)
        return StudioPolicy(lambda: policy)
    from engine.jobs.adapter_answering import AdapterAnswering

    return AdapterAnswering(store, open_backbone(dataclasses.replace(settings, model=model)), settings.artifacts)


def open_backbone(settings: Settings) -> Backbone:
    """The settings' model on its device, with the number of threads that they allow."""
    import torch
    from transformers.utils import logging

    from engine.backbone.loading import load_backbone

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(settings.threads or max(1, _free_cores() - 1))
    backbone = load_backbone(settings.model, settings.quantization, settings.device, settings.protocol)
    if settings.protocol == "auto" and settings.model != embedded.NAME:
        print(
            f"{backbone.name} is asked in the wire format {backbone.protocol_name}: {backbone.protocol_reason}",
            file=sys.stderr,
        )
    return backbone


def _free_cores() -> int:
    """The cores that this process may use; not every system tells, and then all that there are."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _promote_live(settings: Settings, backbone: Backbone) -> None:
    if not settings.database.exists():
        return
    from engine.jobs.promotion import load_live

    with open_store(settings) as store:
        if problem := load_live(store, backbone, settings.artifacts):
            print(problem, file=sys.stderr)
