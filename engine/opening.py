"""What the studio and the commands open from the settings: store, media folder, limits, backbone and policy.

Invariant: a model named with --policy answers as it is; without --policy the studio's own model answers, with the adapter
that was promoted there.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine import embedded
from engine.errors import InvalidSetting
from engine.jobs.answering import Answering, StudioPolicy
from engine.media import MediaFolder, MediaLimits, Sampling
from engine.policies.address import Address, is_address
from engine.protocols import protocol_named
from engine.reasoning import Limits
from engine.settings import Settings
from engine.store import Store

if TYPE_CHECKING:
    from engine.backbone.loading import Backbone
    from engine.policies.base import Policy
    from engine.policies.server.policy import ServerPolicy

__all__ = [
    "OnLoading",
    "check_model",
    "clip_sampling",
    "loop_limits",
    "media_limits",
    "model_title",
    "open_answering",
    "open_backbone",
    "open_media",
    "open_policy",
    "open_server_policy",
    "open_store",
    "preparing_threads",
]

OnLoading = Callable[[str, float | None], None]
"""Hears what is being done ("downloading", "reading weights") and the share of it in [0, 1], None where it cannot be told."""


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


def open_policy(
    settings: Settings, named: str | None = None, protocol: str | None = None, *, is_for_many: bool = False
) -> Policy:
    """The policy `named` (tiny, scripted, a folder, an id of the Hub, a server), or the studio's own; `protocol` overrides the
    settings', `is_for_many` as in `open_backbone`. Raises InvalidSetting or Unavailable."""
    if named is not None and not named.strip():
        raise InvalidSetting("--policy is empty; give tiny, scripted, a folder, a model id of the Hub or a server")
    if protocol is not None:
        settings = dataclasses.replace(settings, protocol=protocol_named(protocol).NAME)
    model = named or settings.model
    if model == "scripted":
        from engine.policies.scripted import ScriptedPolicy

        return ScriptedPolicy(protocol=protocol_named("studio" if settings.protocol == "auto" else settings.protocol))
    if is_address(model):
        from engine.policies.server.blocking import BlockingServerPolicy

        return BlockingServerPolicy(open_server_policy(dataclasses.replace(settings, model=model)))
    from engine.policies.local import LocalPolicy

    backbone = open_backbone(dataclasses.replace(settings, model=model), is_for_many=is_for_many)
    if settings.protocol == "auto" and model != embedded.NAME:
        print(
            f"{backbone.name} is asked in the wire format {backbone.protocol_name}: {backbone.protocol_reason}",
            file=sys.stderr,
        )
    if named is None:
        _promote_live(settings, backbone)
    return LocalPolicy(backbone, threads=preparing_threads(backbone))


def open_answering(settings: Settings, store: Store, named: str | None = None) -> Answering:
    """Those who can answer in a job of attempts: the adapters of the model `named` (as `open_policy` takes it) or of the
    studio's own, or the one policy that has none. Raises InvalidSetting or Unavailable."""
    model = named or settings.model
    if model == "scripted":
        policy = open_policy(settings, model)
        return StudioPolicy(lambda: policy)
    if is_address(model):
        served = open_server_policy(dataclasses.replace(settings, model=model))
        return StudioPolicy(lambda: served)
    from engine.jobs.adapter_answering import AdapterAnswering

    return AdapterAnswering(store, open_backbone(dataclasses.replace(settings, model=model)), settings.artifacts)


def open_server_policy(settings: Settings) -> ServerPolicy:
    """The server that the settings name. Raises InvalidSetting, and Unavailable where it cannot be had."""
    from engine.policies.server.opening import open_server

    return open_server(Address.parse(settings.model), settings.protocol, settings.server_key)


def open_backbone(
    settings: Settings, on_loading: OnLoading = lambda text, share: None, *, is_for_many: bool = False
) -> Backbone:
    """The settings' model on its device, with the number of threads that they allow. Where these leave a core, a small tower can
    be had apart from the first time that several speak together, or at once for a model that `is_for_many`."""
    from engine.backbone.tower_apart import TowerApart

    threads = settings.threads or max(1, _free_cores() - 1)
    apart = TowerApart(threads) if _free_cores() // threads > 1 and settings.device in ("auto", "cpu") else None
    if apart is not None and is_for_many and settings.model == embedded.NAME:
        apart.start()  # it imports while this process does
    import torch
    from transformers.utils import logging

    from engine.backbone.loading import load_backbone

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(threads)
    try:
        backbone = load_backbone(
            settings.model, settings.quantization, settings.device, settings.protocol, on_loading=on_loading
        )
    except BaseException:
        if apart is not None:
            apart.close()
        raise
    if apart is None:
        return backbone
    apart.hold(backbone.model.model.visual)
    return dataclasses.replace(backbone, tower_apart=apart)


def check_model(settings: Settings) -> None:
    """Raises InvalidSetting where STUDIO_MODEL names a folder that is none of a model's; a model of the Hub is only looked
    up when it is loaded, a server when it is asked."""
    if is_address(settings.model):
        Address.parse(settings.model)
    elif _is_here(settings):
        from engine.backbone.published import find_model

        find_model(settings.model)


def clip_sampling(settings: Settings) -> Sampling:
    """How clips are sampled for this model, as far as it is known before it is loaded."""
    if settings.protocol == "auto" and settings.model != "scripted" and _is_here(settings):
        from engine.backbone.published import find_model, protocol_of

        try:
            return protocol_named(protocol_of(find_model(settings.model), "auto").protocol).CLIP_SAMPLING
        except InvalidSetting:  # told when it is loaded
            return "time"
    return protocol_named("studio" if settings.protocol == "auto" else settings.protocol).CLIP_SAMPLING


def model_title(settings: Settings) -> str:
    """What people call the model while it is loading: "tiny, 4bit"."""
    if settings.model == "scripted":
        return "the script"
    if is_address(settings.model):
        address = Address.parse(settings.model)
        return f"{address.model} at {address.url}"
    quantization = "4bit" if settings.quantization == "auto" else settings.quantization
    return f"{Path(settings.model).name}, {quantization}"


def _is_here(settings: Settings) -> bool:
    """Whether the model's files lie on this disk, or ought to."""
    model = settings.model
    return model == embedded.NAME or model.startswith((".", "/", "~")) or Path(model).expanduser().exists()


def preparing_threads(backbone: Backbone) -> int:
    """How many conversations are prepared at a time where a process does nothing but answer: on a CPU as many as the threads
    of each leave cores for, else one."""
    import torch

    return max(1, _free_cores() // torch.get_num_threads()) if backbone.device.type == "cpu" else 1


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
